package report

import (
	"regexp"
	"slices"
	"strings"

	"imds-analyzer/output"
)

// ignored are the patterns of programs that a person has excluded.
type ignored []func(string) bool

func newIgnored(patterns []string) (all ignored) {
	for _, p := range patterns {
		if matches := pattern(p); matches != nil {
			all = append(all, matches)
		}
	}
	return all
}

// pattern is a part of a text or, with * or ? in it, a shell's pattern for the whole
// of it, in which * stands for slashes, too. An empty one is none. What does not show
// itself, or is no UTF-8, is in it what it is in the texts.
func pattern(p string) func(string) bool {
	p = output.Sanitize(p)
	switch {
	case p == "":
		return nil
	case !strings.ContainsAny(p, "*?"):
		return func(s string) bool { return strings.Contains(s, p) }
	}
	quoted := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(p))
	return regexp.MustCompile("(?s)^" + quoted + "$").MatchString
}

// match says whether one of the patterns is for the program.
func (i ignored) match(p *program) bool {
	if len(i) == 0 {
		return false
	}
	k := &p.Key
	texts := []string{k.Owner, k.UserAgent}
	if k.ofFile() { // whoever was meant by these names, else it is another
		texts = append(texts, k.Executable, k.Script)
	}
	for text := range p.Packages.Counts {
		name, _, _ := strings.Cut(text, " ")
		texts = append(texts, name)
	}
	return slices.ContainsFunc(texts, i.matches) || i.matchAll(&p.Containers)
}

func (i ignored) matches(s string) bool {
	return s != "" && slices.ContainsFunc(i, func(matches func(string) bool) bool { return matches(s) })
}

// matchAll says whether the patterns are for all of the texts: containers of one image
// are one program, and others of them may not be meant.
func (i ignored) matchAll(t *tally) bool {
	for text := range t.Counts {
		if !i.matches(text) {
			return false
		}
	}
	return len(t.Counts) > 0 && t.Others == 0
}
