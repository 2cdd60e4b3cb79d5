package main

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// filterPattern is a filter pattern of CloudWatch Logs for JSON events, of the parts of its
// language that the examples use: selectors of names, comparisons, IS TRUE, && before ||,
// and parentheses.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-json-log-events.html
type filterPattern func(event any) bool

var (
	patternWord = regexp.MustCompile(`^\s*(\$(?:\.[A-Za-z0-9_-]+)+|&&|\|\||[<>!]?=|[<>(){}]|"[^"]*"|IS TRUE\b|-?[0-9]+(?:\.[0-9]+)?)`)
	selector    = regexp.MustCompile(`^\$`)
)

// patternReader reads a pattern word by word.
type patternReader struct {
	words []string
	err   error // the first
}

func parseFilterPattern(text string) (filterPattern, error) {
	r := &patternReader{}
	for rest := text; strings.TrimSpace(rest) != ""; {
		found := patternWord.FindStringSubmatch(rest)
		if found == nil {
			return nil, fmt.Errorf("not understood: %q", rest)
		}
		r.words, rest = append(r.words, found[1]), rest[len(found[0]):]
	}
	r.expect("{")
	p := r.either()
	r.expect("}")
	if r.err == nil && len(r.words) > 0 {
		r.err = fmt.Errorf("there is more: %q", r.words)
	}
	return p, r.err
}

func (r *patternReader) next() string {
	if len(r.words) == 0 {
		return ""
	}
	word := r.words[0]
	r.words = r.words[1:]
	return word
}

func (r *patternReader) expect(word string) {
	if got := r.next(); got != word && r.err == nil {
		r.err = fmt.Errorf("%q in the place of %q", got, word)
	}
}

// take takes the next word if it is that one.
func (r *patternReader) take(word string) bool {
	if len(r.words) == 0 || r.words[0] != word {
		return false
	}
	r.next()
	return true
}

func (r *patternReader) either() filterPattern {
	p := r.both()
	for r.take("||") {
		a, b := p, r.both()
		p = func(e any) bool { return a(e) || b(e) }
	}
	return p
}

func (r *patternReader) both() filterPattern {
	p := r.term()
	for r.take("&&") {
		a, b := p, r.term()
		p = func(e any) bool { return a(e) && b(e) }
	}
	return p
}

func (r *patternReader) term() filterPattern {
	if r.take("(") {
		p := r.either()
		r.expect(")")
		return p
	}
	name := r.next()
	if !selector.MatchString(name) {
		r.expect("a selector, not " + name)
	}
	path := strings.Split(strings.TrimPrefix(name, "$."), ".")
	if r.take("IS TRUE") {
		return func(e any) bool { return lookUp(e, path) == true }
	}
	compare, operand := r.next(), r.next()
	if text, err := strconv.Unquote(operand); err == nil {
		return r.text(path, compare, text)
	}
	return r.number(path, compare, operand)
}

// text compares with a text, in which * stands for any characters.
func (r *patternReader) text(names []string, compare, operand string) filterPattern {
	if compare != "=" && compare != "!=" {
		r.expect("= or != before a text, not " + compare)
	}
	return func(e any) bool {
		value, isText := lookUp(e, names).(string)
		matched, err := path.Match(operand, value)
		return isText && err == nil && matched == (compare == "=")
	}
}

func (r *patternReader) number(names []string, compare, operand string) filterPattern {
	number, err := strconv.ParseFloat(operand, 64)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%q is no value", operand)
	}
	is, known := map[string]func(v float64) bool{
		"=": func(v float64) bool { return v == number }, "!=": func(v float64) bool { return v != number },
		"<": func(v float64) bool { return v < number }, "<=": func(v float64) bool { return v <= number },
		">": func(v float64) bool { return v > number }, ">=": func(v float64) bool { return v >= number },
	}[compare]
	if !known && r.err == nil {
		r.err = fmt.Errorf("%q compares nothing", compare)
	}
	return func(e any) bool {
		value, isNumber := lookUp(e, names).(float64)
		return isNumber && is(value)
	}
}

// lookUp returns the value at the path, or nil.
func lookUp(event any, names []string) any {
	for _, name := range names {
		fields, _ := event.(map[string]any)
		event = fields[name]
	}
	return event
}

// count returns how many of the lines match.
func (p filterPattern) count(lines []string) (n int) {
	for _, line := range lines {
		var event any
		if json.Unmarshal([]byte(line), &event) == nil && p(event) {
			n++
		}
	}
	return n
}
