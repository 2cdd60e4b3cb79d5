package output

import (
	"strconv"

	"imds-analyzer/diagnosis"
)

// why says what was found out of a call, in words for people. The status with which
// the token request was refused belongs to the fallback.
func why(e *Entry, id string) string {
	reason := diagnosis.Finding(id).Title()
	if status := e.IMDS.Fallback.StatusCode; status > 0 && diagnosis.Finding(id) == diagnosis.FallbackRefused {
		reason += " with " + strconv.Itoa(status)
	}
	return reason
}
