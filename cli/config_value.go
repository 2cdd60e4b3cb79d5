package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
	"github.com/spf13/pflag"
)

// textsOf is a value of a configuration as the flag takes it on the command line, several
// of a list. Words say why the flag does not take it.
func textsOf(value ast.Node, flag *pflag.Flag) (texts []string, words string) {
	wants := kindOf(flag)
	list, ok := value.(*ast.SequenceNode)
	if !ok {
		text, ok := wants.text(value)
		return []string{text}, unless(ok, wants)
	}
	if !wants.several || len(list.Values) == 0 {
		return nil, unless(false, wants)
	}
	for _, element := range list.Values {
		text, ok := wants.text(element)
		if !ok {
			return nil, unless(false, wants)
		}
		texts = append(texts, text)
	}
	return texts, ""
}

func unless(ok bool, wants kind) string {
	if ok {
		return ""
	}
	return "has to be " + wants.words
}

// What values have to be.
const (
	truthWords    = "true or false"
	wholeNumber   = "a whole number"
	durationWords = "a time such as 90s or 24h, or 0"
)

// kind is what values a flag takes.
type kind struct {
	words                string // that say it
	truth, number, texts bool   // YAML's booleans, integers and strings
	several              bool   // also a list of them
}

// kindOf tells a flag's kind by its type. What is neither of the usual ones reads its
// value itself, such as a time or a size.
func kindOf(flag *pflag.Flag) kind {
	if _, list := flag.Value.(pflag.SliceValue); list {
		return kind{words: "a text in one line, or a list of such texts with one at least; numbers between quotation marks", texts: true, several: true}
	}
	switch flag.Value.Type() {
	case "bool":
		return kind{words: truthWords, truth: true}
	case "uint64":
		return kind{words: wholeNumber, number: true}
	case "int", "uint":
		return kind{words: wholeNumber, number: true, texts: true}
	case "string":
		return kind{words: "a text in one line; a number between quotation marks", texts: true}
	case "duration":
		return kind{words: durationWords, number: true, texts: true}
	}
	return kind{words: "a text or a number", number: true, texts: true}
}

// text is a value in one line, if it is of the kind.
func (k kind) text(value ast.Node) (text string, ok bool) {
	switch v := value.(type) {
	case *ast.BoolNode:
		return strconv.FormatBool(v.Value), k.truth
	case *ast.IntegerNode: // as it is written: the flag reads it as on the command line
		return v.Token.Value, k.number
	case *ast.StringNode:
		return v.Value, k.texts && inOneLine(v.Token)
	}
	return "", false
}

// inOneLine reports whether a text has no line end between its first letter and its last.
func inOneLine(t *token.Token) bool { return !strings.ContainsAny(strings.TrimSpace(t.Origin), "\r\n") }

// reasonFor is why a flag does not take a text, without what the text was. What Go's packages
// say of numbers and times names their functions and layouts, which are nobody's words.
func reasonFor(err error, flag *pflag.Flag) string {
	if errors.Is(err, strconv.ErrRange) {
		return "it is out of range"
	}
	if words := wantedBy(flag.Value.Type()); words != "" {
		return "it has to be " + words
	}
	if invalid := (*pflag.InvalidValueError)(nil); errors.As(err, &invalid) && invalid.Unwrap() != nil {
		err = invalid.Unwrap()
	}
	return err.Error()
}

// wantedBy is what a flag of a type takes; nothing of types that say so themselves.
func wantedBy(valueType string) string {
	switch valueType {
	case "bool":
		return truthWords
	case "int":
		return wholeNumber
	case "uint", "uint64":
		return wholeNumber + ", 0 or more"
	case "float64":
		return "a number"
	case "duration":
		return durationWords
	case "time":
		return "a day such as 2026-11-20, or a time with its zone such as 2026-11-20T08:00:00+01:00 or 2026-11-20T08:00:00Z"
	}
	return ""
}

// valueError says in words for people why a flag of the command line does not take its value.
func valueError(err error) error {
	invalid := (*pflag.InvalidValueError)(nil)
	if !errors.As(err, &invalid) {
		return err
	}
	flag := invalid.GetFlag()
	return fmt.Errorf("--%s cannot be %q: %s", flag.Name, invalid.GetValue(), reasonFor(err, flag))
}
