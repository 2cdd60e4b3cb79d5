package cli

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// flagsOf are the flags of the main job, with the arguments.
func flagsOf(t testing.TB, args ...string) (*options, *pflag.FlagSet) {
	t.Helper()
	o := new(options)
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	o.define(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return o, flags
}

// valuesOf are the values of all flags, as texts.
func valuesOf(flags *pflag.FlagSet) map[string]string {
	values := map[string]string{}
	flags.VisitAll(func(f *pflag.Flag) { values[f.Name] = f.Value.String() })
	return values
}

// A configuration says the same as the command line.
func TestConfigValues(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		args       []string // that the command line has besides
		same       []string // as the command line alone
	}{
		{"nothing", "", nil, nil},
		{"comments", "# only: v1\n", nil, nil},
		{"text", "only: v1\n", nil, []string{"--only", "v1"}},
		{"quoted", `output: "a: b # c"`, nil, []string{"-o", "a: b # c"}},
		{"empty text", `only: ""`, nil, []string{"--only", ""}},
		{"number", "count: 1_000\n", nil, []string{"--count", "1000"}},
		{"decimal number", "count: 0x10\n", nil, []string{"--count", "16"}},
		{"number with a zero before it", "count: 0100\n", nil, []string{"--count", "0100"}},
		{"size with a zero before it", "rotate-size: 0100000\n", nil, []string{"--rotate-size", "100000"}},
		{"text in the next line", "only:\n  v1\n# x\n\ncount: 1\n", nil, []string{"--only", "v1", "--count", "1"}},
		{"truth", "realtime: true\nno-packages: false\n", nil, []string{"--realtime", "--no-packages=false"}},
		{"time", "duration: 1h30m\nstats-interval: 0\n", nil, []string{"--duration", "90m", "--stats-interval", "0"}},
		{"list", "interface: [eth0, eth1]\n", nil, []string{"-i", "eth0", "-i", "eth1"}},
		{"list in lines", "interface:\n- eth0\n- eth1\n", nil, []string{"-i", "eth0", "-i", "eth1"}},
		{"list of one", "endpoint: 10.0.0.1:80\n", nil, []string{"--endpoint", "10.0.0.1:80"}},
		{"list with commas", "attribution: \"tracepoint,proc\"\n", nil, []string{"--attribution", "tracepoint", "--attribution", "proc"}},
		{"line ends of Windows", "only: v1\r\ncount: 2\r\n", nil, []string{"--only", "v1", "--count", "2"}},
		{"byte order mark", "\ufeffonly: v1\n", nil, []string{"--only", "v1"}},
		{"document marks", "---\nonly: v1\n...\n", nil, []string{"--only", "v1"}},
		{"braces", "{only: v1, count: 2}", nil, []string{"--only", "v1", "--count", "2"}},
		{"command line wins", "only: v1\ncount: 5\n", []string{"--count", "7"}, []string{"--only", "v1", "--count", "7"}},
		{"command line takes the list's place", "interface: [eth0, eth1]\n", []string{"-i", "lo"}, []string{"-i", "lo"}},
		{"command line has the default", "realtime: true\n", []string{"--realtime=false"}, []string{"--realtime=false"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, flags := flagsOf(t, tt.args...)
			if err := parseConfig("c", []byte(tt.text)).set(flags); err != nil {
				t.Fatal(err)
			}
			_, want := flagsOf(t, tt.same...)
			got := valuesOf(flags)
			for name, value := range valuesOf(want) {
				if got[name] != value {
					t.Errorf("%s is %s, want %s", name, got[name], value)
				}
			}
			flags.Visit(func(f *pflag.Flag) {
				if !want.Changed(f.Name) {
					t.Errorf("%s is set", f.Name)
				}
			})
		})
	}
}

// All faults are told, each with its line.
func TestConfigFaults(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string // the beginnings of lines
	}{
		{"key that is not known", "only: v1\nonyl: v1\n", []string{"c:2: onyl is no key"}},
		{"letter of a flag", "o: x\n", []string{"c:1: o is no key"}},
		{"flag of another command", "min-days: 7\n", []string{"c:1: min-days is no key"}},
		{"what is read", "read: x.pcap\n", []string{"c:1: read is no key"}},
		{"another configuration", "config: x.yaml\n", []string{"c:1: config is no key"}},
		{"help", "help: true\n", []string{"c:1: help is no key"}},
		{"twice", "only: v1\n\nonly: v1\n", []string{"c:3: only is given a second time, after line 1"}},
		{"twice in other marks", "only: v1\n\"only\": v1\n", []string{"c:2: only is given a second time"}},
		{"text for truth", "realtime: yes\n", []string{"c:1: realtime has to be true or false"}},
		{"quoted truth", "realtime: \"true\"\n", []string{"c:1: realtime has to be true or false"}},
		{"truth for text", "output: true\n", []string{"c:1: output has to be a text"}},
		{"number for text", "enrich-user: 1000\n", []string{"c:1: enrich-user has to be a text in one line; a number between quotation marks"}},
		{"text for number", "count: many\n", []string{"c:1: count has to be a whole number"}},
		{"fraction for number", "count: 1.5\n", []string{"c:1: count has to be a whole number"}},
		{"negative number", "count: -1\n", []string{`c:1: count cannot be "-1": it has to be a whole number, 0 or more`}},
		{"text for a number that can be quoted", "max-entry-rate: lots\n", []string{`c:1: max-entry-rate cannot be "lots": it has to be a whole number, 0 or more`}},
		{"fraction for a number that can be quoted", "rotate-keep: 1.5\n", []string{"c:1: rotate-keep has to be a whole number"}},
		{"time without a unit", "duration: 5\n", []string{`c:1: duration cannot be "5": it has to be a time such as 90s or 24h, or 0`}},
		{"time with an odd unit", "duration: 5 days\n", []string{`c:1: duration cannot be "5 days": it has to be a time such as 90s or 24h, or 0`}},
		{"list for text", "output: [a, b]\n", []string{"c:1: output has to be a text"}},
		{"list without anything", "interface: []\n", []string{"c:1: interface has to be a text in one line, or a list"}},
		{"list in a list", "interface:\n- eth0\n- [eth1]\n", []string{"c:1: interface has to be a text in one line, or a list"}},
		{"list of numbers", "interface: [1]\n", []string{"c:1: interface has to be a text in one line, or a list"}},
		{"nothing", "state:\n", []string{"c:1: state has to be a text"}},
		{"keys below", "output:\n  file: x\n", []string{"c:1: output has to be a text"}},
		{"lines of text", "enrich: |\n  a\n  b\n", []string{"c:1: enrich has to be a text"}},
		{"anchor", "output: &a x\nstate: *a\n", []string{"c:1: output has to be a text", "c:2: state has to be a text"}},
		{"merge", "<<: {only: v1}\n", []string{`c:1: "<<" is no key`}},
		{"tag", "output: !!str 1\n", []string{"c:1: output has to be a text"}},
		{"number for a key", "1: x\n", []string{`c:1: "1" is no key`}},
		{"text alone", "\nhello\n", []string{"c:2: there have to be lines KEY: VALUE"}},
		{"list alone", "- only\n", []string{"c:1: there have to be lines KEY: VALUE"}},
		{"two documents", "only: v1\n---\ncount: 1\n", []string{"c:2: there is more than one YAML document"}},
		{"two marks", "---\n---\nonly: v1\n", []string{"c:2: there is more than one YAML document"}},
		{"a mark at the end", "only: v1\n---\n", []string{"c:2: there is more than one YAML document"}},
		{"behind the end", "only: v1\n...\n# x\ncount: 1\n", []string{"c:4: there is more than one YAML document"}},
		{"directive", "%YAML 1.2\n---\nonly: v1\n", []string{"c:1: lines that begin with % are not taken"}},
		{"text that goes on", "enrich: a\n  b\n", []string{"c:1: enrich has to be a text in one line"}},
		{"quoted text that goes on", "enrich: \"a\n  b\"\n", []string{"c:1: enrich has to be a text in one line"}},
		{"list with a text that goes on", "interface:\n- a\n  b\n", []string{"c:1: interface has to be a text in one line"}},
		{"NUL", `output: "a\0b"`, []string{"c:1: output cannot have a character NUL"}},
		{"depth", "\ninterface: " + strings.Repeat("[", maxConfig-20), []string{"c:2: there is too much: a configuration has 2048 words"}},
		{"depth of lines", strings.Repeat("- ", maxConfig/2), []string{"c:1: there is too much"}},
		{"more than can be told", strings.Repeat("x: 1\n", maxFaults+3), append(slices.Repeat([]string{"c:"}, maxFaults), "c: and 3 more")},
		{"no YAML", "only: v1\ninterface: [eth0\n", []string{"c:2: this is no YAML: "}},
		{"tab", "only: v1\n\tcount: 1\n", []string{"c:2: this is no YAML: a tab stands where only blanks may"}},
		{"binary", "\x00\x01\xff\xfe", []string{"c:1: "}},
		{"too long", strings.Repeat("# x\n", maxConfig/4+1), []string{"c: it has more than 64 KiB"}},
		{"all of them in order", "realtime: 1\nonyl: v1\ncount: x\ncount: 1\nduration: 5\n", []string{
			"c:1: realtime", "c:2: onyl", "c:3: count has", "c:4: count is given a second time", "c:5: duration"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, flags := flagsOf(t)
			var wrong configError
			if err := parseConfig("c", []byte(tt.text)).set(flags); !errors.As(err, &wrong) {
				t.Fatalf("error %v", err)
			}
			lines := wrong.lines()
			if !slices.EqualFunc(lines, tt.want, strings.HasPrefix) {
				t.Errorf("%q, want %q", lines, tt.want)
			}
			flags.Visit(func(f *pflag.Flag) { t.Errorf("%s is set all the same", f.Name) })
		})
	}
}

// Also what the command line has a better value for has to be right.
func TestConfigFaultsBesideTheCommandLine(t *testing.T) {
	_, flags := flagsOf(t, "--count", "3")
	if err := parseConfig("c", []byte("count: many\n")).set(flags); err == nil {
		t.Error("nothing is wrong")
	}
}

// What looks like a secret is not shown.
func TestConfigFaultsAreRedacted(t *testing.T) {
	const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	_, flags := flagsOf(t)
	err := parseConfig("c", []byte("duration: password="+secret+"\n")).set(flags)
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("error %v", err)
	}
}

// What is wrong with flags together has the line of one that is in the file.
func TestConfigPlaces(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		args       []string
		want       string
	}{
		{"value", "\nonly: v2\n", nil, `c:2: --only knows v1, not "v2"`},
		{"by its letter", "\n\noutput: \"-\"\n", nil, "c:3: -o and -w write to files"},
		{"the first that is there", "count: 1\nstats-interval: -5s\n", nil, "c:2: --duration, --stats-interval and"},
		{"lines too often", "count: 1\nstats-interval: 1ns\n", nil, "c:2: --stats-interval is at least 1s, or 0 for none"},
		{"of the command line", "count: 1\n", []string{"--only", "v2"}, `--only knows v1, not "v2"`},
		{"not the first in the words", "duration: 1s\noutput: x\nrotate-keep: 3\n", nil, "c:3: --rotate-size is for"},
		{"of the command line, beside what the file has", "duration: 1s\nstate: x\noutput: y\n", []string{"--fold", "-1s"}, "--duration, --stats-interval and"},
		{"its own place", "output: x\nwrite: \"\"\n", nil, "c:2: -r, -o, -w and --state need"},
		{"rotation too small", "output: x\nrotate-size: 1KiB\n", nil, "c:2: --rotate-size is at least 64 KiB"},
		{"too many kept", "output: x\nrotate-size: 1MiB\nrotate-keep: 1001\n", nil, "c:3: --rotate-keep is at least 1, and at most 1000"},
		{"overridden", "only: v1\n", []string{"--only", "v2"}, `--only knows v1, not "v2"`},
		{"together with the command line", "\nenrich-user: x\n", nil, "c:2: --enrich-user and --enrich-timeout are for"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, flags := flagsOf(t, tt.args...)
			o.config = parseConfig("c", []byte(tt.text))
			if err := o.config.set(flags); err != nil {
				t.Fatal(err)
			}
			err := o.config.place(o.check(flags))
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
	if err := (*config)(nil).place(nil); err != nil {
		t.Error(err)
	}
}

const shippedConfig = "../service/config.yaml"

// liveKeys are the flags that a configuration can have.
func liveKeys(t *testing.T) (flags []*pflag.Flag) {
	t.Helper()
	_, all := flagsOf(t)
	all.VisitAll(func(f *pflag.Flag) {
		if !slices.Contains(noKeys(), f.Name) {
			flags = append(flags, f)
		}
	})
	if len(flags) < 17 {
		t.Errorf("there are only %d keys", len(flags))
	}
	return flags
}

// The configuration that is shipped explains each key, with its default.
func TestShippedConfig(t *testing.T) {
	text, err := os.ReadFile(shippedConfig)
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range liveKeys(t) {
		before, _, found := strings.Cut("\n"+string(text), "\n"+flag.Name+": ")
		if !found {
			before, _, found = strings.Cut(string(text), "\n#"+flag.Name+": ")
		}
		if !found {
			t.Errorf("%s is not in it", flag.Name)
			continue
		}
		comment := before[strings.LastIndex(before, "\n\n")+1:]
		if want := "Default: " + strings.Trim(flag.DefValue, "[]"); !strings.Contains(comment, want) {
			if flag.Name != "count" { // 0, which nobody can give
				t.Errorf("%s has no %q: %s", flag.Name, want, comment)
			}
		}
	}
}

// What is commented out can be used as it is there, and is the default where there is one.
func TestShippedConfigUncommented(t *testing.T) {
	text, err := os.ReadFile(shippedConfig)
	if err != nil {
		t.Fatal(err)
	}
	commented := regexp.MustCompile(`(?m)^#([a-z-]+: )`)
	_, flags := flagsOf(t)
	if err := parseConfig("c", commented.ReplaceAll(text, []byte("$1"))).set(flags); err != nil {
		t.Fatal(err)
	}
	off := commented.FindAllStringSubmatch(string(text), -1)
	for _, flag := range liveKeys(t) {
		set := flags.Lookup(flag.Name)
		if !set.Changed {
			t.Errorf("%s is not set", flag.Name)
		}
		examples := slices.ContainsFunc(off, func(m []string) bool { return m[1] == flag.Name+": " })
		if none := slices.Contains([]string{"", "[]", "0"}, flag.DefValue); examples && !none && set.Value.String() != flag.DefValue {
			t.Errorf("%s is %s, and not its default %s", flag.Name, set.Value, flag.DefValue)
		}
	}
}

// keyLine is a line that sets a key, unless it is no text at all.
var keyLine = regexp.MustCompile(`(?m)^[a-z-]+: `)

// FuzzConfig: whatever a configuration holds, it is taken, or it is told in which of its
// lines something is wrong.
func FuzzConfig(f *testing.F) {
	shipped, err := os.ReadFile(shippedConfig)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(shipped))
	for _, seed := range []string{
		"", "only: v1\ncount: 2\n", "interface: [a, b]\n", "interface:\n- a\n- b\n", "a: &x 1\nb: *x\n<<: *x\n", "? a\n: b\n", "{only: v1, \"count\": 0x10}",
		"a: |\n  x\n  y\n", "---\n---\nonly: v1\n", "only: v1\n...\nonly: v1\n", "a: [\n", "---\na: 1\n...\n---\n- b\n", "%YAML 1.2\n---\n", "a: 'x\n", "\tonly: v1", "a: b: c", "!!map {a: !!str b}", "realtime: True\nduration: -1ns\n", "\ufeffonly: v1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, flags := flagsOf(t)
		c := parseConfig("c", []byte(text))
		err := c.set(flags)
		if err == nil && len(c.settings) == 0 && keyLine.MatchString(text) {
			t.Error("nothing is wrong, and no key is set")
		}
		var wrong configError
		switch {
		case err == nil:
			set := 0
			flags.Visit(func(*pflag.Flag) { set++ })
			if set != len(c.settings) {
				t.Errorf("%d flags of %d settings", set, len(c.settings))
			}
			return
		case !errors.As(err, &wrong) || len(wrong.faults) == 0:
			t.Fatalf("error %v", err)
		}
		lines := strings.Count(text, "\n") + strings.Count(text, "\r") + 1
		for _, fault := range wrong.faults {
			if fault.line < 0 || fault.line > lines || fault.words == "" {
				t.Errorf("line %d of %d: %s", fault.line, lines, fault.words)
			}
		}
	})
}
