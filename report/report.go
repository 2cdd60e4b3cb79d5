package report

import (
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"imds-analyzer/report/steps"
)

// Report is what the evidence says. Its JSON is described in docs/report.md.
type Report struct {
	Verdict Verdict `json:"verdict"`
	Calls   Calls   `json:"calls"`
	// Programs are those that called version 1, or may have, the most calls first;
	// V2Programs those that did not.
	Programs   []Program   `json:"programs"`
	V2Programs []V2Program `json:"v2_programs"`
	// OtherPrograms are the calls of programs beyond those that are told apart.
	OtherPrograms *Calls `json:"other_programs,omitempty"`
	Hosts         []Host `json:"hosts"`
	// Ready are the ids of instances on which version 2 can be required now.
	Ready []string `json:"ready_instances"`
	// Timeline is of all hosts together; nil if no call has a time, and nothing is marked.
	Timeline *Timeline `json:"timeline,omitempty"`
	// Inventory is nil if no list of instances was given.
	Inventory *Inventory `json:"inventory,omitempty"`
	// Steps are what is to be done next.
	Steps    []steps.Step `json:"next_steps,omitempty"`
	Inputs   Inputs       `json:"inputs"`
	Criteria Criteria     `json:"criteria"`
	// Note says what has the last word on metadata options.
	Note string `json:"note"`
}

// Calls are numbers of calls by version.
type Calls = calls

// Criteria are the Options by which the verdict was given.
type Criteria struct {
	MinDays float64  `json:"min_days"`
	NoBoot  bool     `json:"no_boot"`
	Ignore  []string `json:"ignore"`
	// Since is the time from which on calls count, and observation.
	Since time.Time `json:"since,omitzero"`
}

// Program is what the report says of a program that called version 1, or may have.
type Program struct {
	Name       string `json:"name"`
	Kind       string `json:"kind,omitempty"` // of the owner: pod, task, container or unit
	Owner      string `json:"owner,omitempty"`
	Executable string `json:"executable,omitempty"`
	Script     string `json:"script,omitempty"`
	// ExecutableElsewhere: the executable is not the host's file of that name.
	ExecutableElsewhere bool     `json:"executable_elsewhere,omitempty"`
	UserAgents          []string `json:"user_agents,omitempty"`
	Software            Software `json:"software,omitzero"`
	Packages            []string `json:"packages,omitempty"`
	Containers          []string `json:"containers,omitempty"` // by name
	Images              []string `json:"images,omitempty"`     // of containers
	// CommandLine is the latest, Ancestors are what its parent runs, the parent's, and so
	// on.
	CommandLine string   `json:"command_line,omitempty"`
	Ancestors   []string `json:"ancestors,omitempty"`
	// Hosts is the number of hosts, HostNames the names of those with most calls of
	// version 1.
	Hosts     int      `json:"hosts"`
	HostNames []string `json:"host_names"`
	Calls     Calls    `json:"calls"`
	// Blocking are its calls of version 1 that would not succeed any more, Refused those
	// of them that did not, as version 1 was off.
	Blocking uint64 `json:"blocking"`
	Refused  uint64 `json:"refused"`
	Ignored  bool   `json:"ignored"`
	// Before are calls that would be in the way, or could be, and are from before
	// Criteria.Since. NotSince: it has such calls, and none since.
	Before   uint64 `json:"before_since,omitempty"`
	NotSince bool   `json:"not_since,omitempty"`
	// Answers are those to calls of version 1; Paths, First and Last are those of
	// them and of unknown calls.
	Answers []Counted `json:"answers"`
	Paths   []Counted `json:"paths"`
	// MorePaths are calls to paths that are not listed.
	MorePaths uint64    `json:"more_paths,omitempty"`
	First     time.Time `json:"first,omitzero"`
	Last      time.Time `json:"last,omitzero"`
	// Credentials are calls that got a role's credentials over version 1.
	Credentials uint64     `json:"credentials"`
	Findings    []Counted  `json:"findings"`
	Fallbacks   []Fallback `json:"fallbacks"`
	HopLimits   HopLimits  `json:"hop_limits,omitzero"` // of answers with a token
	Causes      []Cause    `json:"causes"`

	shares []share
	counts bool // some of its calls are in the way, or may be, unless it is ignored
}

// HopLimits are those that were seen, and the greatest that was needed.
type HopLimits = hopLimits

// V2Program is a program that only calls version 2.
type V2Program struct {
	Name          string `json:"name"`
	Calls         uint64 `json:"calls"`
	TokenRequests uint64 `json:"token_requests"`
	Hosts         int    `json:"hosts"`
}

// Host is what the report says of a host.
type Host struct {
	Name     string          `json:"name"`
	Hostname string          `json:"hostname,omitempty"`
	Instance string          `json:"instance,omitempty"`
	Region   string          `json:"region,omitempty"`
	Verdict  Verdict         `json:"verdict"`
	Calls    Calls           `json:"calls"`
	Blocking uint64          `json:"blocking"`
	Refused  uint64          `json:"refused"`
	Observed Observed        `json:"observed"`
	Options  InstanceOptions `json:"options"`
	Service  ServiceNumbers  `json:"service"`
	// Listed is nil if the host is in no list of instances.
	Listed *Listed `json:"listed,omitempty"`
	// Timeline is nil if no call has a time, and nothing is marked.
	Timeline *Timeline `json:"timeline,omitempty"`

	of     *host
	others bool
}

// Others says that this is no one host: it stands for all that are not told apart.
func (h *Host) Others() bool { return h.others }

// Observed is when the host was observed.
type Observed struct {
	Sessions uint64  `json:"sessions"`
	Days     float64 `json:"days"` // overlapping sessions count once
	span
	// Doubtful are the sessions of which not all time is in Days.
	Doubtful uint64 `json:"doubtful,omitempty"`
	// Boots and Shutdowns are those that were observed, with the latest times.
	Boots     moments `json:"boots"`
	Shutdowns moments `json:"shutdowns"`
	counts
}

// ServiceNumbers are what the metadata service counts, too, by periods of five
// minutes: in CloudWatch they are MetadataNoToken and MetadataNoTokenRejected.
type ServiceNumbers struct {
	NoToken  uint64 `json:"metadata_no_token"`
	Rejected uint64 `json:"metadata_no_token_rejected"`
	// NotFound are calls without a token that were answered 404. It is not documented
	// whether MetadataNoToken counts them.
	NotFound uint64 `json:"no_token_404"`
	// Periods are the latest that have any; Highest is that of most.
	Periods []Period `json:"periods"`
	Highest *Period  `json:"highest,omitempty"`
}

// Period is five minutes.
type Period struct {
	Start    time.Time `json:"start"`
	NoToken  uint64    `json:"metadata_no_token"`
	Rejected uint64    `json:"metadata_no_token_rejected"`
	NotFound uint64    `json:"no_token_404"`
}

// JSON writes the report as one JSON document, part by part: of a thousand hosts it is
// long, and encoding/json would have all of it in memory twice.
func (r *Report) JSON(w io.Writer) error {
	err := json.MarshalWrite(w, r, jsonv1.DefaultOptionsV1(), jsontext.WithIndent("  "), jsontext.EscapeForHTML(false))
	if err == nil {
		_, err = io.WriteString(w, "\n")
	}
	if err != nil {
		return fmt.Errorf("cannot write the report: %w", err)
	}
	return nil
}
