package output

import (
	"net/netip"
	"time"
)

// ecsVersion is the version of the Elastic Common Schema that entries follow.
const ecsVersion = "8.17.0"

// Entry is the log entry of a call. Its JSON is one line of the log; names
// follow the Elastic Common Schema (https://www.elastic.co/docs/reference/ecs),
// what that has no word for stands under imds. A field whose value is not
// known is left out.
type Entry struct {
	// Timestamp is the capture time of the request's first byte, in UTC.
	Timestamp time.Time `json:"@timestamp,omitzero"`
	LogLevel  string    `json:"log.level"` // dotted, as ECS logging writes it
	// Message is empty if it says no more than the other fields: then it is made of them
	// when the line is written.
	Message     string    `json:"message"`
	ECS         ECS       `json:"ecs"`
	Event       Event     `json:"event"`
	IMDS        IMDS      `json:"imds"`
	HTTP        HTTP      `json:"http,omitzero"`
	URL         URL       `json:"url,omitzero"`
	UserAgent   UserAgent `json:"user_agent,omitzero"`
	Source      Address   `json:"source"`
	Destination Address   `json:"destination"`
	Network     Network   `json:"network"`
	Observer    Observer  `json:"observer,omitzero"`
	Process     Process   `json:"process,omitzero"`
	User        User      `json:"user,omitzero"`
	WorkloadFields
	Package Package `json:"package,omitzero"`
	// Labels are what the command of the user's choice said of the call.
	Labels map[string]string `json:"labels,omitempty"`
	HostFields
	held bool // by a Folder, which a log does not tell
}

// Lifecycle is the log entry of a capture's start, progress or stop.
type Lifecycle struct {
	Timestamp time.Time     `json:"@timestamp,omitzero"`
	LogLevel  string        `json:"log.level"`
	Message   string        `json:"message"`
	ECS       ECS           `json:"ecs"`
	Event     Event         `json:"event"`
	IMDS      LifecycleIMDS `json:"imds"`
	HostFields
	// Embedded is nil in lines that CloudWatch is to make no metrics of.
	*Embedded
}

// ECS is the field set ecs.
type ECS struct {
	Version string `json:"version"`
}

// Event is the field set event. Duration is in nanoseconds.
type Event struct {
	Kind     string    `json:"kind"`
	Category [1]string `json:"category"`
	Type     [1]string `json:"type"`
	Module   string    `json:"module"`
	Dataset  string    `json:"dataset"`
	Action   string    `json:"action"`
	Outcome  string    `json:"outcome,omitempty"`
	Duration *int64    `json:"duration,omitempty"`
	Sequence uint64    `json:"sequence,omitempty"`
}

// IMDS is what ECS has no words for.
type IMDS struct {
	Version             string      `json:"version"`
	TokenRequest        *bool       `json:"token_request,omitempty"`
	TokenTTLSeconds     int         `json:"token_ttl_seconds,omitempty"`
	Credentials         *bool       `json:"credentials,omitempty"`
	ForwardedFor        *bool       `json:"forwarded_for,omitempty"`
	Incomplete          string      `json:"incomplete,omitempty"`
	ResponseTTL         int         `json:"response_ttl,omitempty"`
	ResponseTTLNeeded   int         `json:"response_ttl_needed,omitempty"`
	Server              string      `json:"server,omitempty"`
	Folded              Folded      `json:"folded,omitzero"`
	Findings            []string    `json:"findings,omitempty"`
	Fallback            Fallback    `json:"fallback,omitzero"`
	ExecutableDeleted   bool        `json:"executable_deleted,omitempty"`
	ExecutableElsewhere bool        `json:"executable_elsewhere,omitempty"`
	Attribution         Attribution `json:"attribution"`
	OnBehalfOf          Relative    `json:"on_behalf_of,omitzero"`
	Ancestors           []Relative  `json:"ancestors,omitempty"`
	Script              Script      `json:"script,omitzero"`
}

// Fallback is why a client has gone on without a token.
type Fallback struct {
	Reason     string    `json:"reason,omitempty"`
	StatusCode int       `json:"status_code,omitempty"`
	Evidence   string    `json:"evidence,omitempty"`
	Since      time.Time `json:"since,omitzero"`
}

// Script is what an interpreter runs.
type Script struct {
	Kind    string  `json:"kind,omitempty"`
	Name    string  `json:"name,omitempty"`
	Path    string  `json:"path,omitempty"`
	Package Package `json:"package,omitzero"`
}

// Attribution says how the process was found, or why it was not.
type Attribution struct {
	Status     string     `json:"status"`
	Method     string     `json:"method,omitempty"`
	Candidates []Relative `json:"candidates,omitempty"`
}

// Relative is a process other than the caller: an ancestor, one that shares its
// socket, or one that it acts for.
type Relative struct {
	PID         int    `json:"pid"`
	Name        string `json:"name,omitempty"`
	Executable  string `json:"executable,omitempty"`
	CommandLine string `json:"command_line,omitempty"`
	Script      string `json:"script,omitempty"`
	// Package owns the script's file.
	Package Package `json:"package,omitzero"`
}

// HTTP is the field set http.
type HTTP struct {
	Request  HTTPRequest  `json:"request,omitzero"`
	Version  string       `json:"version,omitempty"`
	Response HTTPResponse `json:"response,omitzero"`
}

// HTTPRequest is the field set http.request.
type HTTPRequest struct {
	Method string `json:"method,omitempty"`
}

// HTTPResponse is the field set http.response.
type HTTPResponse struct {
	StatusCode int `json:"status_code,omitempty"`
}

// URL is the field set url.
type URL struct {
	Original string `json:"original,omitempty"`
	Path     string `json:"path,omitempty"`
	Query    string `json:"query,omitempty"`
	Domain   string `json:"domain,omitempty"`
}

// UserAgent is the field set user_agent.
type UserAgent struct {
	Original string `json:"original,omitempty"`
}

// Address is the field set source or destination.
type Address struct {
	IP   netip.Addr `json:"ip,omitzero"`
	Port uint16     `json:"port"`
}

// Network is the field set network.
type Network struct {
	Type      string `json:"type"`
	Transport string `json:"transport"`
}

// Observer is the field set observer.
type Observer struct {
	Ingress Ingress `json:"ingress,omitzero"`
}

// Ingress is the field set observer.ingress.
type Ingress struct {
	Interface Interface `json:"interface,omitzero"`
}

// Interface is the field set interface.
type Interface struct {
	Name string `json:"name,omitempty"`
}

// Process is the field set process.
type Process struct {
	PID              int       `json:"pid,omitempty"`
	VPID             int       `json:"vpid,omitempty"`
	Name             string    `json:"name,omitempty"`
	Executable       string    `json:"executable,omitempty"`
	Args             []string  `json:"args,omitempty"`
	CommandLine      string    `json:"command_line,omitempty"`
	WorkingDirectory string    `json:"working_directory,omitempty"`
	Start            time.Time `json:"start,omitzero"`
	Parent           Parent    `json:"parent,omitzero"`
}

// Parent is the field set process.parent.
type Parent struct {
	PID         int      `json:"pid,omitempty"`
	Name        string   `json:"name,omitempty"`
	Executable  string   `json:"executable,omitempty"`
	Args        []string `json:"args,omitempty"`
	CommandLine string   `json:"command_line,omitempty"`
}

// User is the field set user.
type User struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

// WorkloadFields are the field sets of what the process is a part of.
type WorkloadFields struct {
	Container    Container    `json:"container,omitzero"`
	Kubernetes   Kubernetes   `json:"kubernetes,omitzero"`
	Orchestrator Orchestrator `json:"orchestrator,omitzero"`
	Systemd      Systemd      `json:"systemd,omitzero"`
	// bounds is identity.Workload's, which a log does not tell.
	bounds string
}

// Container is the field set container.
type Container struct {
	ID      string `json:"id,omitempty"`
	Runtime string `json:"runtime,omitempty"`
	Name    string `json:"name,omitempty"`
	Image   Image  `json:"image,omitzero"`
}

// Image is the field set container.image.
type Image struct {
	Name string `json:"name,omitempty"`
}

// Kubernetes is what the process's pod is called.
type Kubernetes struct {
	Namespace string `json:"namespace,omitempty"`
	Pod       Pod    `json:"pod,omitzero"`
}

// Pod is the field set kubernetes.pod.
type Pod struct {
	UID  string `json:"uid,omitempty"`
	Name string `json:"name,omitempty"`
}

// Orchestrator is the field set orchestrator. It tells of tasks of Amazon ECS.
type Orchestrator struct {
	Type     string              `json:"type,omitempty"`
	Cluster  OrchestratorCluster `json:"cluster,omitzero"`
	Resource Resource            `json:"resource,omitzero"`
}

// OrchestratorCluster is the field set orchestrator.cluster.
type OrchestratorCluster struct {
	Name string `json:"name,omitempty"`
}

// Resource is the field set orchestrator.resource.
type Resource struct {
	Type string `json:"type,omitempty"`
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

// Systemd names the units of systemd.
type Systemd struct {
	Unit     string `json:"unit,omitempty"`
	UserUnit string `json:"user_unit,omitempty"`
}

// Package is the field set package.
type Package struct {
	Name    string `json:"name,omitempty"`
	Version string `json:"version,omitempty"`
	Type    string `json:"type,omitempty"`
}

// HostFields are the field sets of the machine that the entry was written on.
type HostFields struct {
	Host  HostField `json:"host,omitzero"`
	Cloud Cloud     `json:"cloud,omitzero"`
}

// HostField is the field set host.
type HostField struct {
	Hostname string `json:"hostname,omitempty"`
	ID       string `json:"id,omitempty"`
	// Uptime is in seconds.
	Uptime uint64 `json:"uptime,omitempty"`
}

// Cloud is the field set cloud.
type Cloud struct {
	Provider         string   `json:"provider,omitempty"`
	Region           string   `json:"region,omitempty"`
	AvailabilityZone string   `json:"availability_zone,omitempty"`
	Instance         Instance `json:"instance,omitzero"`
}

// Instance is the field set cloud.instance.
type Instance struct {
	ID string `json:"id,omitempty"`
}

// LifecycleIMDS is what ECS has no words for in a Lifecycle.
type LifecycleIMDS struct {
	Capture Capture `json:"capture"`
}

// Capture says what a reader needs to know to trust an empty log.
type Capture struct {
	Interfaces         []string  `json:"interfaces,omitempty"`
	Filter             string    `json:"filter,omitempty"`
	Libpcap            string    `json:"libpcap,omitempty"`
	AttributionMethods []string  `json:"attribution_methods,omitempty"`
	Capabilities       []string  `json:"capabilities,omitempty"`
	Confined           []string  `json:"confined,omitempty"`
	Limits             []string  `json:"limits,omitempty"`
	BootID             string    `json:"boot_id,omitempty"`
	Started            time.Time `json:"started,omitzero"`
	FirstPacket        time.Time `json:"first_packet,omitzero"`
	LastPacket         time.Time `json:"last_packet,omitzero"`
	// Elapsed is for how many whole seconds a live capture has run, by a clock that
	// nobody sets; nil in the line of its start, and of captures in files.
	Elapsed *uint64 `json:"elapsed,omitempty"`
	// EntriesNotWritten are lines that are missing from this log since the capture's
	// start, because it could not be written.
	EntriesNotWritten uint64 `json:"entries_not_written,omitempty"`
	*Counts
}

// Counts are a capture's counts since its start.
type Counts struct {
	PacketsReceived         uint64 `json:"packets_received"`
	PacketsDroppedKernel    uint64 `json:"packets_dropped_kernel"`
	PacketsDroppedInterface uint64 `json:"packets_dropped_interface"`
	PacketsNotRead          uint64 `json:"packets_not_read,omitempty"`
	CallsV1                 uint64 `json:"calls_v1"`
	CallsV2                 uint64 `json:"calls_v2"`
	CallsUnknown            uint64 `json:"calls_unknown"`
	// CallsOverRate are those of the calls that were too many for entries of their own.
	CallsOverRate uint64 `json:"calls_over_rate,omitempty"`
	// CallsProgramNotTold are those of these whose programs may have no entry of their own.
	CallsProgramNotTold uint64 `json:"calls_program_not_told,omitempty"`
	StreamsNotHTTP      uint64 `json:"streams_not_http"`
	AttributionResolved uint64 `json:"attribution_resolved"`
	AttributionMissed   uint64 `json:"attribution_missed"`
	EventsLost          uint64 `json:"events_lost"`
	// Truncated is that of CaptureStats.
	Truncated bool `json:"truncated,omitempty"`
	// RequestsCut and SnaplenNeeded are those of CaptureStats, nil if none was cut.
	RequestsCut   *uint64 `json:"requests_cut,omitempty"`
	SnaplenNeeded *uint64 `json:"snaplen_needed,omitempty"`
	// Segments is that of CaptureStats, nil for live captures.
	Segments *uint64 `json:"segments,omitempty"`
	// RequestsPartial, RequestGaps and FilesLate are those of CaptureStats.
	RequestsPartial uint64 `json:"requests_partial,omitempty"`
	RequestGaps     uint64 `json:"request_gaps,omitempty"`
	FilesLate       uint64 `json:"files_late,omitempty"`
	// ResponsesUnmatched, ConnectionsEvicted and EndedEarly are those of CaptureStats.
	ResponsesUnmatched uint64 `json:"responses_unmatched,omitempty"`
	ConnectionsEvicted uint64 `json:"connections_evicted,omitempty"`
	EndedEarly         bool   `json:"ended_early,omitempty"`
	// HalfOpenDropped and SegmentsIgnored are those of CaptureStats.
	HalfOpenDropped uint64 `json:"half_open_dropped,omitempty"`
	SegmentsIgnored uint64 `json:"segments_ignored,omitempty"`
	// PacketsNotSaved is that of CaptureStats.
	PacketsNotSaved uint64 `json:"packets_not_saved,omitempty"`
	// EnrichFailed is nil where no command says more of calls.
	EnrichFailed *uint64 `json:"enrich_failed,omitempty"`
	// NetworkNamespaces are those that were captured besides the program's own,
	// ConnectionsWithoutPackets the connections that the kernel told of and that
	// were not captured. Nil if that is not known.
	NetworkNamespaces         *uint64          `json:"network_namespaces,omitempty"`
	ConnectionsWithoutPackets *uint64          `json:"connections_without_packets,omitempty"`
	WithoutPackets            []WithoutPackets `json:"without_packets,omitempty"`
}
