package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Errors of states.
var (
	ErrState      = errors.New("this is no state file")
	ErrStateNewer = errors.New("the state file was written by a later version")
	ErrStateLate  = errors.New("state files have to be read before logs")
	ErrStateTwice = errors.New("another state file of the same host was read")
)

// State is what a Builder has taken in, to be written to a file.
type State struct {
	updated time.Time
	kept    *kept
}

// What a state file begins with, and which version of the format this is.
const (
	stateKind   = "imds-analyzer-state"
	stateFormat = 1
)

// maxState bounds a state file: that of one host with 1,000 programs takes 2 MiB.
const maxState = 64 << 20

// stateDocument is the JSON of a State. The kind comes first, so that the file is
// known by its beginning.
type stateDocument struct {
	Kind          string         `json:"kind"`
	Format        int            `json:"format"`
	Updated       time.Time      `json:"updated,omitzero"`
	Hosts         []*host        `json:"hosts"`
	OtherHosts    *host          `json:"other_hosts,omitempty"`
	Programs      []*programData `json:"programs"`
	OtherPrograms *programData   `json:"other_programs,omitempty"`
}

// programData is a program with its shares, which name their hosts.
type programData struct {
	program
	Shares []shareData `json:"hosts"`
}

type shareData struct {
	Host      string `json:"host"`
	Calls     uint64 `json:"calls"`
	V1        uint64 `json:"v1,omitempty"`
	Blocking  uint64 `json:"blocking,omitempty"`
	Refused   uint64 `json:"refused,omitempty"`
	Unclear   uint64 `json:"unclear,omitempty"`
	Elsewhere uint64 `json:"elsewhere,omitempty"`
	against
}

// Snapshot returns what was taken in so far, but for what is not of calls and
// captures. The Builder can go on. A capture that still runs is taken to have been
// seen up to its latest line: a line of its progress should be taken in before.
func (b *Builder) Snapshot() *State {
	s := &State{kept: newKept()}
	s.kept.merge(b.kept)
	for _, h := range s.kept.sortedHosts() {
		s.updated = later(s.updated, h.Seen.Last)
		for i := range h.Sessions.Latest {
			s.updated = later(s.updated, h.Sessions.Latest[i].Last)
		}
	}
	return s
}

// Write writes the state as one JSON document.
func (s *State) Write(w io.Writer) error {
	d := stateDocument{
		Kind:       stateKind,
		Format:     stateFormat,
		Updated:    s.updated,
		Hosts:      []*host{},
		OtherHosts: s.kept.otherHosts,
		Programs:   []*programData{},
	}
	for _, h := range s.kept.sortedHosts() {
		if h != s.kept.otherHosts {
			d.Hosts = append(d.Hosts, h)
		}
	}
	for _, p := range s.kept.sortedPrograms() {
		d.Programs = append(d.Programs, newProgramData(p))
	}
	if others := s.kept.otherPrograms; others != nil {
		d.OtherPrograms = newProgramData(others)
	}
	if err := json.NewEncoder(w).Encode(&d); err != nil {
		return fmt.Errorf("cannot write the state: %w", err)
	}
	return nil
}

func newProgramData(p *program) *programData {
	d := &programData{program: *p, Shares: []shareData{}}
	for i := range p.shares {
		s := &p.shares[i]
		d.Shares = append(d.Shares, shareData{s.host.Key, s.calls, s.v1, s.blocking, s.refused, s.unclear, s.elsewhere, s.against})
	}
	slices.SortFunc(d.Shares, func(a, b shareData) int { return cmp.Compare(a.Host, b.Host) })
	return d
}

// IsState says whether a file that begins with these bytes is a state.
func IsState(head []byte) bool {
	tokens := json.NewDecoder(bytes.NewReader(head))
	for _, want := range []json.Token{json.Delim('{'), "kind", stateKind} {
		if got, err := tokens.Token(); err != nil || got != want {
			return false
		}
	}
	return true
}

// ReadState reads what Write wrote. It fails with ErrState for what is none, and with
// ErrStateNewer for a format that it does not know.
func ReadState(r io.Reader) (*State, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxState+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot read the state: %w", err)
	case len(data) > maxState:
		return nil, fmt.Errorf("%w: it has more than %d MiB", ErrState, maxState>>20)
	case !IsState(data):
		return nil, ErrState
	}
	var head struct{ Format int }
	if err := json.Unmarshal(data, &head); err == nil && head.Format > stateFormat {
		return nil, fmt.Errorf("%w: its format is %d", ErrStateNewer, head.Format)
	}
	var d stateDocument
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, fmt.Errorf("%w: it is damaged: %w", ErrState, err)
	}
	return d.state()
}

// state takes in the document as a Builder takes in entries: within all limits, with
// texts tidied and lists in order.
func (d *stateDocument) state() (*State, error) {
	s := &State{updated: utc(d.Updated), kept: newKept()}
	if d.OtherHosts != nil {
		d.OtherHosts.Key = otherHostsKey
		d.Hosts = append(d.Hosts, d.OtherHosts)
	}
	for _, h := range d.Hosts {
		if h == nil {
			return nil, fmt.Errorf("%w: a host is missing", ErrState)
		}
		h.tidy()
		s.kept.host(h.Key).merge(h)
	}
	for _, p := range d.Programs {
		if p == nil {
			return nil, fmt.Errorf("%w: a program is missing", ErrState)
		}
		p.mergeInto(s.kept.program(p.Key), s.kept)
	}
	if o := d.OtherPrograms; o != nil {
		o.mergeInto(s.kept.others(), s.kept)
	}
	return s, nil
}

func (d *programData) mergeInto(p *program, k *kept) {
	d.Example.tidy()
	p.merge(&d.program)
	for _, s := range d.Shares {
		of := inTheWay{s.Blocking, s.Refused, s.Unclear, s.Elsewhere}
		if s.against == (against{}) && of.all() > 0 { // of a version that did not tell
			s.against.add(d.V1.Last)
		}
		p.share(k.host(s.Host)).merge(&share{calls: s.Calls, v1: s.V1, inTheWay: of, against: s.against})
	}
}

// tidy makes what a file says of a host fit to be kept.
func (h *host) tidy() {
	h.Hostname, h.Instance = tidy(h.Hostname), tidy(h.Instance)
	h.Timeline.tidy()
	s := &h.Sessions
	for i := range s.Latest {
		one := &s.Latest[i]
		one.BootID = tidy(one.BootID)
		one.Folding = one.Folding[:min(len(one.Folding), maxFolding)]
	}
	e := &s.Earlier
	e.BootID = tidy(e.BootID)
	e.Time = max(e.Time, 0)
	if e.Earliest.IsZero() { // of a version that did not tell, nor doubt the clock
		e.Earliest = e.Within.First
		if believed(e.Earliest).IsZero() {
			e.Time, e.Within = 0, span{}
		}
	}
	for _, m := range []*moments{&e.Boots, &e.Shutdowns} {
		m.Times = m.Times[max(0, len(m.Times)-maxMoments):]
	}
}
