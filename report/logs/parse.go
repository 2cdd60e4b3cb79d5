package logs

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

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
// editors begin files with, and zeros.
const margin = " \t\r\n\ufeff" + zero

// zero is what file systems leave in the place of what was not on the disk when the
// power failed.
const zero = "\x00"

var (
	errZeros  = errors.New("it has zeros, as they are left in the place of what was lost")
	errBinary = errors.New("it holds bytes that are neither an entry nor text")
	errWhere  = errors.New("it holds an entry where none is looked for: unpack it before")
)

// anEntry finds an entry wherever it is, in whatever has quoted it.
var anEntry = regexp.MustCompile(`dataset\\*"\s*:\s*\\*"imds\.(call|capture)\\*"`)

// parseNth is parse for a log's line of that number. Zeros before an entry are no loss
// in the first: a file begins with them that was emptied while it was written
// (logrotate(8), copytruncate), as the writer goes on where it was, with a whole line.
func parseNth(n int, line []byte, e *output.Entry) (kind, *output.Lifecycle, error) {
	k, l, err := parse(line, e)
	if n == 1 && errors.Is(err, errZeros) && (k == call || k == capture) {
		return parse(bytes.TrimLeft(line, zero), e)
	}
	return k, l, err
}

// parse finds out what a line holds: a call is decoded into e. An error says why the
// line, or the entry in it, is malformed; with another kind, that there are zeros besides.
// No entry goes for the line of another program, or calls would be missing unnoticed.
func parse(line []byte, e *output.Entry) (kind, *output.Lifecycle, error) {
	k, l, err := parseTrimmed(line, e, maxWrapped)
	if k == notOurs && anEntry.Match(line) {
		return malformed, nil, errWhere
	}
	return k, l, err
}

// parseTrimmed passes over what is around the text of a line. An entry is read whatever
// zeros there are before or behind it.
func parseTrimmed(line []byte, e *output.Entry, wrapped int) (kind, *output.Lifecycle, error) {
	k, l, err := parseText(bytes.Trim(line, margin), e, wrapped)
	if err == nil && bytes.Contains(line, []byte(zero)) {
		err = errZeros
	}
	return k, l, err
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
	if syntax := syntaxOf(text, err); syntax != nil {
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

// unmarshal reads the JSON of others, in which an object may have a name twice (RFC 8259,
// section 4), as some logging libraries write it. No entry has.
func unmarshal(text []byte, to any) error {
	return json.Unmarshal(text, to, jsontext.AllowDuplicateNames(true))
}

// syntaxOf is what keeps a text from being JSON, after an error in decoding it; nil if
// nothing does.
func syntaxOf(text []byte, err error) *jsontext.SyntacticError {
	if errors.Is(err, jsontext.ErrDuplicateName) {
		err = unmarshal(text, &struct{}{})
	}
	syntax := (*jsontext.SyntacticError)(nil)
	errors.As(err, &syntax)
	return syntax
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
	if unmarshal(text, &line) != nil {
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
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return errors.New("it has a field twice, which no entry has")
	}
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
	if wrapped == 0 || unmarshal(text, &w) != nil {
		return notOurs, nil, nil
	}
	if w.Journal.Kind() == 'n' && string(w.Identifier) == programName {
		return malformed, nil, errOmitted
	}
	for _, value := range []jsontext.Value{w.Log, w.Message, w.Journal} {
		inner, err := jsontext.AppendUnquote(nil, value)
		if err == nil && mayBeEntry(inner) {
			return parseTrimmed(inner, e, wrapped-1)
		}
	}
	return notOurs, nil, nil
}

// entryBegin is how an entry begins, as the program writes it.
const entryBegin = `{"@timestamp":`

// mayBeEntry reports whether a text that was wrapped begins as an entry does, with zeros in
// the place of one, or with what others put before one: Fluent Bit that is not told that it
// reads lines of the Container Runtime Interface passes on the fields before them, too, and
// Filebeat those of syslog.
func mayBeEntry(text []byte) bool {
	begins := bytes.TrimLeft(text, margin)
	before := text[:min(len(text), maxPrefix+len(entryBegin))]
	return bytes.HasPrefix(begins, []byte{'{'}) || bytes.HasPrefix(text, []byte(zero)) || bytes.Contains(before, []byte(entryBegin))
}

// parsePrefixed finds out what a line holds that does not begin with an entry. What is
// none may be a line that was lost, unless it is text: others write that.
func parsePrefixed(text []byte, e *output.Entry, wrapped int) (kind, *output.Lifecycle, error) {
	k, l, err := parseBehind(text, e, wrapped)
	if k == notOurs && !isText(text) {
		return malformed, nil, errBinary
	}
	return k, l, err
}

// parseBehind looks for an entry behind what others have put before it. Text without
// a brace or a quotation mark, as the program's own words for people, is no part of
// an entry; what begins in the middle of one is malformed.
func parseBehind(text []byte, e *output.Entry, wrapped int) (kind, *output.Lifecycle, error) {
	start := bytes.IndexByte(text[:min(len(text), maxPrefix)], '{')
	if start < 0 {
		if bytes.ContainsAny(text, `{}"`) {
			return malformed, nil, errors.New("it is no JSON object")
		}
		return notOurs, nil, nil
	}
	k, l, err := parseText(text[start:], e, wrapped)
	if err != nil && jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true)) { // a list
		return notOurs, nil, nil
	}
	return k, l, err
}

// isText reports whether it is UTF-8 without control characters, but for tabs, carriage
// returns, and the escapes that colours begin with.
func isText(line []byte) bool {
	return utf8.Valid(line) && !bytes.ContainsFunc(line, isControl)
}

func isControl(r rune) bool {
	return r < ' ' && r != '\t' && r != '\r' && r != '\x1b' || r == '\x7f'
}
