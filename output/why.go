package output

import (
	"strconv"

	"imds-analyzer/diagnosis"
)

// why lists what was found out of a call, in words for people. The status with which
// the token request was refused belongs to the fallback.
func why(e *Entry) []string {
	var reasons []string
	for _, id := range e.IMDS.Findings {
		reason := diagnosis.Finding(id).Title()
		if status := e.IMDS.Fallback.StatusCode; status > 0 && diagnosis.Finding(id) == diagnosis.FallbackRefused {
			reason += " with " + strconv.Itoa(status)
		}
		reasons = append(reasons, reason)
	}
	return reasons
}
