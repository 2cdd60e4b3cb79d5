package output

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"imds-analyzer/attribution"
	"imds-analyzer/identity"
	"imds-analyzer/imds"
)

// maxWithoutPackets bounds the callers that are told apart: a host has some ten
// containers whose packets it does not see. Of others their connections are
// counted only.
const maxWithoutPackets = 64

// WithoutPackets is who made connections whose packets were not captured: a
// container or a pod, or else a program.
type WithoutPackets struct {
	WorkloadFields
	Process     Program `json:"process,omitzero"`
	Connections uint64  `json:"connections"`
}

// Program is the field set process of a program, whichever process runs it.
type Program struct {
	Name       string `json:"name,omitempty"`
	Executable string `json:"executable,omitempty"`
}

// newWithoutPackets says who made one such connection. In a container it is not
// told by which of its programs.
func newWithoutPackets(a attribution.Answer, i *identity.Workload) WithoutPackets {
	w := WithoutPackets{WorkloadFields: workload(i), Connections: 1}
	if p := a.Process; p != nil && w.Container.ID == "" {
		w.Process = Program{imds.Redact(p.Name), imds.Redact(p.Executable)}
	}
	return w
}

// owner names who it is.
func (w *WithoutPackets) owner() string {
	o := ownerOf(&w.WorkloadFields)
	switch {
	case o.kind != "" && o.kind != unitOwner:
		return o.kind + " " + o.name
	case w.Process != Program{}:
		return cmp.Or(w.Process.Executable, w.Process.Name) + o.in()
	}
	return "a process that is not known" + o.in()
}

// AddWithoutPackets counts a connection whose packets were not captured. It
// returns who made it if that was not known before, else an empty text.
func (s *Summary) AddWithoutPackets(a attribution.Answer, i *identity.Workload) (owner string) {
	s.withoutPackets++
	w := newWithoutPackets(a, i)
	owner = w.owner()
	if known := s.callersWithoutPackets[owner]; known != nil {
		known.Connections++
		return ""
	}
	if len(s.callersWithoutPackets) == maxWithoutPackets {
		return ""
	}
	s.callersWithoutPackets[owner] = &w
	return owner
}

// listWithoutPackets returns all that are told apart, those with most
// connections first.
func (s *Summary) listWithoutPackets() []WithoutPackets {
	var list []WithoutPackets
	for _, owner := range slices.Sorted(maps.Keys(s.callersWithoutPackets)) {
		list = append(list, *s.callersWithoutPackets[owner])
	}
	slices.SortStableFunc(list, func(a, b WithoutPackets) int { return cmp.Compare(b.Connections, a.Connections) })
	return list
}

// notCaptured are the words of the summary for them.
func (s *Summary) notCaptured() (parts []string) {
	const shown = 5
	list := s.listWithoutPackets()
	for i := range list[:min(shown, len(list))] {
		w := &list[i]
		parts = append(parts, fmt.Sprintf("%s of %s", counted(w.Connections, "connection", "connections"), Sanitize(w.owner())))
	}
	if more := len(list) - shown; more > 0 {
		parts = append(parts, fmt.Sprintf("and those of %d more", more))
	}
	return parts
}

func (w *WithoutPackets) write(j *jsonWriter) {
	start := j.open("")
	w.WorkloadFields.write(j)
	process := j.open("process")
	j.text("name", w.Process.Name)
	j.text("executable", w.Process.Executable)
	j.close(process)
	j.count("connections", w.Connections)
	j.close(start)
}
