// Package output turns calls and what is known of their processes into what
// people and programs read: log entries, lines on a terminal, and the summary
// at the end of a run. No secret reaches any of them.
package output

import "imds-analyzer/diagnosis"

// Record is a call to the metadata service, and the process that made it and
// what that belongs to, as far as it is known.
type Record struct {
	diagnosis.Evidence
	// Diagnosis is what was found out of the call, beside others.
	Diagnosis diagnosis.Diagnosis
	// Sequence is the number of the call in its capture, from 1 on; 0 if it has none.
	Sequence uint64
}
