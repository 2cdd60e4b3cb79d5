package output

import (
	"cmp"
	"slices"
	"strconv"
)

// Limits of what stands in a message, in characters: the longest of the
// documented categories have about 120. A pod's namespace and its container
// have 63 at most (RFC 1123 labels), and its name is seldom longer.
const (
	maxMessagePath = 160
	maxMessageName = 200
)

// message says in one sentence, fit for a terminal, what the entry says.
func message(e *Entry) string { return Sanitize(string(appendMessage(nil, e))) }

// appendMessage is message before it is made fit.
func appendMessage(text []byte, e *Entry) []byte {
	text = append(text, kind(e)...)
	if e.HTTP.Request.Method != "" {
		text = appendAll(text, " ", e.HTTP.Request.Method, " ", cut(e.URL.Path, maxMessagePath))
	}
	text = appendAnswer(append(text, ", "...), e)
	return appendWho(append(text, ", "...), e)
}

// addToMessage has the message say more than it does of each call.
func (e *Entry) addToMessage(text string) { e.Message = cmp.Or(e.Message, message(e)) + text }

// writeMessage makes the message in its place in the line, if it is that of each call.
func (e *Entry) writeMessage(w *jsonWriter) {
	if e.Message != "" {
		w.text("message", e.Message)
		return
	}
	w.name("message")
	start := len(w.line)
	w.line = appendMessage(append(w.line, '"'), e)
	if text := w.line[start+1:]; slices.ContainsFunc(text, func(c byte) bool { return !isPlain(c) }) {
		w.line = append(appendString(w.line[:start], Sanitize(string(text))), ',')
		return
	}
	w.line = append(w.line, '"', ',')
}

func appendAll(text []byte, parts ...string) []byte {
	for _, part := range parts {
		text = append(text, part...)
	}
	return text
}

func kind(e *Entry) string {
	switch e.Event.Action {
	case actionV1:
		return "IMDSv1 request"
	case actionV2:
		return "IMDSv2 request"
	case actionToken:
		return "IMDSv2 token request"
	}
	return "IMDS request of unknown version (" + e.IMDS.Incomplete + ")"
}

func answer(e *Entry) string { return string(appendAnswer(nil, e)) }

func appendAnswer(text []byte, e *Entry) []byte {
	switch {
	case e.IMDS.Folded.Statuses != "":
		return appendAll(text, "several statuses (", e.IMDS.Folded.Statuses, ")")
	case e.HTTP.Response.StatusCode != 0:
		return strconv.AppendInt(append(text, "status "...), int64(e.HTTP.Response.StatusCode), 10)
	case e.Event.Outcome == outcomeFailure:
		return append(text, "reset by the service"...)
	}
	return append(text, "no answer seen"...)
}

// appendWho names the process and its owner, or the client's address if they are
// not known.
func appendWho(text []byte, e *Entry) []byte {
	if e.Process.PID == 0 {
		text = appendEndpoint(append(text, "from "...), e.Source)
	} else {
		text = appendAll(text, "by ", cut(programName(e), maxMessageName), " (pid ", strconv.Itoa(e.Process.PID), ")")
	}
	return append(text, cut(ownerOf(&e.WorkloadFields).in(), maxMessageName)...)
}
