package output

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"imds-analyzer/attribution"
	"imds-analyzer/identity"
	"imds-analyzer/imds"
)

func newTestConsole(out *strings.Builder, color bool) *Console {
	c := NewConsole(out, "standard output", color, nil)
	c.zone = time.FixedZone("", 2*60*60)
	c.day = c.date(testTime)
	return c
}

func TestConsoleGolden(t *testing.T) {
	var out strings.Builder
	plain, colored := newTestConsole(&out, false), newTestConsole(&out, true)
	records := testRecords()
	for _, name := range slices.Sorted(maps.Keys(records)) {
		e := NewEntry(records[name], testHost)
		if err := plain.Call(&e); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range ownedRecords() {
		e := NewEntry(r, testHost)
		if err := plain.Call(&e); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"01 v1", "07 v2", "10 unknown"} {
		e := NewEntry(records[name], testHost)
		if err := colored.Call(&e); err != nil {
			t.Fatal(err)
		}
	}
	checkGolden(t, "console.golden.txt", out.String())
}

// ownedRecords are calls as hosts of several kinds have them.
func ownedRecords() (records []Record) {
	add := func(method, path string, w identity.Workload, script, name, executable, user string) {
		records = append(records, testRecord(target(path), func(r *Record) {
			r.Call.Request.Method, r.Identity.Workload = method, w
			r.Identity.Script = identity.Script{Kind: identity.ScriptFile, Name: script}
			r.Answer.Process = &attribution.Process{PID: 18648, Name: name, Executable: executable, User: &attribution.User{Name: user}}
		}))
	}
	pod := func(namespace, name, container string) identity.Workload {
		return identity.Workload{
			Container: identity.Container{ID: testContainer, Runtime: identity.Containerd, Name: container},
			Pod:       identity.Pod{UID: "6e5a3a8e-2f0d-4b8e-9c1a-0d9f8b7c6a54", Name: name, Namespace: namespace},
		}
	}
	named := func(name string) identity.Workload {
		return identity.Workload{Container: identity.Container{ID: testContainer, Runtime: identity.Docker, Name: name}}
	}
	task := named("ecs-frontend-production-12-nginx-proxy-90f7d0b1c2e3f4a5b601")
	task.Task = identity.Task{ID: "0a1b2c", Family: "frontend-production:12", Cluster: "prod"}
	unit := func(name string) identity.Workload { return identity.Workload{Unit: name} }
	const (
		credentials = "/latest/meta-data/iam/security-credentials/eks-node-group-role-NodeInstanceRole-1X2Y3Z"
		document    = "/latest/dynamic/instance-identity/document"
		token       = "/latest/api/token"
	)
	add("GET", token, unit("session-3.scope"), "", "curl", "/usr/bin/curl", "root")
	add("GET", "/latest/meta-data/placement/availability-zone", unit("amazon-ssm-agent.service"), "", "ssm-agent-worke", "/usr/bin/ssm-agent-worker", "root")
	add("GET", "/2009-04-04/user-data", unit("cloud-init.service"), "/usr/bin/cloud-init", "cloud-init", "/usr/bin/python3.11", "root")
	add("GET", document, unit("cron.service"), "/etc/cron.hourly/report-inventory", "report-inventor", "/usr/bin/dash", "root")
	add("PUT", token, named("web-1"), "/app/manage.py", "python", "/usr/local/bin/python3.12", "www-data")
	add("GET", credentials, named(""), "server.js", "node", "/usr/local/bin/node", "node")
	add("GET", credentials, task, "", "nginx", "/usr/sbin/nginx", "nginx")
	add("PUT", token, pod("kube-system", "aws-node-x7k2p", "aws-node"), "", "aws-k8s-agent", "/app/aws-k8s-agent", "root")
	add("GET", credentials, pod("jobs", "nightly-report-28911240-abcde", "report"), "/srv/report.py", "python3", "/usr/bin/python3", "uid-10001")
	add("GET", credentials, pod("monitoring", "prometheus-kube-prometheus-stack-prometheus-0", "config-reloader"), "", "prometheus-config-reloader", "/bin/prometheus-config-reloader", "nobody")
	add("GET", "/latest/meta-data/tags/instance/部署環境", named("バッチ処理"), "/srv/集計.py", "python3", "/usr/bin/python3", "app")
	return records
}

func TestConsoleLinesFit(t *testing.T) {
	long := strings.Repeat("/é", 300)
	edits := map[string]func(*Record){
		"target":    target(long),
		"method":    func(r *Record) { r.Call.Request.Method = strings.Repeat("M", 32) },
		"process":   func(r *Record) { r.Answer.Process.Name = strings.Repeat("p", 300) },
		"user":      func(r *Record) { r.Answer.Process.User.Name = strings.Repeat("u", 300) },
		"addresses": func(r *Record) { tokenRequest6(r); offline(r) },
		"no user":   func(r *Record) { r.Answer.Process.User = nil },
		"no name":   func(r *Record) { r.Answer.Process.User.Name = "" },
		"everything": func(r *Record) {
			target(long)(r)
			cutHead(imds.HeadersTooLarge)(r)
			r.Answer.Process.Name = strings.Repeat("p", 300)
		},
	}
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			e := NewEntry(testRecord(edit), testHost)
			if err := newTestConsole(&out, false).Call(&e); err != nil {
				t.Fatal(err)
			}
			line := strings.TrimSuffix(out.String(), "\n")
			if n := columns(line); n > maxLine || strings.Contains(line, "\n") {
				t.Errorf("%d characters: %s", n, line)
			}
		})
	}
}

// Whatever an entry says and whatever the width is, a line fits; its owner and
// program are recognised by how they begin.
func FuzzConsoleFits(f *testing.F) {
	f.Add("GET", "/latest/meta-data/iam/security-credentials/role", "jobs", "sync-6d4cf56db6-x8x7f", "python3", "/sync.py", "app", 4242, 200, uint64(17), 120)
	f.Add("", "/部署環境🚀", "バッチ", "", "e\u0301", "集計.py", "\u202e", -1, -1, uint64(1), 79)
	f.Fuzz(func(t *testing.T, method, path, namespace, name, process, script, user string, pid, status int, calls uint64, width int) {
		width = minLine + int(uint(width)%(maxLine-minLine+1))
		e := NewEntry(testRecord(target(path), cutHead(imds.HeadersTooLarge), func(r *Record) {
			r.Call.Request.Method, r.Call.Response.Status = method, status
			r.Answer.Process.PID, r.Answer.Process.Name, r.Answer.Process.User.Name = pid, process, user
			r.Identity.Pod = identity.Pod{Namespace: namespace, Name: name}
			r.Identity.Script = identity.Script{Kind: identity.ScriptFile, Name: script}
		}), testHost)
		l := newConsoleLine(&e)
		l.calls = max(1, calls)
		c := newTestConsole(&strings.Builder{}, false)
		line, ended := strings.CutSuffix(c.text(l, width), "\n")
		if !ended || strings.Contains(line, "\n") || columns(line) > width {
			t.Fatalf("%d columns, not %d: %q", columns(line), width, line)
		}
		if l.calls > 1 && !strings.HasSuffix(line, l.times()) {
			t.Fatalf("×%d is missing: %q", l.calls, line)
		}
		for _, part := range []string{l.owner, l.program} {
			if begins := part[:head(part, 3)]; !strings.Contains(line, strings.TrimRight(begins, " ")) {
				t.Fatalf("%q is not to be seen in %q", part, line)
			}
		}
	})
}

func TestConsoleErrors(t *testing.T) {
	c := NewConsole(&full{err: syscall.EPIPE}, "standard output", false, nil)
	if err := c.Call(testEntry()); !errors.Is(err, syscall.EPIPE) || !strings.Contains(err.Error(), "standard output") {
		t.Errorf("got %v", err)
	}
}

func TestSanitize(t *testing.T) {
	for in, want := range map[string]string{
		"":                                   "",
		"/latest/meta-data/":                 "/latest/meta-data/",
		"naïve 日本語 €":                        "naïve 日本語 €",
		"a\x1b[31mb":                         "a�[31mb",
		"a\x9b31mb":                          "a�31mb",
		"a\u009b31mb":                        "a�31mb",
		"\x1b]0;title\x07":                   "�]0;title�",
		"a\r\nb\tc\x00\x7f":                  "a��b�c��",
		"abc\u202ecba\u2066\u200f":           "abc�cba��",
		"zero\u200bwidth\u00adtag\U000e0041": "zero�width�tag�",
		"\xff\xfe":                           "��",
	} {
		if got := Sanitize(in); got != want {
			t.Errorf("Sanitize(%q) = %q, want %q", in, got, want)
		}
	}
}

// Nothing of what terminals act on gets through, wherever it stands.
func FuzzConsole(f *testing.F) {
	f.Add("GET", "/\x1b[2J", "e\x1bvil", "\u202e")
	f.Add("", "\x9b\xff", "", "\r")
	f.Fuzz(func(t *testing.T, method, target, name, user string) {
		r := testRecord()
		r.Call.Request.Method, r.Call.Request.Target, r.Call.Request.UserAgent = method, target, name
		r.Answer.Process.Name, r.Answer.Process.Executable, r.Answer.Process.User.Name = name, target, user
		r.Answer.Process.Args = []string{name, target, user}
		r.Identity.Container = identity.Container{ID: name, Name: user, Image: target}
		r.Identity.Pod, r.Identity.Task.ID = identity.Pod{UID: user, Name: name, Namespace: target}, name
		r.Identity.Script = identity.Script{Kind: identity.ScriptFile, Name: target, Package: identity.Package{Name: name, Version: user}}
		e := NewEntry(r, testHost)
		var out strings.Builder
		s := NewSummary()
		s.Add(&e)
		if err := errors.Join(newTestConsole(&out, false).Call(&e), s.Print(&out, CaptureStats{})); err != nil {
			t.Fatal(err)
		}
		for _, r := range out.String() {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Fatalf("%q reached the terminal in %q", r, out.String())
			}
		}
	})
}

func TestCertaintyIsShown(t *testing.T) {
	inferred := NewEntry(testRecord(func(r *Record) { r.Answer.Status = attribution.Inferred }), testHost)
	l := newConsoleLine(&inferred)
	if got := l.who(); got != "python3[4242]? app" {
		t.Errorf("got %s", got)
	}
}
