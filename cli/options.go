package cli

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"imds-analyzer/attribution"
	"imds-analyzer/capture"
	"imds-analyzer/imds"
	"imds-analyzer/output/logfile"
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
	flags.StringVar(&o.format, "format", formatAuto, "what goes to standard output: auto, json or text")
	flags.StringVarP(&o.write, "write", "w", "", "save the packets to this pcapng `FILE`, with tokens and response bodies masked, and with what is known of callers as comments")
	flags.StringSliceVar(&o.wayNames, "attribution", nil, "find processes in these `WAYS` only, of "+wayNames()+" (default all that work)")
	flags.BoolVar(&o.realTime, "realtime", false, "read what the kernel tells of processes before anything else runs (SCHED_FIFO): short-lived ones keep their details also on a busy machine, and all other programs wait meanwhile")
	flags.BoolVar(&o.noPackages, "no-packages", false, "do not ask the package manager (dpkg-query, rpm) whose files the callers are")
	flags.BoolVar(&o.noSeccomp, "no-seccomp", false, "keep all system calls, where the program fails for lack of one that it needs")
	flags.BoolVar(&o.ownNamespace, "own-namespace", false, "capture in this network namespace only, not in those of containers that have an interface of their own, and keep less privileges")
	flags.StringVar(&o.only, "only", "", "with v1: entries for calls that are v1 or unknown; the summary counts all")
	flags.DurationVar(&o.fold, "fold", 0, "one entry for the IMDSv2 calls that a program repeats within this `TIME` of one that has an entry; 0 for an entry for each")
	flags.UintVar(&o.maxEntryRate, "max-entry-rate", 10, "beyond `N` entries a second of one container, unit or user, after a burst, one entry a minute for calls that are alike, with their number; 0 for an entry for each")
	flags.Uint64Var(&o.count, "count", 0, "end after `N` calls")
	flags.DurationVar(&o.duration, "duration", 0, "end after this `TIME`, such as 90s or 24h")
	flags.DurationVar(&o.statsInterval, "stats-interval", 0, "write a line of capture statistics to the log every `TIME`; 0 for none")
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

// check tests the flags against each other and reads the endpoints. It fails with a
// flagError.
func (o *options) check(flags *pflag.FlagSet) (err error) {
	if o.endpoints, err = parseEndpoints(o.endpointNames); err != nil {
		return flagError{"endpoint", err}
	}
	return cmp.Or(o.checkValues(flags), o.checkTimes(), o.checkNames(flags), o.checkRotation(flags), o.checkLive(flags), o.checkMetrics(flags), o.findCommand(flags))
}

func (o *options) checkValues(flags *pflag.FlagSet) error {
	switch {
	case o.format != formatAuto && o.format != formatJSON && o.format != formatText:
		return wrong("format", "--format is auto, json or text, not %q", o.format)
	case o.only != "" && o.only != onlyV1:
		return wrong("only", "--only knows v1, not %q", o.only)
	case flags.Changed("attribution") && len(o.wayNames) == 0, !o.knowsWays():
		return wrong("attribution", "--attribution takes some of %s, not %q", wayNames(), strings.Join(o.wayNames, ","))
	case flags.Changed("count") && o.count == 0:
		return wrong("count", "--count is at least 1")
	}
	return nil
}

func (o *options) checkTimes() error {
	const words = "--duration, --stats-interval and --fold are times that are not negative"
	switch {
	case o.duration < 0:
		return wrong("duration", words)
	case o.statsInterval < 0:
		return wrong("stats-interval", words)
	case o.fold < 0:
		return wrong("fold", words)
	}
	return nil
}

func (o *options) checkNames(flags *pflag.FlagSet) error {
	const words = "-r, -o, -w and --state need the name of a file"
	switch {
	case slices.Contains(o.read, ""):
		return wrong("read", words)
	case flags.Changed("output") && o.output == "":
		return wrong("output", words)
	case flags.Changed("write") && o.write == "":
		return wrong("write", words)
	case flags.Changed("state") && o.state == "":
		return wrong("state", words)
	case o.output == standardInput:
		return wrong("output", "-o and -w write to files; --format json writes the log to standard output")
	case o.write == standardInput:
		return wrong("write", "-o and -w write to files; --format json writes the log to standard output")
	}
	return nil
}

func (o *options) checkRotation(flags *pflag.FlagSet) error {
	const words = "--rotate-size is for the file of -o, and --rotate-keep for --rotate-size: give that, too"
	switch {
	case o.output == "" && flags.Changed("rotate-size"):
		return wrong("rotate-size", words)
	case flags.Changed("rotate-keep") && !flags.Changed("rotate-size"):
		return wrong("rotate-keep", words)
	case o.rotateSize > 0 && o.rotateSize < minRotateSize:
		return wrong("rotate-size", "--rotate-size is at least %d KiB, or 0 for never", minRotateSize>>10)
	case o.rotateKeep < 1 || o.rotateKeep > maxRotateKeep:
		return wrong("rotate-keep", "--rotate-keep is at least 1, and at most %d", maxRotateKeep)
	}
	return nil
}

// checkLive refuses what is for live captures where files are read.
func (o *options) checkLive(flags *pflag.FlagSet) error {
	for _, flag := range liveFlags() {
		if !o.live() && flags.Changed(flag) {
			return wrong(flag, "-i, --attribution, --realtime, --no-packages, --own-namespace, --max-entry-rate, --state, --journald, and what is for metrics are for live captures and -r reads files: give one of them")
		}
	}
	return nil
}

// metricsTextfileFlag is the flag of the file with the counts.
const metricsTextfileFlag = "metrics-textfile"

// minExport is how often counts can be written, at most: a file for each of many packets
// helps nobody.
const minExport = time.Second

// checkMetrics tests where the counts go, and reads the address of --metrics-listen.
func (o *options) checkMetrics(flags *pflag.FlagSet) (err error) {
	switch {
	case flags.Changed(metricsTextfileFlag) && !strings.HasSuffix(o.metricsTextfile, ".prom"):
		return wrong(metricsTextfileFlag, "--metrics-textfile needs the name of a file that ends in .prom: node_exporter reads no others")
	case o.metricsTextfile == "" && flags.Changed("metrics-interval"):
		return wrong("metrics-interval", "--metrics-interval is for the file of --metrics-textfile: give that, too")
	case !o.emf && flags.Changed("emf-interval"):
		return wrong("emf-interval", "--emf-interval and --emf-per-instance are for --emf: give that, too")
	case !o.emf && flags.Changed("emf-per-instance"):
		return wrong("emf-per-instance", "--emf-interval and --emf-per-instance are for --emf: give that, too")
	case o.emf && o.output == "" && !o.journald && (o.format == formatText || o.format == formatNone):
		return wrong("emf", "--emf writes to the log, and there is none with --format %s: give -o or --journald, too", o.format)
	case o.metricsInterval < minExport:
		return wrong("metrics-interval", "--metrics-interval is at least %v", minExport)
	case o.emfInterval < minExport:
		return wrong("emf-interval", "--emf-interval is at least %v", minExport)
	case !flags.Changed("metrics-listen"):
		return nil
	}
	if o.listenAt, err = parseListen(o.metricsListen); err != nil {
		return flagError{"metrics-listen", err}
	}
	return nil
}

// findCommand finds what --enrich names.
func (o *options) findCommand(flags *pflag.FlagSet) (err error) {
	if !flags.Changed("enrich") {
		for _, flag := range []string{"enrich-user", "enrich-timeout"} {
			if flags.Changed(flag) {
				return wrong(flag, "--enrich-user and --enrich-timeout are for the command of --enrich: give that, too")
			}
		}
		return nil
	}
	switch {
	case o.enrichTimeout <= 0:
		return wrong("enrich-timeout", "--enrich-timeout is more than 0")
	case flags.Changed("enrich-user") && o.enrichUser == "":
		return wrong("enrich-user", "--enrich-user needs the name of a user")
	}
	if o.command, err = findCommand(o.enrich, o.enrichTimeout); err != nil {
		return flagError{"enrich", err}
	}
	if err := o.command.runAs(o.enrichUser); err != nil {
		return flagError{"enrich-user", err}
	}
	return nil
}

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

// checkOverwrite refuses to write to a file that is read, and to one in two ways. It fails
// with a flagError.
func (o *options) checkOverwrite(stdin io.Reader) error {
	for _, flag := range []string{"output", "write"} {
		written := o.written()[flag]
		for _, read := range o.read {
			if written != "" && (sameFile(read, written) || read == standardInput && isFile(stdin, written)) {
				return wrong(flag, "%s is both read and written", written)
			}
		}
	}
	return cmp.Or(o.checkTwice(), o.checkNumbered())
}

// written are the files that are written to, by their flags; "" if they are not.
func (o *options) written() map[string]string {
	return map[string]string{"output": o.output, "write": o.write, "state": o.state, metricsTextfileFlag: o.metricsTextfile}
}

// checkTwice refuses one file for two things.
func (o *options) checkTwice() error {
	if o.output != "" && o.write != "" && sameFile(o.output, o.write) {
		return wrong("output", "-o and -w name the same file")
	}
	for _, flag := range []string{"output", "write", "state", metricsTextfileFlag} {
		others := []string{o.configFile}
		if flag == metricsTextfileFlag {
			others = append(others, o.output, o.write)
		}
		if o.state != "" {
			others = append(others, lockOf(o.state))
			if flag != "state" {
				others = append(others, o.state)
			}
		}
		for _, other := range others {
			if name := o.written()[flag]; name != "" && other != "" && sameFile(name, other) {
				return wrong(flag, "%s is to be two things at once", name)
			}
		}
	}
	return nil
}

// checkNumbered refuses names that the log is given when it is rotated.
func (o *options) checkNumbered() error {
	if o.rotateSize == 0 {
		return nil
	}
	for flag, name := range map[string]string{"write": o.write, "state": o.state, "output": o.configFile} {
		if name != "" && isNumbered(name, o.output) {
			return wrong(flag, "%s is the name of a log that was rotated", name)
		}
	}
	return nil
}

// isNumbered reports whether a file has the name that a log may be given when it is
// rotated.
func isNumbered(file, log string) bool {
	log = logfile.Target(log)
	number, ok := strings.CutPrefix(filepath.Base(file), filepath.Base(log)+".")
	if _, err := strconv.Atoi(number); err != nil || !ok {
		return false
	}
	return sameFile(filepath.Dir(file), filepath.Dir(log))
}

// isFile reports whether a stream is the file of that name.
func isFile(stream io.Reader, name string) bool {
	file, ok := stream.(*os.File)
	if !ok {
		return false
	}
	opened, errOpened := file.Stat()
	named, errNamed := os.Stat(name)
	return errOpened == nil && errNamed == nil && opened.Mode().IsRegular() && os.SameFile(opened, named)
}

// sameFile reports whether two names are those of one file, also of one that
// is yet to be made.
func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return os.SameFile(infoA, infoB)
	}
	return errA != nil && errB != nil && filepath.Base(a) == filepath.Base(b) && sameFile(filepath.Dir(a), filepath.Dir(b))
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
