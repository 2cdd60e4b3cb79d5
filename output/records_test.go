package output

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/diagnosis"
	"imds-analyzer/identity"
	"imds-analyzer/imds"
)

var update = flag.Bool("update", false, "write the golden files")

// checkGolden compares got with a file under testdata.
func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update writes it)\ngot:\n%s\nwant:\n%s", name, got, want)
	}
}

var (
	testTime = time.Date(2026, 11, 23, 4, 30, 49, 850998123, time.UTC)
	testHost = Host{Hostname: "web-1", ID: "0123456789abcdef0123456789abcdef", InstanceID: "i-0123456789abcdef0", Region: "eu-central-1", AvailabilityZone: "eu-central-1a"}
)

// Secrets that were never valid, in the shapes of real ones.
const (
	testKeyID = "ASIAIOSFODNN7EXAMPLE"
	testKey   = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	testToken = "AQAEAHxT8b_q0ZcK5nYwPm3RfVdLgXoE7sUiJtB2-hN9yCqWkA4vzQ=="
)

func testConn() imds.Conn {
	return imds.Conn{
		ID:        1,
		Client:    netip.MustParseAddrPort("10.0.1.23:44976"),
		Service:   netip.MustParseAddrPort("169.254.169.254:80"),
		Interface: "ens5",
		Opened:    testTime,
	}
}

func testProcess() *attribution.Process {
	return &attribution.Process{
		PID:              4242,
		Name:             "python3",
		Executable:       "/usr/bin/python3.11",
		Args:             []string{"python3", "/opt/app/sync.py", "--region", "eu-west-1"},
		WorkingDirectory: "/opt/app",
		Start:            time.Date(2026, 11, 23, 4, 0, 0, 120000000, time.UTC),
		User:             &attribution.User{ID: 1000, Name: "app"},
		Ancestors: []attribution.Ancestor{
			{PID: 4200, Name: "bash", Executable: "/usr/bin/bash", Args: []string{"bash", "/opt/app/run it.sh"}},
			{PID: 1, Name: "systemd", Executable: "/usr/lib/systemd/systemd", Args: []string{"/sbin/init"}},
		},
	}
}

const testContainer = "4c5f9a6d3b2e1f0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a"

// testRecord is a call of version 1 that succeeded; edits make others of it.
func testRecord(edits ...func(*Record)) Record {
	r := Record{Evidence: diagnosis.Evidence{
		Call: imds.Call{
			Conn: testConn(),
			Request: imds.Request{
				Time: testTime, Method: "GET", Target: "/latest/meta-data/instance-id", Proto: "1.1",
				Host: "169.254.169.254", UserAgent: "python-requests/2.28.1",
			},
			Response: &imds.Response{Time: testTime.Add(time.Millisecond), Status: 200, HopLimit: 64},
		},
		Answer: attribution.Answer{Status: attribution.Resolved, Method: attribution.SockDiag, Process: testProcess()},
	}}
	for _, edit := range edits {
		edit(&r)
	}
	return r
}

func offline(r *Record) { r.Answer = attribution.Answer{Status: attribution.Offline} }

func token(r *Record) { r.Call.Request.TokenHeader = true }

func unanswered(r *Record) { r.Call.Response = nil }

func status(code int) func(*Record) { return func(r *Record) { r.Call.Response.Status = code } }

func target(target string) func(*Record) { return func(r *Record) { r.Call.Request.Target = target } }

func cutHead(why imds.Incomplete) func(*Record) {
	return func(r *Record) { r.Call.Request.Incomplete = why }
}

func tokenRequest6(r *Record) {
	r.Call.Conn.Client = netip.MustParseAddrPort("[fd00:ec2::17]:50000")
	r.Call.Conn.Service = netip.MustParseAddrPort("[fd00:ec2::254]:80")
	r.Call.Request = imds.Request{
		Time: testTime, Method: "PUT", Target: "/latest/api/token", Proto: "1.1", Host: "[fd00:ec2::254]:80",
		UserAgent: "curl/7.88.1", TTLHeader: true, TTLSeconds: 21600,
	}
}

func nothingSeen(r *Record) {
	r.Call = imds.Call{Conn: testConn(), Request: imds.Request{Time: testTime, Incomplete: imds.CaptureStart}}
	r.Answer = attribution.Answer{Status: attribution.NotFound}
}

func hostile(r *Record) {
	r.Call.Request.Method = "G\x1b[2J"
	r.Call.Request.Target = "/\x00\x7f\u009b31m\u202e\xff\"\\<>&?é=\u2028\U000e0041"
	r.Call.Request.UserAgent = "\x1b]0;owned\x07\r\nX: y"
	p := r.Answer.Process
	p.Name = "e\x1bvil"
	p.Args = []string{"evil", "a\nb", "", "it's", "$HOME", "\xc3\x28"}
	p.User.Name = "r\u202eoot"
}

// testRecords are all kinds of records.
func testRecords() map[string]Record {
	return map[string]Record{
		"01 v1":                testRecord(),
		"02 v1 refused":        testRecord(status(401)),
		"03 v1 unanswered":     testRecord(unanswered),
		"04 v1 reset":          testRecord(unanswered, func(r *Record) { r.Call.Reset = true }),
		"05 v1 query, offline": testRecord(offline, target("/latest/meta-data/?a=b&c")),
		"06 v1 credentials":    testRecord(target("/latest/meta-data/iam/security-credentials/my-role")),
		"07 v2":                testRecord(token),
		"08 v2 token, IPv6":    testRecord(tokenRequest6),
		"09 v2 head cut off":   testRecord(token, cutHead(imds.LostSegment)),
		"10 unknown":           testRecord(cutHead(imds.Snaplen), offline),
		"11 unknown PUT": testRecord(cutHead(imds.CaptureEnd), unanswered, func(r *Record) {
			r.Call.Request.Method = "PUT"
		}),
		"12 nothing seen": testRecord(nothingSeen),
		"13 proxy":        testRecord(func(r *Record) { r.Call.Request.ForwardedFor = true }),
		"14 shared": testRecord(func(r *Record) {
			r.Answer.Status = attribution.Shared
			r.Answer.Candidates = []attribution.Process{{PID: 4243, Name: "python3", Args: []string{"python3", "worker"}}}
		}),
		"15 inferred": testRecord(func(r *Record) {
			r.Answer.Status, r.Answer.Method = attribution.Inferred, attribution.Proc
			r.Answer.Process = &attribution.Process{PID: 7, NamespacePID: 3, Deleted: true, Args: []string{"x"}, ArgsTruncated: true}
			r.Identity.Elsewhere = true
		}),
		"16 unavailable": testRecord(func(r *Record) { r.Answer = attribution.Answer{Status: attribution.Unavailable} }),
		"17 hostile":     testRecord(hostile),
		"18 absurd time": testRecord(func(r *Record) {
			r.Call.Request.Time = time.Unix(1<<45, 0)
			r.Call.Response.Time = testTime
		}),
		"20 pod":      testRecord(inPod),
		"21 ecs task": testRecord(inTask),
		"22 unit":     testRecord(inUnit),
		"23 fallback": testRecord(fellBack),
		"24 hop limit": testRecord(tokenRequest6, func(r *Record) {
			r.Call.Response.HopLimit, r.Call.Response.HopLimitNeeded, r.Call.Response.Server = 1, 2, "EC2ws"
			r.Diagnosis.Findings = []diagnosis.Finding{diagnosis.HopLimit}
		}),
		"19 secrets": testRecord(target("/latest/meta-data/?token="+testToken+"&x=1"), func(r *Record) {
			r.Call.Request.UserAgent = "app/1 (" + testKeyID + ")"
			r.Answer.Process.Args = []string{"curl", "-H", "X-aws-ec2-metadata-token: " + testToken}
		}),
	}
}

func fellBack(r *Record) {
	r.Sequence = 12
	r.Diagnosis = diagnosis.Diagnosis{
		Findings: []diagnosis.Finding{diagnosis.FallbackRefused, diagnosis.ForwardedFor, diagnosis.CredentialsOverV1},
		Fallback: &diagnosis.Fallback{Reason: diagnosis.Refused, Status: 403, Tie: diagnosis.SameProcess, Since: testTime.Add(-time.Hour)},
	}
}

func inPod(r *Record) {
	r.Identity = identity.Identity{
		Workload: identity.Workload{
			Container: identity.Container{ID: testContainer, Runtime: identity.Containerd, Name: "sync", Image: "registry.example/sync:1.2"},
			Pod:       identity.Pod{UID: "6e5a3a8e-2f0d-4b8e-9c1a-0d9f8b7c6a54", Name: "sync-6d4cf56db6-x8x7f", Namespace: "jobs"},
			Unit:      "kubelet.service",
		},
		Software: identity.Software{Script: identity.Script{Kind: identity.ScriptFile, Name: "sync.py", Path: "/opt/app/sync.py"}},
	}
}

func inTask(r *Record) {
	r.Identity.Container = identity.Container{ID: testContainer, Runtime: identity.Docker, Name: "ecs-web-7-web-90f7"}
	r.Identity.Task = identity.Task{ID: "0a1b2c", ARN: "arn:aws:ecs:eu-west-1:111122223333:task/prod/0a1b2c", Family: "web:7", Cluster: "prod"}
}

func inUnit(r *Record) {
	deb := identity.Package{Name: "cloud-init", Version: "22.4.2-1", Type: "deb"}
	r.Identity.Unit, r.Identity.UserUnit = "user@1000.service", "sync.service"
	r.Identity.Package = identity.Package{Name: "python3.11-minimal", Version: "3.11.2-6", Type: "deb"}
	r.Identity.Script = identity.Script{Kind: identity.ScriptFile, Name: "/usr/bin/cloud-init", Path: "/usr/bin/cloud-init", Package: deb}
	r.Identity.Caller = identity.Script{Kind: identity.ScriptFile, Name: "/opt/app/run it.sh", Path: "/opt/app/run it.sh", Package: deb}
	r.Identity.Generation = 1
}

// withoutPackets is the summary of connections whose packets were not captured,
// made by the callers of the records that the edits make.
func withoutPackets(edits ...func(*Record)) *Summary {
	s := NewSummary()
	for _, edit := range edits {
		r := testRecord(edit)
		s.AddWithoutPackets(r.Answer, &r.Identity.Workload)
	}
	return s
}

func testLifecycles() []Lifecycle {
	s := Session{
		Host: testHost, Interfaces: []string{"any"}, Filter: "tcp and host 169.254.169.254", Libpcap: "1.10.3",
		Methods:      []attribution.Method{attribution.SockDiag, attribution.Proc},
		Capabilities: []string{"CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE", "CAP_SYS_ADMIN"},
		Confined:     []string{"no_core_dumps", "no_new_privs", "seccomp"},
		Limits:       []string{"sock_diag does not work: \"no\"."},
		BootID:       "c3b1b2a0-7a52-4a8e-9a0d-0f4b3f0a7a11", Uptime: 345678, Started: testTime,
	}
	files := Session{
		Interfaces: []string{"a.pcap", "b.pcap"}, Started: testTime,
		FirstPacket: testTime.Add(-24 * time.Hour), LastPacket: testTime.Add(-time.Hour),
	}
	calm := Counts{PacketsReceived: 120, CallsV1: 1, CallsV2: 11, AttributionResolved: 12}
	lossy := Counts{PacketsReceived: 9000, PacketsDroppedKernel: 3, PacketsDroppedInterface: 1, CallsUnknown: 2, StreamsNotHTTP: 1, ResponsesUnmatched: 2, ConnectionsEvicted: 1, PacketsNotSaved: 5, EndedEarly: true, AttributionMissed: 2, EventsLost: 7, Truncated: true, RequestsCut: new(uint64(2)), SnaplenNeeded: new(uint64(308)), RequestsPartial: 3, RequestGaps: 6, FilesLate: 2, EnrichFailed: new(uint64(4))}
	lost := withoutPackets(inTask, inTask, inPod, func(*Record) {}).Counts(CaptureStats{
		PacketsReceived: 40, NetworkNamespaces: new(uint64(3)), TellsWithoutPackets: true,
	})
	incomplete := s.Progress(CaptureStopped, testTime.Add(time.Hour), calm)
	incomplete.NotWritten(12)
	return append([]Lifecycle{
		s.Start(),
		s.Progress(CaptureRuns, testTime.Add(time.Minute), calm),
		s.Progress(CaptureStopped, testTime.Add(time.Hour), lossy),
		s.Progress(CaptureStopped, testTime.Add(2*time.Hour), lost),
		(&Session{Started: testTime}).Start(),
		files.Progress(CaptureStopped, testTime.Add(time.Second), calm),
		s.Gap(testTime.Add(time.Minute), 1, lossy),
		incomplete,
	}, embedded()...)
}
