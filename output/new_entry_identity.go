package output

import (
	"cmp"
	"strings"

	"imds-analyzer/attribution"
	"imds-analyzer/identity"
	"imds-analyzer/imds"
)

// identify fills in what it belongs to, after attribute.
func (c *caller) identify(i *identity.Identity, p *attribution.Process) {
	if *i == (identity.Identity{}) {
		return
	}
	c.workload = workload(&i.Workload)
	c.software = softwarePackage(i.Package)
	if p == nil {
		return
	}
	c.elsewhere = i.Elsewhere
	if !isSecret(i.Script.Name, p.Args, c.process.Args) {
		c.script = script(&i.Script)
	}
	if g := i.Generation; g > 0 && g <= min(len(p.Ancestors), len(c.ancestors)) {
		c.ancestors[g-1].run(&i.Caller, p.Ancestors[g-1].Args)
	}
}

// run fills in the script that an ancestor with these arguments runs.
func (r *Relative) run(caller *identity.Script, args []string) {
	if isSecret(caller.Name, args, imds.RedactArgs(args)) {
		return
	}
	s := script(caller)
	r.Script, r.Package = s.Title(), s.Package
}

func script(s *identity.Script) Script {
	return Script{
		Kind:    string(s.Kind),
		Name:    imds.Redact(s.Name),
		Path:    imds.Redact(s.Path),
		Package: softwarePackage(s.Package),
	}
}

// isSecret reports whether the text is an argument that is a secret by the one
// before it: a program that shares its name with an interpreter has flags of its
// own, and what follows --password is no script's name.
func isSecret(text string, args, redacted []string) bool {
	for i, arg := range args[:min(len(args), len(redacted))] {
		if arg == text && redacted[i] != imds.Redact(text) {
			return true
		}
	}
	return false
}

func workload(w *identity.Workload) WorkloadFields {
	return WorkloadFields{
		Container: Container{
			ID:      identifier(w.Container.ID),
			Runtime: string(w.Container.Runtime),
			Name:    imds.Redact(w.Container.Name),
			Image:   Image{Name: imds.Redact(w.Container.Image)},
		},
		Kubernetes:   Kubernetes{Namespace: imds.Redact(w.Pod.Namespace), Pod: Pod{UID: identifier(w.Pod.UID), Name: imds.Redact(w.Pod.Name)}},
		Orchestrator: task(&w.Task),
		Systemd:      Systemd{Unit: imds.Redact(w.Unit), UserUnit: imds.Redact(w.UserUnit)},
		bounds:       w.Bounds,
	}
}

// taskType is the orchestrator of tasks.
const taskType = "ecs"

// task names a task of Amazon ECS by its ARN, or by its id if that is all that is
// known.
func task(t *identity.Task) Orchestrator {
	if t.ID == "" {
		return Orchestrator{}
	}
	return Orchestrator{
		Type:     taskType,
		Cluster:  OrchestratorCluster{Name: imds.Redact(t.Cluster)},
		Resource: Resource{Type: "task", ID: cmp.Or(taskARN(t.ARN), identifier(t.ID)), Name: imds.Redact(t.Family)},
	}
}

func softwarePackage(p identity.Package) Package {
	return Package{Name: imds.Redact(p.Name), Version: imds.Redact(p.Version), Type: imds.Redact(p.Type)}
}

// identifier returns hexadecimal digits and hyphens as they are. Long random
// strings, which ids are, would be taken for secrets otherwise.
func identifier(id string) string {
	if strings.Trim(id, "0123456789abcdef-") == "" {
		return id
	}
	return imds.Redact(id)
}

// taskARN is the one of a task: its last part is the task's id.
func taskARN(arn string) string {
	id := strings.LastIndexByte(arn, '/') + 1
	if !strings.HasPrefix(arn, "arn:") || strings.Trim(arn[id:], "0123456789abcdef") != "" {
		return imds.Redact(arn)
	}
	return imds.Redact(arn[:id]) + arn[id:]
}
