package cli

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

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
	case o.statsInterval > 0 && o.statsInterval < minExport:
		return wrong("stats-interval", "--stats-interval is at least %v, or 0 for none", minExport)
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
	case o.state == standardInput:
		return wrong("state", "--state needs the name of a file that is read again: - is none")
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
			return wrong(flag, "--%s is for live captures, and -r reads files: leave out one of them", flag)
		}
	}
	return nil
}

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

// checkEmbedded refuses lines for CloudWatch where a terminal has calls as text in the place
// of the log. A configuration that is looked at on one is another's.
func (o *options) checkEmbedded(terminal bool) error {
	if o.emf && terminal && o.output == "" && !o.journald && o.format == formatAuto {
		return wrong("emf", "--emf writes to the log, and a terminal shows text in its place: give -o, --journald or --format json, too")
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
