package cli

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"imds-analyzer/attribution"
	"imds-analyzer/capture"
	"imds-analyzer/imds"
)

// options are the flags of the main job.
type options struct {
	interfaces    []string
	endpointNames []string
	endpoints     []netip.AddrPort
	read          []string
	write         string
	output        string
	rotateSize    byteSize
	rotateKeep    int
	journald      bool
	format        string
	only          string
	count         uint64
	duration      time.Duration
	statsInterval time.Duration
	fold          time.Duration
	maxEntryRate  uint
	state         string
	wayNames      []string
	realTime      bool
	noPackages    bool
	noSeccomp     bool
	enrich        string
	enrichUser    string
	enrichTimeout time.Duration
	command       *command // nil without --enrich
	ownNamespace  bool
	// metricsTextfile and metricsListen are where the counts go; listenAt is the latter.
	metricsTextfile string
	metricsInterval time.Duration
	metricsListen   string
	listenAt        netip.AddrPort
	// emf has the log tell CloudWatch the counts.
	emf            bool
	emfInterval    time.Duration
	emfPerInstance bool
	configFile     string
	config         *config // nil without --config
	// Of a report: what read stands for, and who takes the entries in the place of the
	// log, the terminal and the summary.
	found    *inputs
	receiver entryWriter
	// Where files are found, and what was written before rights were given up; nil: that
	// is found out when they are read.
	from    origin
	targets []target
}

// The values of --format and --only.
const (
	formatAuto = "auto"
	formatJSON = "json"
	formatText = "text"
	formatHTML = "html" // of a report
	formatNone = ""
	onlyV1     = "v1"
)

func (o *options) define(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringArrayVarP(&o.interfaces, "interface", "i", []string{capture.AnyInterface}, "capture on this `INTERFACE`; repeatable")
	flags.StringArrayVarP(&o.read, "read", "r", nil, "read this capture `FILE`, or all in a directory of that name, instead, - for standard input; more may follow")
	flags.StringArrayVar(&o.endpointNames, "endpoint", nil, "address of the metadata service, `ADDR[:PORT]`; repeatable (default 169.254.169.254:80 and [fd00:ec2::254]:80)")
	flags.StringVarP(&o.output, "output", "o", "", "append the log entries to this `FILE`")
	flags.Var(&o.rotateSize, "rotate-size", "rotate the file of -o before it is larger than this `SIZE`, such as 64MiB, at least 64KiB: FILE is FILE.1 then, and that FILE.2; 0 for never")
	flags.IntVar(&o.rotateKeep, "rotate-keep", 10, "with --rotate-size: keep `N` files besides, 1000 at most")
	flags.BoolVar(&o.journald, "journald", false, "write the log entries to the journal of systemd")
	flags.StringVar(&o.format, "format", formatAuto, "what goes to standard output: `auto|json|text`")
	flags.StringVarP(&o.write, "write", "w", "", "save the packets to this pcapng `FILE`, with tokens and response bodies masked, and with what is known of callers as comments")
	flags.StringSliceVar(&o.wayNames, "attribution", nil, "find processes in these `WAYS` only, of "+wayNames()+" (default all that work)")
	flags.BoolVar(&o.realTime, "realtime", false, "read what the kernel tells of processes before anything else runs (SCHED_FIFO): short-lived ones keep their details also on a busy machine, and all other programs wait meanwhile")
	flags.BoolVar(&o.noPackages, "no-packages", false, "do not ask the package manager (dpkg-query, rpm) whose files the callers are")
	flags.BoolVar(&o.noSeccomp, "no-seccomp", false, "keep all system calls, where the program fails for lack of one that it needs")
	flags.BoolVar(&o.ownNamespace, "own-namespace", false, "capture in this network namespace only, not in those of containers that have an interface of their own, and keep less privileges")
	flags.StringVar(&o.only, "only", "", "with `v1`: entries for calls that are v1 or unknown; the summary counts all")
	flags.DurationVar(&o.fold, "fold", 0, "one entry for the IMDSv2 calls that a program repeats within this `TIME` of one that has an entry; 0 for an entry for each")
	flags.UintVar(&o.maxEntryRate, "max-entry-rate", 10, "beyond `N` entries a second of one container, unit or user, after a burst, one entry a minute for calls that are alike, with their number; 0 for an entry for each")
	flags.Uint64Var(&o.count, "count", 0, "end after `N` calls")
	flags.DurationVar(&o.duration, "duration", 0, "end after this `TIME`, such as 90s or 24h")
	flags.DurationVar(&o.statsInterval, "stats-interval", 0, "write a line of capture statistics to the log every `TIME`, 1s at least; 0 for none")
	flags.StringVar(&o.state, "state", "", "keep in this `FILE` what was counted since its first run, for the report: logs that were rotated away take no evidence along")
	flags.StringVar(&o.metricsTextfile, "metrics-textfile", "", "keep the counts in this `FILE`, which every user can read, for Prometheus' node_exporter; its name ends in .prom")
	flags.DurationVar(&o.metricsInterval, "metrics-interval", 15*time.Second, "with --metrics-textfile: write it anew every `TIME`")
	flags.StringVar(&o.metricsListen, "metrics-listen", "", "answer GET /metrics at this `ADDR:PORT` of the machine itself, such as 127.0.0.1:9399, with the counts")
	flags.BoolVar(&o.emf, "emf", false, "write lines of statistics to the log that CloudWatch makes metrics of (embedded metric format)")
	flags.DurationVar(&o.emfInterval, "emf-interval", time.Minute, "with --emf: write such a line every `TIME`")
	flags.BoolVar(&o.emfPerInstance, "emf-per-instance", false, "with --emf: have metrics for each instance, too; CloudWatch bills each of them")
	flags.StringVar(&o.enrich, "enrich", "", "run this `COMMAND` for each entry, which it reads; the JSON object of texts that it writes becomes the entry's labels. Blanks set words apart, there is no shell")
	flags.StringVar(&o.enrichUser, "enrich-user", "", "the `USER` that the command runs as (default nobody for root)")
	flags.DurationVar(&o.enrichTimeout, "enrich-timeout", enrichTime, "how much `TIME` the command has for an entry")
	flags.StringVar(&o.configFile, "config", "", "take what is not given here from this YAML `FILE`, whose keys are these flags' names; check-config says what is wrong in one")
}

// takeFiles takes arguments as further files to read.
func (o *options) takeFiles(cmd *cobra.Command, args []string) error {
	if len(args) > 0 && len(o.read) == 0 {
		return usageError{fmt.Errorf("unknown command %q (see %s --help; to read a capture file: -r %s)", args[0], cmd.CommandPath(), args[0])}
	}
	o.read = append(o.read, args...)
	return nil
}

const (
	// minRotateSize and maxRotateKeep bound what one process does to a directory: to rotate
	// at each entry, or to rename very many files for one.
	minRotateSize = 64 << 10
	maxRotateKeep = 1000
)

// flagError is what is wrong with a flag, by itself or beside others.
type flagError struct {
	flag string
	error
}

func (e flagError) Unwrap() error { return e.error }

// wrong says what is wrong with the flag.
func wrong(flag, format string, args ...any) error {
	return flagError{flag, fmt.Errorf(format, args...)}
}

// metricsTextfileFlag is the flag of the file with the counts.
const metricsTextfileFlag = "metrics-textfile"

// minExport is how often counts can be written, at most: a file for each of many packets
// helps nobody.
const minExport = time.Second

// liveFlags are those that only live captures have a use for.
func liveFlags() []string {
	return []string{"interface", "attribution", "realtime", "no-packages", "own-namespace", "max-entry-rate", "state", "journald",
		"metrics-textfile", "metrics-interval", "metrics-listen", "emf", "emf-interval", "emf-per-instance"}
}

// parseEndpoints reads the addresses of --endpoint. Without any they are the usual ones.
func parseEndpoints(names []string) (endpoints []netip.AddrPort, err error) {
	if len(names) == 0 {
		return imds.DefaultEndpoints(), nil
	}
	for _, name := range names {
		endpoint, err := imds.ParseEndpoint(name)
		if err != nil {
			return nil, fmt.Errorf("--endpoint: %w", err)
		}
		endpoints = append(endpoints, endpoint)
	}
	return endpoints, nil
}

// ways are the ways of finding processes that may be used, all if none.
func (o *options) ways() (ways []attribution.Method) {
	for _, name := range o.wayNames {
		ways = append(ways, attribution.Method(name))
	}
	return ways
}

func (o *options) knowsWays() bool {
	return !slices.ContainsFunc(o.ways(), func(m attribution.Method) bool { return !slices.Contains(attribution.Methods(), m) })
}

// wayNames lists the ways of finding processes.
func wayNames() string { return joinWords(attribution.Methods()) }

// everywhere reports whether calls of all network namespaces are looked for: who
// names interfaces wants to see those.
func (o *options) everywhere() bool {
	return o.live() && !o.ownNamespace && slices.Contains(o.interfaces, capture.AnyInterface)
}

// live reports whether packets are captured, as against read.
func (o *options) live() bool { return len(o.read) == 0 }
