package cli

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"imds-analyzer/report"
	"imds-analyzer/report/instances"
)

// The exit statuses of a report that is asked for its verdict.
const (
	exitNotReady  = 10
	exitNotEnough = 11
)

// reportOptions are the flags of the command report.
type reportOptions struct {
	named         []string // what to read
	format        string
	output        string
	targets       []target // what is written
	place         *place   // where; nil for standard output
	judge         report.Options
	exitCode      bool
	inventory     []string // lists of instances
	groupBy       string
	grouping      instances.Grouping
	endpointNames []string
	endpoints     []netip.AddrPort
}

// newReportCommand returns the command that reports on logs and captures.
func newReportCommand(streams Streams) *cobra.Command {
	var o reportOptions
	command := &cobra.Command{
		Use:     "report FILE|DIRECTORY...",
		Short:   "Say from logs or captures which programs call IMDSv1, why, and whether it can be disabled",
		Long:    reportDescription,
		Example: reportExamples,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.named = args
			if err := o.check(cmd.Flags()); err != nil {
				return usageError{err}
			}
			return runReport(cmd.Context(), o, streams)
		},
	}
	o.define(command.Flags())
	return command
}

const reportDescription = `report reads what imds-analyzer has logged, on one or many hosts, and says for
each program that calls IMDSv1 why it does and what to do, and for the hosts
whether IMDSv1 can be disabled now, and on what evidence.

It reads logs, state files, and all captures that -r reads, also packed with
gzip or zstd, in any order; they are told apart by what is in them. - is
standard input. Of a directory all such files in it are read. Several captures
are read as one, as with -r.

With --inventory the report says of which instances there is no evidence at all:
silent is not ready. aws ec2 describe-instances --output json > FILE makes the list.

The verdict is "not ready" if a call without a token would fail without IMDSv1,
"not enough evidence" if there was none, but too little was observed, and
"ready" otherwise.

Exit status: 0 the report was made; 1 failed; 2 wrong usage; 3 an input could
not be read, or not to its end. With --exit-code, if a report was made, instead:
0 ready; 10 not ready; 11 not enough evidence.`

const reportExamples = `  imds-analyzer report imds.log
  imds-analyzer report /var/log/imds             all logs of a directory, also rotated
  imds-analyzer report --ignore old-agent --no-boot hosts/*.log.gz
  imds-analyzer report --since 2026-11-20 hosts/*.log.gz      after programs were updated
  imds-analyzer report --inventory instances.json --group-by tag:Team hosts/*.log.gz
  journalctl -u imds-analyzer -o cat | imds-analyzer report -     if entries go to the journal
  imds-analyzer report --format json -o report.json boot.pcapng
  imds-analyzer report --format html -o report.html hosts/*.log.gz
  imds-analyzer report --exit-code imds.log && echo IMDSv1 can be disabled`

func (o *reportOptions) define(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVar(&o.format, "format", formatText, "how the report is written: `text|json|html`; html is one page that loads nothing")
	flags.StringVarP(&o.output, "output", "o", "", "write the report to this `FILE`")
	flags.Float64Var(&o.judge.MinDays, "min-days", report.DefaultMinDays, "how many `DAYS` each host has to be observed before it counts that nothing was seen")
	flags.TimeVar(&o.judge.Since, "since", time.Time{}, []string{time.RFC3339, time.DateOnly}, "count calls and observation only from this `TIME` on, such as 2026-11-20 (in UTC) or 2026-11-20T08:00:00+01:00: when programs were updated")
	flags.BoolVar(&o.judge.NoBoot, "no-boot", false, "do not ask for a boot to be observed")
	flags.StringArrayVar(&o.judge.Ignore, "ignore", nil, "leave this `PROGRAM` out of the verdict: part of its executable, script, unit, pod, task, image, package or User-Agent, or a pattern with * and ? for all of it; repeatable")
	flags.StringArrayVar(&o.inventory, "inventory", nil, "list of all instances, the `FILE` that aws ec2 describe-instances --output json writes: those that nothing was heard of keep the verdict from ready; repeatable")
	flags.StringVar(&o.groupBy, "group-by", "", "put these together by what they have in common: `image|asg|tag:NAME` (default: auto scaling group, or image)")
	flags.BoolVar(&o.exitCode, "exit-code", false, "make the verdict the exit status: 0 ready, 10 not ready, 11 not enough evidence")
	flags.StringArrayVar(&o.endpointNames, "endpoint", nil, "address of the metadata service in captures, `ADDR[:PORT]`; repeatable (default 169.254.169.254:80 and [fd00:ec2::254]:80)")
}

// check tests the flags and reads the endpoints.
func (o *reportOptions) check(flags *pflag.FlagSet) (err error) {
	if o.endpoints, err = parseEndpoints(o.endpointNames); err != nil {
		return err
	}
	switch {
	case len(o.named) == 0:
		return errors.New("report needs the names of logs or captures, or - for standard input (see imds-analyzer report --help)")
	case slices.Contains(o.named, ""), flags.Changed("output") && o.output == "":
		return errors.New("report and -o need the name of a file")
	case !slices.Contains([]string{formatText, formatJSON, formatHTML}, o.format):
		return fmt.Errorf("--format is text, json or html, not %q", o.format)
	case o.output == standardInput:
		return errors.New("-o writes to a file; without it the report goes to standard output")
	case slices.Contains(o.judge.Ignore, ""):
		return errors.New("--ignore needs a part of a program's name")
	}
	if err := o.checkInventory(); err != nil {
		return err
	}
	if err := o.judge.Check(); err != nil {
		return fmt.Errorf("--min-days: %w", err)
	}
	return checkSince(o.judge.Since, time.Now())
}

// checkSince refuses a time of which nothing can tell yet: mostly it is a slip, and a report
// on it says no more than that.
func checkSince(since, now time.Time) error {
	if !since.After(now) {
		return nil
	}
	return fmt.Errorf("--since %s is in the future, of which nothing can tell yet: it is %s now, and a day without a time begins in UTC",
		since.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
}

// verdictStatus is the exit status for a verdict.
func verdictStatus(v report.Status) int {
	switch v {
	case report.Ready:
		return exitDone
	case report.NotReady:
		return exitNotReady
	}
	return exitNotEnough
}
