package logs

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"imds-analyzer/output"
)

// kind is what a line is.
type kind uint8

const (
	blank kind = iota
	notOurs
	call
	capture
	malformed
)

const (
	// maxPrefix bounds in bytes what may stand before an entry in its line: time,
	// host and program by syslog, or the fields of the Container Runtime Interface.
	maxPrefix = 256
	// maxWrapped is how often an entry can be wrapped: by a container's runtime, and
	// again by what ships that one's logs.
	maxWrapped = 2
)

// margin is what is no part of a line: line ends, blanks, the byte order mark that some
// editors begin files with, and the zero bytes that a file begins with which was
// emptied while it was written (logrotate(8), copytruncate).
const margin = " \t\r\n\x00\ufeff"

// parse finds out what a line holds: a call is decoded into e. An error says why the
// line, or the entry in it, is malformed.
func parse(line []byte, e *output.Entry) (kind, *output.Lifecycle, error) {
	return parseText(bytes.Trim(line, margin), e, maxWrapped)
}

func parseText(text []byte, e *output.Entry, wrapped int) (kind, *output.Lifecycle, error) {
	switch {
	case len(text) == 0:
		return blank, nil, nil
	case text[0] != '{':
		return parsePrefixed(text, e, wrapped)
	}
	*e = output.Entry{}
	err := json.Unmarshal(text, e)
	if syntax := (*jsontext.SyntacticError)(nil); errors.As(err, &syntax) {
		return malformed, nil, explain(syntax)
	}
	switch datasetOf(text, e, err) {
	case output.DatasetCall:
		return checkCall(e, err)
	case output.DatasetCapture:
		return parseLifecycle(text)
	}
	return parseWrapped(text, e, wrapped)
}

// explain says what is wrong in the words of the log. What the line holds there is not
// shown: it was written by anybody.
func explain(err *jsontext.SyntacticError) error {
	return fmt.Errorf("it is no whole JSON object: that ends at byte %d", err.ByteOffset)
}

// datasetOf tells whose line it is. Others may have other things in the fields of an
// entry, so that decoding it fails.
func datasetOf(text []byte, e *output.Entry, err error) string {
	if err == nil {
		return e.Event.Dataset
	}
	var line struct {
		Event struct {
			Dataset string `json:"dataset"`
		} `json:"event"`
	}
	if json.Unmarshal(text, &line) != nil {
		return ""
	}
	return line.Event.Dataset
}

// checkCall makes sure that there is what every call has.
func checkCall(e *output.Entry, err error) (kind, *output.Lifecycle, error) {
	switch {
	case err != nil:
		return malformed, nil, misfit(err)
	case e.IMDS.Version != "v1" && e.IMDS.Version != "v2" && e.IMDS.Version != "unknown":
		return malformed, nil, errors.New("it is a call without imds.version")
	case !counts(e):
		return malformed, nil, errors.New("imds.folded.calls is more than a capture has counted by then")
	}
	return call, nil, nil
}

// maxCalls is more than any capture has: what a line says beyond it was not counted.
const maxCalls = 1 << 53

// counts reports whether an entry can stand for as many calls as it says: its number is that
// of the latest of them.
func counts(e *output.Entry) bool {
	n := e.IMDS.Folded.Calls
	return n <= maxCalls && (e.Event.Sequence == 0 || n <= e.Event.Sequence)
}

func parseLifecycle(text []byte) (kind, *output.Lifecycle, error) {
	l := new(output.Lifecycle)
	if err := json.Unmarshal(text, l); err != nil {
		return malformed, nil, misfit(err)
	}
	return capture, l, nil
}

// misfit names the field that does not hold what it should.
func misfit(err error) error {
	if semantic := (*json.SemanticError)(nil); errors.As(err, &semantic) && semantic.JSONPointer != "" {
		field := strings.ReplaceAll(strings.TrimPrefix(string(semantic.JSONPointer), "/"), "/", ".")
		return fmt.Errorf("%s holds something else than in an entry", field)
	}
	return errors.New("a field holds something else than in an entry")
}

// wrapping is how others pass on a line that they have read: as the log of docker's
// json-file driver, the message of Filebeat, Vector or Fluent Bit, or the MESSAGE of
// journald (systemd.journal-fields(7)).
type wrapping struct {
	Log        jsontext.Value `json:"log"`
	Message    jsontext.Value `json:"message"`
	Journal    jsontext.Value `json:"MESSAGE"`
	Identifier jsontext.Value `json:"SYSLOG_IDENTIFIER"`
}

// programName is by which journald knows the program.
const programName = `"imds-analyzer"`

// errOmitted: journalctl leaves out what is longer than 4 KiB in its JSON.
var errOmitted = errors.New("the journal has left out its MESSAGE, which is long: use journalctl -o cat, or --all")

func parseWrapped(text []byte, e *output.Entry, wrapped int) (kind, *output.Lifecycle, error) {
	var w wrapping
	if wrapped == 0 || json.Unmarshal(text, &w) != nil {
		return notOurs, nil, nil
	}
	if w.Journal.Kind() == 'n' && string(w.Identifier) == programName {
		return malformed, nil, errOmitted
	}
	for _, value := range []jsontext.Value{w.Log, w.Message, w.Journal} {
		inner, err := jsontext.AppendUnquote(nil, value)
		if inner = bytes.Trim(inner, margin); err == nil && bytes.HasPrefix(inner, []byte{'{'}) {
			return parseText(inner, e, wrapped-1)
		}
	}
	return notOurs, nil, nil
}

// parsePrefixed looks for an entry behind what others have put before it. Text without
// a brace or a quotation mark, as the program's own words for people, is no part of
// an entry; what begins in the middle of one is malformed.
func parsePrefixed(text []byte, e *output.Entry, wrapped int) (kind, *output.Lifecycle, error) {
	start := bytes.IndexByte(text[:min(len(text), maxPrefix)], '{')
	if start < 0 {
		if bytes.ContainsAny(text, `{}"`) {
			return malformed, nil, errors.New("it is no JSON object")
		}
		return notOurs, nil, nil
	}
	k, l, err := parseText(text[start:], e, wrapped)
	if err != nil && jsontext.Value(text).IsValid() { // a list
		return notOurs, nil, nil
	}
	return k, l, err
}
