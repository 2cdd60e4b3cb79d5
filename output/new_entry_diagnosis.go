package output

import "imds-analyzer/diagnosis"

// Diagnose fills in what was found out of the call.
func (e *Entry) Diagnose(d *diagnosis.Diagnosis) {
	for _, f := range d.Findings {
		e.IMDS.Findings = append(e.IMDS.Findings, string(f))
	}
	if d.Fallback != nil {
		e.IMDS.Fallback = Fallback{
			Reason:     string(d.Fallback.Reason),
			StatusCode: d.Fallback.Status,
			Evidence:   string(d.Fallback.Tie),
			Since:      timestamp(d.Fallback.Since),
		}
	}
}
