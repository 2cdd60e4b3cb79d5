package output

import "strconv"

// Classes of statuses that a line of several calls tells in the place of a status.
const statusesOther = "other" // no status of HTTP (RFC 9110, section 15)

// statusClass is a status that says more than its class does of what version 1 means to a
// service, or else the class, as 2xx; empty if there was no answer.
func statusClass(status int) string {
	switch status {
	case 0:
		return ""
	case 400, 401, 403, 404, 405:
		return strconv.Itoa(status)
	}
	if status < 100 || status > 599 {
		return statusesOther
	}
	return strconv.Itoa(status/100) + "xx"
}

// Status is that of the answer, 0 if none was seen. For calls with several of one class it
// is the class's last, as 299, which counts as all of them do.
func (e *Entry) Status() int {
	class := e.IMDS.Folded.Statuses
	switch {
	case e.HTTP.Response.StatusCode != 0 || class == "":
		return e.HTTP.Response.StatusCode
	case len(class) == 3 && '1' <= class[0] && class[0] <= '5':
		return int(class[0]-'0')*100 + 99
	}
	return 999
}

// StatusText is the status, or the class of several; empty if there was no answer.
func (e *Entry) StatusText() string {
	if status := e.HTTP.Response.StatusCode; status != 0 {
		return strconv.Itoa(status)
	}
	return e.IMDS.Folded.Statuses
}
