package output

import "strconv"

// maxMessagePath bounds the path in a message, in characters. The longest of
// the documented categories have about 120.
const maxMessagePath = 160

// message says in one sentence, fit for a terminal, what the entry says.
func message(e *Entry) string {
	return Sanitize(kind(e) + requestLine(e) + ", " + answer(e) + ", " + caller(e))
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

func requestLine(e *Entry) string {
	if e.HTTP.Request.Method == "" {
		return ""
	}
	return " " + e.HTTP.Request.Method + " " + cut(e.URL.Path, maxMessagePath)
}

func answer(e *Entry) string {
	switch {
	case e.HTTP.Response.StatusCode != 0:
		return "status " + strconv.Itoa(e.HTTP.Response.StatusCode)
	case e.Event.Outcome == outcomeFailure:
		return "reset by the service"
	}
	return "no answer seen"
}

// caller names the process, or the client's address if it is not known.
func caller(e *Entry) string {
	if e.Process.PID == 0 {
		return "from " + endpoint(e.Source)
	}
	return "by " + processName(&e.Process) + " (pid " + strconv.Itoa(e.Process.PID) + ")"
}
