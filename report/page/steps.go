package page

import (
	"cmp"
	"html/template"
	"slices"
	"strings"

	"imds-analyzer/report"
	"imds-analyzer/report/steps"
)

// stepBytes is room for the next steps, some 60 KiB as a rule; a command that names a
// thousand instances has 20 KiB.
const stepBytes = 256 << 10

// step is one of the next steps. The first is unfolded.
type step struct {
	steps.Step
	Number int
	Open   bool
}

func (v *view) addSteps(templates *template.Template) error {
	room := newPart(templates, stepBytes)
	v.Steps.Total = len(v.Report.Steps)
	for i, s := range v.Report.Steps {
		if err := v.Steps.add(room, step{s, i + 1, i == 0}, report.Calls{}, "step.html"); err != nil {
			return err
		}
	}
	return nil
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
