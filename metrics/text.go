package metrics

import (
	"strconv"
	"strings"
)

// ContentType is that of the text (Prometheus, Exposition formats, "Text-based format").
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// kind is the type of a metric family.
type kind string

const (
	counter kind = "counter"
	gauge   kind = "gauge"
)

// text is the text format of Prometheus, version 0.0.4. All samples of a family follow
// each other, behind its help and type.
type text struct {
	out  []byte
	name string
}

// family begins one. The help holds no backslashes and line feeds, which would have to be
// escaped.
func (t *text) family(name string, k kind, help string) {
	t.name = "imds_analyzer_" + name
	t.line("# HELP ", t.name, " ", help)
	t.line("# TYPE ", t.name, " ", string(k))
}

// count appends a sample of the family with the labels, names and values by turns.
func (t *text) count(value uint64, labels ...string) {
	t.sample(strconv.FormatUint(value, 10), labels)
}

// seconds appends a time as seconds since 1970, or a duration, to the millisecond.
func (t *text) seconds(milliseconds int64) {
	t.sample(strconv.FormatFloat(float64(milliseconds)/1e3, 'f', 3, 64), nil)
}

func (t *text) sample(value string, labels []string) {
	set := ""
	for i := 0; i+1 < len(labels); i += 2 {
		if set != "" {
			set += ","
		}
		set += labels[i] + `="` + escapeLabel(labels[i+1]) + `"`
	}
	if set != "" {
		set = "{" + set + "}"
	}
	t.line(t.name, set, " ", value)
}

func (t *text) line(parts ...string) {
	for _, part := range parts {
		t.out = append(t.out, part...)
	}
	t.out = append(t.out, '\n')
}

// escapeLabel makes a label's value of text that is UTF-8: of all characters these three
// have to be escaped.
func escapeLabel(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s)
}
