package report

import (
	"path"

	"imds-analyzer/attribution"
	"imds-analyzer/diagnosis"
)

// fix is what to do about a finding.
func fix(f diagnosis.Finding) string {
	e, _ := diagnosis.Explain(f)
	return e.Fix
}

// lines are those with which a script calls the service with a token.
func lines(p *program) string {
	var process *attribution.Process
	if p.Key.Executable != "" {
		process = &attribution.Process{Executable: p.Key.Executable, Name: path.Base(p.Key.Executable)}
	}
	agents := p.UserAgents.sorted()
	if len(agents) == 0 {
		return diagnosis.Lines(diagnosis.Tool("", process))
	}
	return diagnosis.Lines(diagnosis.Tool(agents[0].Text, process))
}
