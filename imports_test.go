package main_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "imds-analyzer"

// room is what the packages of one top-level folder may import beside the
// standard library and one another.
type room struct {
	all    bool     // everything
	ours   []string // other rooms
	others []string // modules, or packages, with all that is below them
	not    []string // parts of the standard library that are not for it
}

// speaking is the part of the standard library that tells people things:
// packages return errors, and only the cli speaks.
var speaking = []string{"log"}

// rooms are the import rules. A folder without a rule is against the rules.
var rooms = map[string]room{
	".":   {all: true},
	"cli": {all: true},
	"imds": {
		not: append([]string{"os", "net", "syscall", "io"}, speaking...), // it does no I/O
	},
	"capture": {
		ours:   []string{"imds"},
		others: []string{"github.com/google/gopacket", "github.com/klauspost/compress", "github.com/vishvananda/netlink", "golang.org/x/sys"},
		not:    speaking,
	},
	"attribution": {
		others: []string{"github.com/shirou/gopsutil/v3", "golang.org/x/sys"},
		not:    speaking,
	},
	"confine": {
		others: []string{"github.com/elastic/go-seccomp-bpf", "golang.org/x/net/bpf", "golang.org/x/sys"},
		not:    speaking,
	},
	"identity": {ours: []string{"attribution"}, others: []string{"golang.org/x/sys"}, not: speaking},
	"carried":  {ours: []string{"imds", "attribution", "identity"}, not: append([]string{"os", "net", "syscall", "io"}, speaking...)},
	"output": {
		ours:   []string{"imds", "attribution", "identity", "diagnosis"},
		others: []string{"github.com/sirupsen/logrus", "golang.org/x/sys", "golang.org/x/text/width"},
		not:    speaking,
	},
	"metrics": {
		ours: []string{"imds", "output"},
		not:  append([]string{"os", "net", "syscall", "io"}, speaking...), // counts in, text out
	},
	"selftest": {
		others: []string{"github.com/vishvananda/netlink"},
		not:    speaking,
	},
	"diagnosis": {ours: []string{"imds", "attribution", "identity"}, not: append([]string{"os", "net", "syscall"}, speaking...)},
	"report": {
		ours:   []string{"imds", "attribution", "identity", "diagnosis", "output"},
		others: []string{"github.com/go-json-experiment/json"},
		not:    speaking,
	},
	"scripts": {all: true},
}

// pure are packages below one that does I/O, which do none.
var pure = []string{"net/netip", "net/url"}

func (r room) allows(name, imported string) bool {
	own, ok := strings.CutPrefix(imported, module+"/")
	switch {
	case r.all:
		return true
	case ok:
		return below(own, append(r.ours, name)...)
	case isStandard(imported):
		return slices.Contains(pure, imported) || !below(imported, r.not...)
	}
	return below(imported, r.others...)
}

// below says whether a package is one of these or below one of them.
func below(name string, these ...string) bool {
	return slices.ContainsFunc(these, func(this string) bool {
		return name == this || strings.HasPrefix(name, this+"/")
	})
}

// isStandard: the first element of every other module's path has a dot, the
// host that it is fetched from.
func isStandard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return first != module && !strings.Contains(first, ".")
}

// brokenRules lists the imports in a source tree that are against the rules.
// It reads the files of all systems and build tags. What only tests import is
// no part of the program, and is not looked at.
func brokenRules(tree fs.FS) (broken []string, err error) {
	err = fs.WalkDir(tree, ".", func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && isNoSource(file):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go"):
			return nil
		}
		found, err := brokenBy(tree, file)
		broken = append(broken, found...)
		return err
	})
	return broken, err
}

// isNoSource knows the folders that the go command passes over, and the one
// that holds what was built.
func isNoSource(dir string) bool {
	base := path.Base(dir)
	return dir == "build" || base == "testdata" || dir != "." && strings.ContainsAny(base[:1], "._")
}

func brokenBy(tree fs.FS, file string) (broken []string, err error) {
	source, err := fs.ReadFile(tree, file)
	if err != nil {
		return nil, err
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, source, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	name, _, _ := strings.Cut(path.Dir(file), "/")
	rule, ok := rooms[name]
	if !ok {
		return []string{fmt.Sprintf("%s: there is no rule for the folder %s", file, name)}, nil
	}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if !rule.allows(name, imported) {
			broken = append(broken, fmt.Sprintf("%s imports %s", file, imported))
		}
	}
	return broken, nil
}

func TestImportRules(t *testing.T) {
	broken, err := brokenRules(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range broken {
		t.Error(b)
	}
}

// Each rule is shown to hold something back: a tree with this one file in it
// is against the rules, or is not.
func TestImportRulesCanBreak(t *testing.T) {
	tests := []struct {
		file, imported string
		broken         bool
	}{
		{"main.go", "imds-analyzer/cli", false},
		{"cli/run.go", "github.com/spf13/cobra", false},
		{"cli/run.go", "log", false},

		{"imds/imds.go", "net/netip", false},
		{"imds/imds.go", "strings", false},
		{"imds/imds.go", "net", true},
		{"imds/imds.go", "net/http", true},
		{"imds/imds.go", "os", true},
		{"imds/imds.go", "os/exec", true},
		{"imds/imds.go", "golang.org/x/sys/unix", true},
		{"imds/imds.go", "imds-analyzer/capture", true},

		{"capture/tcp.go", "imds-analyzer/imds", false},
		{"capture/tcp.go", "imds-analyzer/capture/inner", false},
		{"capture/live_pcap.go", "github.com/google/gopacket/pcap", false},
		{"capture/zstd.go", "github.com/klauspost/compress/zstd", false},
		{"capture/live.go", "golang.org/x/sys/unix", false},
		{"capture/tcp.go", "imds-analyzer/attribution", true},
		{"capture/tcp.go", "imds-analyzer/output", true},
		{"capture/inner/tcp.go", "imds-analyzer/cli", true},
		{"capture/tcp.go", "imds-analyzer/imdsother", true},
		{"capture/tcp.go", "github.com/sirupsen/logrus", true},
		{"capture/tcp.go", "github.com/google/gopacketother", true},
		{"capture/tcp.go", "log/slog", true},
		{"capture/tap_windows.go", "imds-analyzer/output", true},

		{"attribution/facts.go", "github.com/shirou/gopsutil/v3/process", false},
		{"attribution/facts.go", "golang.org/x/sys/unix", false},
		{"attribution/facts.go", "imds-analyzer/imds", true},
		{"attribution/facts.go", "github.com/google/gopacket", true},
		{"attribution/facts.go", "log", true},

		{"output/entry.go", "imds-analyzer/imds", false},
		{"output/entry.go", "imds-analyzer/attribution", false},
		{"output/entry.go", "github.com/sirupsen/logrus", false},
		{"output/columns.go", "golang.org/x/text/width", false},
		{"output/columns.go", "golang.org/x/text/language", true},
		{"output/entry.go", "imds-analyzer/capture", true},
		{"output/entry.go", "github.com/spf13/cobra", true},

		{"metrics/counters.go", "imds-analyzer/output", false},
		{"metrics/counters.go", "imds-analyzer/attribution", true},
		{"metrics/text.go", "os", true},

		{"confine/calls_linux.go", "github.com/elastic/go-seccomp-bpf/arch", false},
		{"confine/calls_linux.go", "imds-analyzer/capture", true},

		{"carried/ptcpdump.go", "imds-analyzer/identity", false},
		{"carried/ptcpdump.go", "imds-analyzer/output", true},
		{"carried/ptcpdump.go", "os", true},

		{"selftest/network.go", "github.com/vishvananda/netlink", false},
		{"selftest/network.go", "imds-analyzer/capture", true},

		{"diagnosis/findings.go", "imds-analyzer/attribution", false},
		{"diagnosis/findings.go", "imds-analyzer/output", true},
		{"diagnosis/findings.go", "os", true},
		{"report/verdict.go", "imds-analyzer/output", false},
		{"report/verdict.go", "imds-analyzer/capture", true},
		{"report/logs/parse.go", "github.com/go-json-experiment/json/jsontext", false},

		{"other/other.go", "strings", true},
		{"capture/tcp_test.go", "github.com/spf13/cobra", false},
		{"capture/testdata/tcp.go", "github.com/spf13/cobra", false},
		{"build/tcp.go", "github.com/spf13/cobra", false},
		{".hidden/tcp.go", "github.com/spf13/cobra", false},
	}
	for _, tt := range tests {
		t.Run(tt.file+" imports "+tt.imported, func(t *testing.T) {
			source := fmt.Sprintf("//go:build other\n\npackage p\n\nimport _ %q\n", tt.imported)
			broken, err := brokenRules(fstest.MapFS{tt.file: {Data: []byte(source)}})
			if err != nil {
				t.Fatal(err)
			}
			if (len(broken) > 0) != tt.broken {
				t.Errorf("against the rules: %q, want some: %v", broken, tt.broken)
			}
		})
	}
}
