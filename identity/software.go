package identity

import "imds-analyzer/attribution"

// software says what a process runs.
func (i *Identifier) software(p *attribution.Process) Software {
	return Software{Script: scriptOf(p)}
}
