package report

import (
	"slices"
	"strings"
	"testing"

	"imds-analyzer/output"
)

// What is said of why a program calls version 1, for each kind of evidence.
func TestCauses(t *testing.T) {
	app := process("/usr/bin/app")
	tests := []struct {
		name  string
		calls []any
		want  []string // finding, calls and a part of the text of each cause
		todo  string   // a part of the first's
	}{
		{"none", []any{call(app)}, []string{" 1 not known"}, ""},
		{"v2-capable is none", []any{call(app, findings("v2-capable"), userAgent("x/2.0"))}, []string{" 1 not known: x 2.0 speaks version 2"}, ""},
		{"refused", []any{call(app, fallback("refused", 403, "process"))}, []string{"fallback-token-refused 1 refused with status 403"}, "restart the program"},
		{"refused with no status", []any{call(app, fallback("refused", 0, "process"))}, []string{"fallback-token-refused 1 is refused, and"}, "restart the program"},
		{"unanswered", []any{call(app, fallback("unanswered", 0, "connection"))}, []string{"fallback-token-unanswered 1 not answered"}, ""},
		{"reset", []any{call(app, fallback("reset", 0, "script"))}, []string{"fallback-token-reset 1 is reset"}, ""},
		{"a reason of a later version", []any{call(app, fallback("teapot", 0, "moon"))}, []string{"fallback-token-teapot 1 its token request fails teapot, and it goes on without (moon)"}, ""},
		{"weak by User-Agent", []any{call(app, fallback("refused", 403, "user_agent"))}, []string{"fallback-token-refused 1 by the same address and User-Agent"}, ""},
		{"weak by time", []any{call(app, fallback("refused", 403, "timing"))}, []string{"fallback-token-refused 1 by the same address at the same time"}, ""},
		{"hop limit", []any{call(app, fallback("undelivered", 0, "process"), findings("fallback-token-undelivered", "hop-limit")), call(app, tokenRequest, hops(1, 3))},
			[]string{"fallback-token-undelivered 1 the hop limit of the answer is 1, 3 is needed"}, "see the step that does so, below"},
		{"proxy", []any{call(app, fallback("refused", 403, "process"), findings("fallback-token-refused", "forwarded-for"))}, []string{"fallback-token-refused 1 a proxy adds X-Forwarded-For"}, "proxy"},
		{"expect", []any{call(app, fallback("refused", 417, "process"), findings("expect-continue"))}, []string{"fallback-token-refused 1 Expect: 100-continue"}, "Expect"},
		{"expect, but refused otherwise", []any{call(app, fallback("refused", 403, "process"), findings("expect-continue"))}, []string{"fallback-token-refused 1 goes on without"}, "Find what"},
		{"dated path", []any{call(app, fallback("refused", 403, "process"), findings("dated-token-path"))}, []string{"fallback-token-refused 1 a date in place of latest"}, "/latest/api/token"},
		{"old", []any{call(app, findings("old-software"), userAgent("Boto/2.49.0 Python/3"))}, []string{"old-software 1 boto 2 2.49.0 is too old"}, "replace it: no version"},
		{"script", []any{call(app, findings("script-without-token"))}, []string{"script-without-token 1 a script"}, "token first"},
		{"other cloud", []any{call(app, findings("other-cloud"))}, []string{"other-cloud 1 another cloud"}, "Nothing"},
		{"local responder", []any{call(app, findings("local-responder"), server("kiam"))}, []string{"local-responder 1 kiam"}, "Look whether"},
		{"local responder of which no name is known", []any{call(app, findings("local-responder"))}, []string{"local-responder 1 another service"}, ""},
		{"credentials over v1 are none", []any{call(app, findings("credentials-over-v1"), credentials)}, []string{" 1 not known"}, ""},
		{"several, the most first", []any{call(app), call(app), call(app), call(app, findings("old-software")), call(app, fallback("refused", 403, "process")), call(app, fallback("refused", 403, "process"))},
			[]string{"fallback-token-refused 2 403", "old-software 1 too old", " 3 not known"}, ""},
		{"one way, two ties", []any{call(app, fallback("refused", 403, "timing")), call(app, fallback("refused", 403, "timing")), call(app, fallback("refused", 403, "process"))},
			[]string{"fallback-token-refused 3 and it goes on without"}, ""},
		{"two ways", []any{call(app, fallback("refused", 403, "process")), call(app, fallback("refused", 403, "process")), call(app, fallback("refused", 500, "process"))},
			[]string{"fallback-token-refused 2 403", "fallback-token-refused 1 500"}, ""},
		{"half seen", []any{call(app, unknownCall)}, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			causes := take(New(week), tt.calls...).Report().Programs[0].Causes
			if len(causes) != len(tt.want) {
				t.Fatalf("the causes are %+v", causes)
			}
			for i, want := range tt.want {
				words := strings.SplitN(want, " ", 3)
				c := &causes[i]
				if c.Finding != words[0] || words[1] != number(c.Calls) || !strings.Contains(c.Text, words[2]) {
					t.Errorf("cause %d is %+v, want %s", i, c, want)
				}
			}
			if len(causes) > 0 && !strings.Contains(causes[0].Todo, tt.todo) {
				t.Errorf("to do is %q, want %q", causes[0].Todo, tt.todo)
			}
		})
	}
}

// Ties are told the strongest first, and weak ones are called so only if there is none
// that is stronger.
func TestEvidenceOfFallbacks(t *testing.T) {
	causes := take(New(week), call(fallback("refused", 403, "timing")), call(fallback("refused", 403, "timing")), call(fallback("refused", 403, "connection"))).Report().Programs[0].Causes
	if got := strings.Join(causes[0].Evidence, " "); got != "connection timing" || strings.Contains(causes[0].Text, "not known") {
		t.Errorf("evidence is %q, the text %q", got, causes[0].Text)
	}
}

// Programs are told apart by what is the same on all hosts.
func TestPrograms(t *testing.T) {
	pod := func(name string) change {
		return func(e *output.Entry) {
			e.Kubernetes.Namespace, e.Kubernetes.Pod.Name, e.Container.Name = "app", name, "web"
		}
	}
	script := func(name string) change {
		return func(e *output.Entry) {
			e.IMDS.Ancestors = []output.Relative{{PID: 7, Name: "sh"}, {PID: 6, Script: name}, {PID: 5, Script: "/other.sh"}}
		}
	}
	java, curl := process("/usr/bin/java"), process("/usr/bin/curl")
	tests := []struct {
		name string
		a, b *output.Entry
		same bool
	}{
		{"two hosts", call(java), call(java, from("web-2")), true},
		{"two units", call(java, unit("a.service")), call(java, unit("b.service")), false},
		{"two replicas", call(java, pod("web-7d4b9c6f5d-x2x8z")), call(java, pod("web-7d4b9c6f5d-9kq4v"), from("web-2")), true},
		{"two pods", call(java, pod("web-7d4b9c6f5d-x2x8z")), call(java, pod("api-7d4b9c6f5d-x2x8z")), false},
		{"two executables", call(java), call(curl), false},
		{"two scripts", call(curl, script("/a.sh")), call(curl, script("/b.sh")), false},
		{"one script", call(curl, script("/a.sh")), call(curl, script("/a.sh")), true},
		{"two User-Agents of one program", call(java, userAgent("a/1")), call(java, userAgent("b/1")), true},
		{"two User-Agents", call(userAgent("a/1")), call(userAgent("b/1")), false},
		{"two kernels", call(userAgent("Boto3/1.26 Linux/5.10.0 Botocore/1.29")), call(userAgent("Boto3/1.26 Linux/6.1.0 Botocore/1.29")), true},
		{"two kernels, in the newer form", call(userAgent("Boto3/1.35 md/Botocore#1.35.1 os/linux#5.10.0 lang/python#3.9")), call(userAgent("Boto3/1.35 md/Botocore#1.35.1 os/linux#6.1 lang/python#3.9")), true},
		{"two libraries", call(userAgent("Boto3/1.35 md/Botocore#1.35.1 os/linux#5.10.0")), call(userAgent("Boto3/1.35 md/Botocore#1.35.2 os/linux#5.10.0")), false},
		{"nothing known", call(), call(from("web-2")), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			programs := take(New(week), tt.a, tt.b).Report().Programs
			if (len(programs) == 1) != tt.same {
				t.Errorf("the programs are %+v", programs)
			}
		})
	}
}

// What is told of a program.
func TestProgram(t *testing.T) {
	r := take(New(week), some()...).Report()
	var p *Program
	for i := range r.Programs {
		if r.Programs[i].Name == "backup.service: /usr/bin/curl" {
			p = &r.Programs[i]
		}
	}
	if p == nil {
		t.Fatalf("the programs are %+v", r.Programs)
	}
	if p.Calls.V1 != 2 || p.Blocking != 2 || p.Hosts != 2 || p.Credentials != 1 || p.Kind != "unit" || p.Owner != "backup.service" {
		t.Errorf("it is %+v", p)
	}
	if got := strings.Join(p.HostNames, ", "); got != "db-1 (i-db-1), web-1 (i-web-1)" {
		t.Errorf("hosts are %s", got)
	}
	if !p.First.Equal(at(0.5)) || !p.Last.Equal(at(1.5)) {
		t.Errorf("it called from %v to %v", p.First, p.Last)
	}
	if got := jsonOf(t, p.Answers); got != `[{"text":"status 200","count":1},{"text":"status 404","count":1}]` {
		t.Errorf("answers are %s", got)
	}
}

// The command line is the latest; of two at once it does not matter which came first.
func TestCommandLine(t *testing.T) {
	app := process("/usr/bin/app")
	one, two, old := call(app, commandLine("app 1")), call(app, commandLine("app 2")), call(app, commandLine("app 3"), when(at(0)))
	for _, calls := range [][]any{{one, two, old}, {old, two, one}} {
		if got := take(New(week), calls...).Report().Programs[0].CommandLine; got != "app 2" {
			t.Errorf("the command line is %q", got)
		}
	}
}

// Who started the latest process is told with it, each by what says most.
func TestAncestors(t *testing.T) {
	app := process("/usr/bin/app")
	shell := output.Relative{Name: "bash", Executable: "/bin/bash", Script: "/opt/sync.sh"}
	cron := output.Relative{Name: "cron", Executable: "/usr/sbin/cron"}
	one := call(app, commandLine("app 1"), startedBy(shell, shell), when(at(0)))
	two := call(app, commandLine("app 2"), startedBy(shell, cron, output.Relative{Name: "systemd"}, output.Relative{}, output.Relative{Name: "x\x1b"}))
	tie := call(app, commandLine("app 2"), startedBy(shell))
	want := []string{"/opt/sync.sh", "/usr/sbin/cron", "systemd", "not known", "x\ufffd"}
	for _, calls := range [][]any{{one, two}, {two, one}, {two, two, one}, {tie, two}, {two, tie}} {
		if got := take(New(week), calls...).Report().Programs[0].Ancestors; !slices.Equal(got, want) {
			t.Errorf("it was started by %q", got)
		}
	}
}

func TestPathsBeyondThoseKept(t *testing.T) {
	b := New(week)
	for n := range maxPaths + 5 {
		b.Call(call(pathTo("/" + number(uint64(n)))))
	}
	if p := b.Report().Programs[0]; len(p.Paths) != maxPaths || p.MorePaths != 5 {
		t.Errorf("%d paths and %d more", len(p.Paths), p.MorePaths)
	}
}

func TestIgnore(t *testing.T) {
	program := call(process("/usr/local/bin/backup-tool"), unit("nightly.service"), packaged("backup", "1.2"), userAgent("curl/8.5"),
		func(e *output.Entry) { e.IMDS.Script = output.Script{Kind: "file", Path: "/opt/run.sh"} })
	nobody := call(userAgent("aws-sdk-go/1.20.0 (go1.13)"))
	container := call(process("/app"), func(e *output.Entry) { e.Container.Name, e.Container.Image.Name = "web-1", "registry/web:3" })
	odd := call(userAgent("odd\xff\x1b agent"))
	tests := []struct {
		pattern string
		call    *output.Entry
		want    bool
	}{
		{"backup-tool", program, true},
		{"/usr/local/", program, true},
		{"nightly", program, true},
		{"run.sh", program, true},
		{"backup", program, true},
		{"curl", program, false}, // the User-Agent of a known process
		{"", program, false},
		{"Nightly", program, false},
		{"/usr/*/backup-tool", program, true},
		{"/usr/*", program, true},
		{"backup-*", program, false}, // not the whole of anything
		{"nightly.?ervice", program, true},
		{"nightly.?service", program, false},
		{"backup?", program, false},
		{"[a-z]*", program, false}, // brackets stand for themselves
		{"aws-sdk-go", nobody, true},
		{"aws-sdk-go/1.2*", nobody, true},
		{"registry/web", container, true},
		{"web-1", container, true},
		{"*\xff*", nobody, false}, // no UTF-8
		{"odd\xff\x1b*", odd, true},
		{"\xff\x1b", odd, true},
	}
	for _, tt := range tests {
		r := take(New(Options{Ignore: []string{"never", tt.pattern}}), tt.call).Report()
		if got := r.Programs[0].Ignored; got != tt.want || (r.Verdict.Status == NotReady) == tt.want {
			t.Errorf("%q ignores %s: %v, %s", tt.pattern, r.Programs[0].Name, got, r.Verdict.Status)
		}
	}
}

// Containers of one image are one program, of which not all may be meant.
func TestIgnoreContainers(t *testing.T) {
	of := func(name string) *output.Entry {
		return call(process("/usr/bin/python3"), func(e *output.Entry) { e.Container.Name, e.Container.Image.Name = name, "python:3.11" })
	}
	for pattern, want := range map[string]Status{"billing": NotReady, "payments": NotReady, "python:3.11": NotEnough, "*-1": NotEnough} {
		r := take(New(Options{Ignore: []string{pattern}}), of("billing-1"), of("payments-1")).Report()
		if len(r.Programs) != 1 || r.Verdict.Status != want {
			t.Errorf("%q: %d programs, %s, want %s", pattern, len(r.Programs), r.Verdict.Status, want)
		}
	}
}

// Calls of several programs are excused by what all of them belong to, and not by the name of
// the user, which is often that of one of them.
func TestIgnoreSeveral(t *testing.T) {
	several := func(e *output.Entry) {
		e.User.Name = "splunk"
		e.IMDS.Folded = output.Folded{Calls: 40, Reason: output.ReasonRate, Several: output.SeveralPrograms}
	}
	tests := []struct {
		pattern string
		call    *output.Entry
		want    Status
	}{
		{"splunk", call(several), NotReady},
		{"*splunk", call(several), NotReady},
		{"program", call(several), NotReady},
		{"several", call(several, unit("a.service")), NotReady},
		{"a.service", call(several, unit("a.service")), Ready},
	}
	for _, tt := range tests {
		r := take(New(Options{MinDays: 7, Ignore: []string{tt.pattern}}), aWeek("web-1"), tt.call).Report()
		if r.Verdict.Status != tt.want {
			t.Errorf("%q: %s, want %s: %+v", tt.pattern, r.Verdict.Status, tt.want, r.Programs)
		}
	}
}

// Software is judged by all User-Agents, packages and images of a program.
func TestSoftware(t *testing.T) {
	const setting = "AWS_EC2_METADATA_V1_DISABLED=true in its environment, or ec2_metadata_v1_disabled = true in the shared config file"
	app := process("/usr/bin/python3.11")
	tests := []struct {
		name  string
		calls []any
		want  Software // but for sources and note
	}{
		{"nothing", []any{call(app)}, Software{}},
		{"not in the list", []any{call(app, userAgent("curl/8.5.0"))}, Software{Name: "curl", Version: "8.5.0"}},
		{"a package that is not in the list", []any{call(app, packaged("tool", "1.2-3"))}, Software{Name: "tool", Version: "1.2-3"}},
		{"an SDK", []any{call(app, userAgent("aws-sdk-go/1.44.0"))}, Software{Name: "AWS SDK for Go", Version: "1.44.0", Minimum: "1.25.38",
			Setting: setting + ", if it loads that (AWS_SDK_LOAD_CONFIG=1)", SettingSince: "1.47.2", SettingNote: "needs 1.47.2 or later"}},
		{"one that has the setting", []any{call(app, userAgent("aws-sdk-go/1.47.2"))}, Software{Name: "AWS SDK for Go", Version: "1.47.2", Minimum: "1.25.38",
			Setting: setting + ", if it loads that (AWS_SDK_LOAD_CONFIG=1)", SettingSince: "1.47.2"}},
		{"one of which the version is not known", []any{call(app, userAgent("aws-sdk-nodejs/x"))}, Software{Name: "AWS SDK for JavaScript in Node.js", Minimum: "2.722.0",
			Setting: setting, SettingSince: "2.1488.0", SettingNote: "since 2.1488.0"}},
		{"one of which it is not known since when it has it", []any{call(app, userAgent("aws-sdk-cpp/1.11.1"))}, Software{Name: "AWS SDK for C++", Version: "1.11.1", Minimum: "1.7.229",
			Setting: setting, SettingNote: "older versions do not know it"}},
		{"the older of two", []any{call(app, userAgent("aws-sdk-go/1.44.0")), call(app, userAgent("aws-sdk-go/1.44.0")), call(app, userAgent("aws-sdk-go/1.20.0"))},
			Software{Name: "AWS SDK for Go", Version: "1.20.0", Minimum: "1.25.38"}},
		{"it pretends", []any{call(app, packaged("curl", "7.88.1"), userAgent("aws-cli/1.10"))}, Software{Name: "curl", Version: "7.88.1"}},
		{"it pretends, and is known", []any{call(app, packaged("amazon-ssm-agent", "2.3.1"), userAgent("aws-cli/1.10"))}, Software{Name: "Amazon SSM Agent", Version: "2.3.1", Minimum: "3.0.431.0"}},
		{"it may pretend", []any{call(app, packaged("curl", "7.88.1"), userAgent("s3fs/1.80")), call(app, packaged("s3fs", ""))}, Software{Name: "s3fs", Version: "1.80", Minimum: "1.91"}},
		{"a package", []any{call(app, packaged("amazon-ssm-agent", "2.3.1"))}, Software{Name: "Amazon SSM Agent", Version: "2.3.1", Minimum: "3.0.431.0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := take(New(week), tt.calls...).Report().Programs[0].Software
			if got.Minimum != "" && got.Source == "" {
				t.Error("the minimum has no source")
			}
			if (got.Setting == "") != (got.SettingSource == "") {
				t.Errorf("%q is said by %q", got.Setting, got.SettingSource)
			}
			if got.Source, got.Note, got.SettingSource = "", "", ""; got != tt.want {
				t.Errorf("it is %#v, want %#v", got, tt.want)
			}
		})
	}
}
