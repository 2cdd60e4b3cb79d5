package report

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"imds-analyzer/output"
)

var update = flag.Bool("update", false, "write golden files anew")

// fleet is a log with one program for each cause.
func fleet() (lines []any) {
	for _, host := range []string{"web-1", "web-2", "batch-1"} {
		c := capture{host: host, boot: host + "-b1", started: at(0), uptime: 12}
		next := capture{host: host, boot: host + "-b2", started: at(5), uptime: 14}
		lines = append(lines, c.start(), c.stop(at(4.9)), next.start(), next.stop(at(8)))
	}
	add := func(n int, changes ...change) {
		for i := range n {
			lines = append(lines, call(append([]change{when(at(1).Add(time.Duration(i) * 7 * time.Minute))}, changes...)...))
		}
	}
	python := process("/usr/bin/python3.11")
	add(17, python, unit("sync.service"), userAgent("Boto3/1.26.27 Python/3.11 Linux/6.1.0 Botocore/1.29.27"), fallback("refused", 403, "process"), credentials,
		pathTo("/latest/meta-data/iam/security-credentials/app"), packaged("python3", "3.11.2"), commandLine("python3 /opt/app/sync.py"),
		func(e *output.Entry) { e.IMDS.Script = output.Script{Kind: "file", Path: "/opt/app/sync.py"} })
	add(4, from("web-2"), python, unit("sync.service"), fallback("refused", 403, "process"),
		func(e *output.Entry) { e.IMDS.Script = output.Script{Kind: "file", Path: "/opt/app/sync.py"} })
	add(3, from("batch-1"), process("/usr/bin/java"), hops(1, 2), fallback("undelivered", 0, "connection"), findings("hop-limit", "fallback-token-undelivered"),
		func(e *output.Entry) {
			e.Kubernetes.Namespace, e.Kubernetes.Pod.Name, e.Container.Name = "jobs", "report-9v5kd", "main"
			e.Container.Image.Name = "registry.example/report:2.4"
		})
	add(3, from("batch-1"), process("/usr/bin/java"), tokenRequest, hops(1, 2), findings("token-unanswered", "hop-limit"),
		func(e *output.Entry) {
			e.Kubernetes.Namespace, e.Kubernetes.Pod.Name, e.Container.Name = "jobs", "report-9v5kd", "main"
		})
	add(5, userAgent("Boto3/1.9.0 Botocore/1.12.0"), findings("old-software"), status(404), pathTo("/latest/meta-data/spot/instance-action"))
	add(6, userAgent("aws-sdk-go/1.44.0"), fallback("unanswered", 0, "timing"))
	add(2, process("/usr/bin/curl"), unit("cloud-final.service"), findings("script-without-token"), commandLine("curl -s http://169.254.169.254/latest/user-data"), pathTo("/latest/user-data"),
		func(e *output.Entry) {
			e.IMDS.Ancestors = []output.Relative{{PID: 1, Script: "/var/lib/cloud/scripts/per-boot/boot.sh"}}
		})
	add(2, process("/usr/bin/agent"), userAgent("aws-sdk-go-v2/1.17.0"), findings("v2-capable"))
	add(1, process("/usr/bin/agent"), unknownCall)
	add(1, process("/usr/bin/probe"), status(404), findings("other-cloud"), pathTo("/computeMetadata/v1/"))
	add(2, process("/usr/bin/app"), findings("local-responder"), server("kiam"))
	add(8, from("web-2"), process("/usr/bin/good"), tokenRequest, hops(64, 0))
	add(8, from("web-2"), process("/usr/bin/good"), v2)
	add(1, from("web-2"), process("/usr/bin/excused"), status(401), when(at(7)))
	return lines
}

func TestGolden(t *testing.T) {
	full := take(New(Options{MinDays: 7, Ignore: []string{"excused"}}), fleet()...)
	full.Malformed("imds.log.2", 17, errors.New("the line is cut off"))
	full.NotOurs(4)
	batch := as(id("b1"))
	listed := take(New(Options{MinDays: 7, Ignore: []string{"curl"}}), aWeekOf("web-1", id("01")), call(as(id("01")), process("/usr/bin/curl")), aWeekOf("web-3", id("03")),
		aWeekOf("db-1", "i-0123abcd"), aWeekOf("batch-1", id("b1")), call(from("batch-1"), batch, process("/usr/bin/java"), status(403)),
		call(from("batch-1"), batch, tokenRequest, process("/usr/bin/java"), hops(2, 2)))
	listed.Listed(pages(t, ""))
	tests := []struct {
		name   string
		report *Report
	}{
		{"fleet", full.Report()},
		{"ready", take(New(week), aWeek("web-1"), call(v2, process("/usr/bin/good"))).Report()},
		{"not_enough", take(New(week), call(v2, process("/usr/bin/good"))).Report()},
		{"empty", New(week).Report()},
		{"inventory", listed.Report()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var text strings.Builder
			if err := tt.report.Print(&text); err != nil {
				t.Fatal(err)
			}
			golden(t, tt.name+".golden.txt", text.String())
			golden(t, tt.name+".golden.json", reported(t, tt.report))
			for line := range strings.Lines(text.String()) {
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width && !strings.Contains(line, "$token") && !strings.Contains(line, "token=$(") { // lines to paste are as they are
					t.Errorf("a line has %d columns: %s", n, line)
				}
			}
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got:\n%s\nwant:\n%s", name, got, want)
	}
}

// Of many programs and hosts the text shows the first, and counts the rest.
func TestPrintOfMany(t *testing.T) {
	b := New(week)
	for n := range shownPrograms + 3 {
		b.Call(call(process("/bin/" + strings.Repeat("x", n+1))))
	}
	for n := range shownHosts + 2 {
		b.Call(call(v2, from("h"+strings.Repeat("x", n+1))))
	}
	var text strings.Builder
	if err := b.Report().Print(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\n  3 more programs: 3 v1, 0 v2\n", "\n  3 more hosts: 3 not enough evidence\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestWritingFails(t *testing.T) {
	b := take(New(week), some()...)
	for name, write := range map[string]func() error{
		"text":  func() error { return b.Report().Print(full{}) },
		"json":  func() error { return b.Report().JSON(full{}) },
		"state": func() error { return b.Snapshot().Write(full{}) },
	} {
		if err := write(); err == nil || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}
