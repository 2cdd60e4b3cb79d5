package report

import "io"

// Report is what the evidence says. Its JSON is described in docs/report.md.
type Report struct {
	Verdict Verdict `json:"verdict"`
}

// Status is the verdict in a word.
type Status string

// The statuses.
const (
	Ready     Status = "ready"               // version 1 can be switched off
	NotReady  Status = "not_ready"           // something would break
	NotEnough Status = "not_enough_evidence" // nothing was seen that would, but too little was seen
)

// Verdict is whether version 1 can be switched off, and why.
type Verdict struct {
	Status Status `json:"status"`
}

// Print writes the report as text for a terminal.
func (r *Report) Print(w io.Writer) error { return nil }

// JSON writes the report as one JSON document.
func (r *Report) JSON(w io.Writer) error { return nil }
