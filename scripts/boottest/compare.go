package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// errDiffers: the log does not have what the access log has.
var errDiffers = errors.New("the log is not what was called")

// entry is what is read of a line of the program's log (docs/log-entry.md).
type entry struct {
	Time  time.Time `json:"@timestamp"`
	Event struct{ Dataset, Action string }
	HTTP  struct{ Request struct{ Method string } }
	URL   struct{ Original string }
	IMDS  struct {
		Version     string
		Attribution struct{ Status, Method string }
		Script      struct{ Name string }
	}
	Source struct {
		IP   string
		Port int
	}
	Process struct {
		Executable  string
		CommandLine string `json:"command_line"`
		PID         int
	}
	Systemd struct{ Unit string }
	Host    struct {
		Boot struct{ ID string }
	}
}

// maxLine bounds a line of a log: 16 ancestors with long command lines.
const maxLine = 4 << 20

// expectation is what must be in the log beside the same calls.
type expectation struct {
	units   []string // have made calls
	last    string   // the unit that has made the last call
	starts  int      // of captures
	missing []string // targets of calls that may be missing
	script  string   // what has made the calls of the agents
	agents  []string // beginnings of User-Agents
}

// hurried is how many of a hundred calls may be by processes that had ended before
// their unit was read, which happens to those that live for milliseconds on a busy
// machine. Their pids and command lines are known all the same.
const hurried = 5

func runCompare(_ context.Context, flags *flag.FlagSet, args []string, out io.Writer) error {
	accessName := flags.String("access", "access.log", "the access `log` of the service")
	logName := flags.String("log", "imds.log", "the `log` of the program")
	units := flags.String("units", "", "the `units` that must have made calls")
	agents := flags.String("agents", "", "the beginnings of the `User-Agents` of one program")
	missing := flags.String("may-miss", "", "the `targets` of calls that may be missing")
	var e expectation
	flags.StringVar(&e.script, "script", "", "the `script` that this program is")
	flags.StringVar(&e.last, "last", "", "the `unit` that must have made the last call")
	flags.IntVar(&e.starts, "starts", 1, "how many captures must have begun")
	if err := parse(flags, args); err != nil {
		return err
	}
	e.units, e.agents, e.missing = listed(*units), listed(*agents), listed(*missing)
	called, err := readLines[access](*accessName)
	if err != nil {
		return err
	}
	logged, err := readLines[entry](*logName)
	if err != nil {
		return err
	}
	calls, starts := callsAndStarts(logged)
	tabulate(out, calls)
	return e.judge(out, called, calls, starts)
}

// readLines reads the log in a file.
func readLines[T any](name string) ([]T, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines, err := decodeLines[T](f)
	if err != nil {
		return nil, fmt.Errorf("%s, %w", name, err)
	}
	return lines, nil
}

// decodeLines reads a log of one JSON object a line. A line without an end counts as
// one, and fails unless it is whole.
func decodeLines[T any](log io.Reader) (lines []T, err error) {
	scanner := bufio.NewScanner(log)
	scanner.Buffer(nil, maxLine)
	for scanner.Scan() {
		var line T
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("line %d: %w", len(lines)+1, err)
		}
		lines = append(lines, line)
	}
	return lines, scanner.Err()
}

func callsAndStarts(logged []entry) (calls []entry, starts int) {
	for _, e := range logged {
		switch {
		case e.Event.Dataset == "imds.call":
			calls = append(calls, e)
		case e.Event.Action == "capture-started":
			starts++
		}
	}
	return calls, starts
}

// judge says all that is wrong, each on a line of its own.
func (e *expectation) judge(out io.Writer, called []access, calls []entry, starts int) error {
	wrong := differences(called, calls, e.missing)
	wrong = append(wrong, unattributed(out, calls)...)
	wrong = append(wrong, e.mistaken(called, calls)...)
	for _, unit := range e.units {
		if !slices.ContainsFunc(calls, func(c entry) bool { return c.Systemd.Unit == unit }) {
			wrong = append(wrong, "no call by "+unit)
		}
	}
	if last := lastUnit(called, calls); e.last != "" && last != e.last {
		wrong = append(wrong, fmt.Sprintf("the last call that was made is by %q, not %q", last, e.last))
	}
	if starts != e.starts {
		wrong = append(wrong, fmt.Sprintf("%d captures have begun, not %d", starts, e.starts))
	}
	for _, w := range wrong {
		fmt.Fprintln(out, "WRONG:", w)
	}
	if len(wrong) > 0 {
		return errDiffers
	}
	fmt.Fprintf(out, "%d calls to the service, %d in the log, each once and with its process\n", len(called), len(calls))
	return nil
}

// key is what a call is in both logs. The same one can be made several times on a
// connection.
type key struct{ client, method, target, version string }

func (a *access) key() key { return key{a.Client, a.Method, a.Target, a.Version} }

func (e *entry) key() key {
	return key{fmt.Sprintf("%s:%d", e.Source.IP, e.Source.Port), e.HTTP.Request.Method, e.URL.Original, e.IMDS.Version}
}

// differences tells the calls that one of the logs has more often.
func differences(called []access, calls []entry, mayMiss []string) (wrong []string) {
	count := map[key]int{}
	for i := range called {
		count[called[i].key()]++
	}
	for i := range calls {
		count[calls[i].key()]--
	}
	for k, n := range count {
		switch {
		case n > 0 && !slices.Contains(mayMiss, k.target):
			wrong = append(wrong, fmt.Sprintf("missing %d time(s): %v", n, k))
		case n < 0:
			wrong = append(wrong, fmt.Sprintf("%d time(s) too much: %v", -n, k))
		}
	}
	slices.Sort(wrong)
	return wrong
}

// unattributed tells the calls without a process, and those without a unit if there
// are too many.
func unattributed(out io.Writer, calls []entry) (wrong []string) {
	late := 0
	for i := range calls {
		c := &calls[i]
		if c.IMDS.Attribution.Status != "resolved" || c.Process.PID == 0 || c.Process.CommandLine == "" {
			wrong = append(wrong, fmt.Sprintf("%v is by %s process %d %q", c.key(), c.IMDS.Attribution.Status, c.Process.PID, c.Process.CommandLine))
		} else if c.Systemd.Unit == "" {
			late++
		}
	}
	fmt.Fprintf(out, "%d calls by processes that had ended before their unit was read\n", late)
	if late*100 > len(calls)*hurried {
		wrong = append(wrong, fmt.Sprintf("of %d of %d calls the unit is not known", late, len(calls)))
	}
	return wrong
}

// mistaken tells the calls of the agents that are not by the script in a unit.
func (e *expectation) mistaken(called []access, calls []entry) (wrong []string) {
	theirs := map[key]bool{}
	for i := range called {
		a := &called[i]
		theirs[a.key()] = slices.ContainsFunc(e.agents, func(agent string) bool { return strings.HasPrefix(a.UserAgent, agent) })
	}
	for i := range calls {
		if c := &calls[i]; theirs[c.key()] && (c.IMDS.Script.Name != e.script || c.Systemd.Unit == "") {
			wrong = append(wrong, fmt.Sprintf("%v is by %q of %q, not by %s", c.key(), c.IMDS.Script.Name, c.Systemd.Unit, e.script))
		}
	}
	return wrong
}

// lastUnit is the unit that has made the last call of the access log.
func lastUnit(called []access, calls []entry) string {
	if len(called) == 0 {
		return ""
	}
	for i := range slices.Backward(calls) {
		if calls[i].key() == called[len(called)-1].key() {
			return calls[i].Systemd.Unit
		}
	}
	return ""
}

// row is what calls are counted by.
type row struct{ unit, program, version, method string }

// tabulate shows who has made how many calls.
func tabulate(out io.Writer, calls []entry) {
	counts := map[row]int{}
	for _, c := range calls {
		program := path.Base(c.Process.Executable)
		if c.IMDS.Script.Name != "" {
			program += " " + c.IMDS.Script.Name
		}
		counts[row{c.Systemd.Unit, program, c.IMDS.Version, c.IMDS.Attribution.Method}]++
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer table.Flush()
	fmt.Fprintln(table, "unit\tprogram\tversion\tfound by\tcalls")
	rows := slices.SortedFunc(maps.Keys(counts), func(a, b row) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	for _, r := range rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\n", r.unit, r.program, r.version, r.method, counts[r])
	}
}
