package output

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// jsonWriter appends members to a line of JSON. What is not known is left out:
// empty texts and lists, the number 0, times that are not set, and objects in
// which nothing is written.
type jsonWriter struct{ line []byte }

// open begins an object; it returns what close is to be given.
func (w *jsonWriter) open(name string) int {
	start := len(w.line)
	if name != "" {
		w.name(name)
	}
	w.line = append(w.line, '{')
	return start
}

// close ends the object that begins at start.
func (w *jsonWriter) close(start int) {
	last := len(w.line) - 1
	if w.line[last] == '{' {
		w.line = w.line[:start]
		return
	}
	w.line[last] = '}' // instead of the last member's comma
	if start > 0 {
		w.line = append(w.line, ',')
	}
}

func (w *jsonWriter) name(name string) {
	w.line = appendName(w.line, name)
}

func appendName(line []byte, name string) []byte {
	line = append(line, '"')
	line = append(line, name...)
	return append(line, '"', ':')
}

func (w *jsonWriter) text(name, value string) {
	if value != "" {
		w.line = append(appendString(appendName(w.line, name), value), ',')
	}
}

func (w *jsonWriter) number(name string, value int) {
	if value != 0 {
		w.integer(name, int64(value))
	}
}

func (w *jsonWriter) integer(name string, value int64) {
	w.name(name)
	w.line = append(strconv.AppendInt(w.line, value, 10), ',')
}

func (w *jsonWriter) count(name string, value uint64) {
	w.name(name)
	w.line = append(strconv.AppendUint(w.line, value, 10), ',')
}

func (w *jsonWriter) some(name string, value uint64) {
	if value > 0 {
		w.count(name, value)
	}
}

func (w *jsonWriter) known(name string, value *uint64) {
	if value != nil {
		w.count(name, *value)
	}
}

func (w *jsonWriter) flag(name string, value *bool) {
	if value != nil {
		w.name(name)
		w.line = append(strconv.AppendBool(w.line, *value), ',')
	}
}

// time writes a time as RFC 3339 has it, with nanoseconds.
func (w *jsonWriter) time(name string, value time.Time) {
	if !value.IsZero() {
		w.name(name)
		w.line = append(w.line, '"')
		w.line = append(value.AppendFormat(w.line, time.RFC3339Nano), '"', ',')
	}
}

func (w *jsonWriter) address(name string, value netip.Addr) {
	if value.IsValid() {
		w.name(name)
		w.line = append(w.line, '"')
		w.line = append(value.AppendTo(w.line), '"', ',')
	}
}

func (w *jsonWriter) list(name string, values []string) {
	if len(values) == 0 {
		return
	}
	w.name(name)
	w.line = append(w.line, '[')
	for _, value := range values {
		w.line = append(appendString(w.line, value), ',')
	}
	w.endList()
}

// texts writes an object of texts, in the order of their names.
func (w *jsonWriter) texts(name string, values map[string]string) {
	if len(values) == 0 {
		return
	}
	w.name(name)
	w.line = append(w.line, '{')
	for _, key := range slices.Sorted(maps.Keys(values)) {
		w.line = append(appendString(w.line, key), ':')
		w.line = append(appendString(w.line, values[key]), ',')
	}
	w.line[len(w.line)-1] = '}' // instead of the last member's comma
	w.line = append(w.line, ',')
}

func (w *jsonWriter) relatives(name string, values []Relative) {
	if len(values) == 0 {
		return
	}
	w.name(name)
	w.line = append(w.line, '[')
	for i := range values {
		values[i].write(w, "")
	}
	w.endList()
}

func (w *jsonWriter) endList() {
	w.line[len(w.line)-1] = ']' // instead of the last element's comma
	w.line = append(w.line, ',')
}
