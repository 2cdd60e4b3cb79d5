package page

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"imds-analyzer/report"
)

// words are what templates say things with.
func words() template.FuncMap {
	return template.FuncMap{
		"number":   number[uint64],
		"count":    number[int],
		"plural":   pluralOf,
		"instant":  instant,
		"since":    report.SinceText,
		"days":     report.DaysText,
		"day":      day,
		"hosts":    hosts,
		"noun":     noun,
		"reason":   reason,
		"marked":   marked,
		"share":    share,
		"sentence": sentence,
		"grouping": grouping,
	}
}

// number has a comma between each three digits.
func number[N int | uint64](n N) string {
	digits := strconv.FormatUint(uint64(n), 10)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// plural is a number of things.
func plural[N int | uint64](n N, one, many string) string {
	return number(n) + " " + noun(uint64(n), one, many)
}

// pluralOf is plural for templates, in which numbers are of several types.
func pluralOf(n any, one, many string) string {
	switch n := n.(type) {
	case int:
		return plural(n, one, many)
	case uint64:
		return plural(n, one, many)
	}
	return fmt.Sprint(n) + " " + many
}

// instant is a time to the minute.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// day is that of a time.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// noun is the word for so many.
func noun(n uint64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// share is a part of all in percent, for lengths.
func share(part, all int) float64 { return percent(float64(part), float64(all)) }

// sentence makes one of a text that is none. Words that are no plain ones, such as a
// version or a setting, stay as they are, and so does the name that it begins with:
// a capital letter or a full stop would make something else of them.
func sentence(text, name string) string {
	first, _, _ := strings.Cut(text, " ")
	if isPlain(first) && (name == "" || !strings.HasPrefix(text, name)) {
		letter, size := utf8.DecodeRuneInString(text)
		text = string(unicode.ToUpper(letter)) + text[size:]
	}
	if isPlain(text[strings.LastIndex(text, " ")+1:]) {
		text += "."
	}
	return text
}

func isPlain(word string) bool { return word != "" && !strings.ContainsAny(word, "_.=/0123456789") }

// reason is the id of an item in words.
func reason(id string) string {
	switch id {
	case "v1_calls":
		return "calls without a token"
	case "v1_refused":
		return "calls refused with 401"
	case "observed_time":
		return "observed for too short a time"
	case "no_boot":
		return "no boot observed"
	case "local_responder":
		return "another service answers"
	case "other_hosts":
		return "not told apart"
	}
	return strings.ReplaceAll(id, "_", " ")
}

// grouping is what instances are grouped by.
func grouping(by string) string {
	if tag, ok := strings.CutPrefix(by, "tag:"); ok {
		return "tag " + tag
	}
	switch by {
	case "asg":
		return "auto scaling group"
	case "":
		return "auto scaling group or image"
	}
	return by
}
