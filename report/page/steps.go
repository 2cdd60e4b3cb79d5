package page

import (
	"cmp"
	"html/template"
	"slices"
	"strings"

	"imds-analyzer/report/steps"
)

// Room for next steps. All together have 25 KiB as a rule, and for each instance that
// is ready 116 bytes more: 66 in require-many, with its way back, and 50 in
// systems-manager. Where there is no room, a step says so in the place of its commands,
// and has 2 KiB: half a command does harm.
const (
	stepBytes      = 256 << 10
	wholeStepBytes = 192 << 10
)

// step is one of the next steps. The first is unfolded.
type step struct {
	steps.Step
	Number int
	Open   bool
	// TooLong are its commands: for so many Instances.
	TooLong   bool
	Instances int

	commands int // how many bytes they take at least
}

// addSteps gives room to those with short commands first, so that a long one takes it
// from no other.
func (v *view) addSteps(templates *template.Template) error {
	whole, brief := newPart(templates, wholeStepBytes), newPart(templates, stepBytes-wholeStepBytes)
	rendered := make([]template.HTML, len(v.Report.Steps))
	for _, s := range shortestFirst(v.Report.Steps) {
		var err error
		if rendered[s.Number-1], err = s.render(whole, brief); err != nil {
			return err
		}
	}
	v.Steps.Total = len(rendered)
	v.Steps.Shown = slices.DeleteFunc(rendered, func(s template.HTML) bool { return s == "" })
	v.Steps.More = v.Steps.Total - len(v.Steps.Shown)
	return nil
}

func shortestFirst(all []steps.Step) []step {
	order := make([]step, 0, len(all))
	for i, s := range all {
		one := step{Step: s, Number: i + 1, Open: i == 0}
		for _, w := range slices.Concat(s.Ways, s.Undo) {
			one.commands += len(template.HTMLEscapeString(w.Text))
		}
		order = append(order, one)
	}
	slices.SortStableFunc(order, func(a, b step) int { return cmp.Compare(a.commands, b.commands) })
	return order
}

// render returns nothing if there is no room at all.
func (s step) render(whole, brief *part) (template.HTML, error) {
	if s.commands <= whole.room {
		if rendered, fits, err := whole.fit(s, "step.html"); fits || err != nil {
			return rendered, err
		}
	}
	if len(s.Title)+len(s.Text)+len(s.Warning) > brief.room {
		return "", nil
	}
	s.TooLong, s.Instances = true, instancesIn(s.Ways)
	rendered, _, err := brief.fit(s, "step.html")
	return rendered, err
}

// instancesIn is how many instances commands name.
func instancesIn(ways []steps.Way) int {
	ids := map[string]bool{}
	for _, w := range ways {
		for _, word := range strings.FieldsFunc(w.Text, func(r rune) bool { return r != '-' && (r > 'z' || !isWord(byte(r))) }) {
			if steps.IsInstanceID(word) {
				ids[word] = true
			}
		}
	}
	return len(ids)
}

// piece is a piece of a command. A placeholder stands for what is to be put there.
type piece struct {
	Text        string
	Placeholder bool
}

// marked finds the placeholders in a command. They are words: REGION is none in
// AWS_REGION.
func marked(text string, placeholders []string) (pieces []piece) {
	longest := slices.Clone(placeholders)
	slices.SortFunc(longest, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	plain := 0
	for at := 0; at < len(text); {
		n := placeholderAt(text, at, longest)
		if n == 0 {
			at++
			continue
		}
		if plain < at {
			pieces = append(pieces, piece{Text: text[plain:at]})
		}
		pieces = append(pieces, piece{text[at : at+n], true})
		at += n
		plain = at
	}
	if plain < len(text) {
		pieces = append(pieces, piece{Text: text[plain:]})
	}
	return pieces
}

// placeholderAt is the length of the placeholder that begins there, 0 if none does.
func placeholderAt(text string, at int, placeholders []string) int {
	if at > 0 && isWord(text[at-1]) {
		return 0
	}
	for _, p := range placeholders {
		if after := at + len(p); p != "" && strings.HasPrefix(text[at:], p) && (after == len(text) || !isWord(text[after])) {
			return len(p)
		}
	}
	return 0
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}
