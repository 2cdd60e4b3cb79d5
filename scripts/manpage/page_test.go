package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"imds-analyzer/cli"
)

const text = "../../packaging/imds-analyzer.8"

// readable is the page without what groff is told.
func readable(t *testing.T) string {
	var out bytes.Buffer
	if err := run([]string{"-version", "1.2.3~rc1", "-date", "1700000000", text}, &out); err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(`\-`, "-", `\e`, `\`, `\&`, "", `\fB`, "", `\fI`, "", `\fR`, "").Replace(out.String())
}

func helpOf(t *testing.T, args ...string) string {
	var out bytes.Buffer
	if status := cli.Main(append(args, "--help"), cli.Streams{In: strings.NewReader(""), Out: &out, Err: &out}); status != 0 {
		t.Fatalf("%q --help: exit status %d", args, status)
	}
	return out.String()
}

// The page has what the help has: every command, every flag with its argument.
func TestPageIsAsTheHelp(t *testing.T) {
	page := readable(t)
	flag := regexp.MustCompile(`(?m)^ +((?:-\w, )?--[\w-]+(?: \S+)?)(?:  |$)`)
	command := regexp.MustCompile(`(?m)^  (\w[\w-]*)  +[A-Z]`)
	flags, commands := 0, 0
	for _, found := range command.FindAllStringSubmatch(helpOf(t), -1) {
		if found[1] == "help" { // goes without saying
			continue
		}
		commands++
		if !strings.Contains(page, "\n.SS \"imds-analyzer "+found[1]) {
			t.Errorf("no section for the command %s", found[1])
		}
	}
	for _, name := range []string{"", "report", "check-config", "selftest", "version"} {
		for _, found := range flag.FindAllStringSubmatch(helpOf(t, strings.Fields(name)...), -1) {
			if strings.Contains(found[1], "--help") {
				continue
			}
			flags++
			if !strings.Contains(page, "\n.TP\n"+found[1]+"\n") {
				t.Errorf("%s: no %q", name, found[1])
			}
		}
	}
	if flags < 30 || commands < 5 {
		t.Errorf("of %d flags and %d commands", flags, commands)
	}
}

func TestHeader(t *testing.T) {
	if page := readable(t); !strings.Contains(page, `.TH IMDS-ANALYZER 8 "2023-11-14" "imds-analyzer 1.2.3~rc1"`) {
		t.Errorf("the header is not that of the version and date:\n%.300s", page)
	}
}

// The text of the page names what the package has.
func TestFilesAreThePackages(t *testing.T) {
	recipe, err := os.ReadFile("../../packaging/nfpm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`(?m)^\.I (/\S+)`).FindAllStringSubmatch(readable(t), -1)
	for _, found := range named {
		directory := found[1][:strings.LastIndex(found[1], "/")]
		if !strings.Contains(string(recipe), "dst: "+found[1]+"\n") && !strings.Contains(string(recipe), "dst: "+directory+"\n") {
			t.Errorf("the package has no %s", found[1])
		}
	}
	if len(named) < 4 {
		t.Errorf("the page names %d files", len(named))
	}
}

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"plain":              "plain",
		"--flag":             `\-\-flag`,
		`a\b`:                `a\eb`,
		".hidden\n'quoted'":  "\\&.hidden\n\\&'quoted'",
		"end.\nnot. hidden'": "end.\nnot. hidden'",
	} {
		if got := escape(in); got != want {
			t.Errorf("escape(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWrongUse(t *testing.T) {
	for _, args := range [][]string{{}, {"a", "b"}, {"not-there"}, {"-nope", text}} {
		var out bytes.Buffer
		if err := run(args, &out); err == nil || out.Len() > 0 {
			t.Errorf("run(%q) = %v, wrote %q", args, err, &out)
		}
	}
}
