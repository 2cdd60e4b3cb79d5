package carried

import (
	"reflect"
	"strings"
	"testing"

	"imds-analyzer/attribution"
	"imds-analyzer/identity"
	"imds-analyzer/imds"
)

// by is an answer that a capture gives.
func by(s attribution.Status, p attribution.Process) attribution.Answer {
	return attribution.Answer{Status: s, Method: attribution.CaptureComment, Process: &p}
}

// whole is what ptcpdump writes of a process in a pod.
const whole = "PID: 553587\nCmd: /usr/bin/wget\nArgs: wget -q kernel.org\nThreadId: 553588\nThreadName: wget\nUserId: 1000\nGroupId: 1001\n" +
	"ParentPID: 553296\nParentCmd: /bin/sh\nParentArgs: sh -c...\n" +
	"ContainerName: test\nContainerId: d9028334568b\nContainerImage: docker.io/library/alpine:3.18\nContainerLabels: {\"PID: \":\"1\"}\n" +
	"PodName: test-1\nPodNamespace: default\nPodUID: 9e4bc54b-de48\nPodLabels: {}\nPodAnnotations: {}"

var (
	wholeProcess = attribution.Process{
		PID: 553587, Executable: "/usr/bin/wget", Args: []string{"wget", "-q", "kernel.org"}, ArgsJoined: true, User: &attribution.User{ID: 1000},
		Ancestors: []attribution.Ancestor{{PID: 553296, Executable: "/bin/sh", Args: []string{"sh", "-c"}, ArgsTruncated: true, ArgsJoined: true}},
	}
	wholeWorkload = identity.Workload{
		Container: identity.Container{ID: "d9028334568b", Name: "test", Image: "docker.io/library/alpine:3.18"},
		Pod:       identity.Pod{UID: "9e4bc54b-de48", Name: "test-1", Namespace: "default"},
	}
)

func TestCaller(t *testing.T) {
	pid := func(pid int) attribution.Answer { return by(attribution.Inferred, attribution.Process{PID: pid}) }
	said := func(comment string) *imds.Note { return &imds.Note{Comment: comment} }
	received := func(n *imds.Note) *imds.Note { n.Inbound = true; return n }
	curl := imds.Sender{PID: 77, Name: "curl"}
	none := identity.Workload{}
	for _, tt := range []struct {
		name     string
		note     *imds.Note
		want     attribution.Answer
		workload identity.Workload
	}{
		{"nothing", nil, unknown, none},
		{"nothing said", &imds.Note{}, unknown, none},
		{"somebody's note", said("look: here is the PID=12 that I meant"), unknown, none},

		{"etl2pcapng", said("PID=4712 TID=4716"), pid(4712), none},
		{"etl2pcapng 1.3", said("PID=4712"), pid(4712), none},
		{"etl2pcapng, wireless", said("PID=4712 TID=4716 Packet Metadata: ReceiveFlags:0x1, PhyType:802.11n"), pid(4712), none},
		{"etl2pcapng, switch", said("PID=4712 TID=4716 VlanId=0 SrcPortId=2 SrcNicType=x"), pid(4712), none},
		{"etl2pcapng, and a note", said("PID=4712 TID=4716\nmine"), pid(4712), none},
		{"a note, and etl2pcapng", said("mine\nPID=4712 TID=4716"), pid(4712), none},
		{"etl2pcapng, received", received(said("PID=4712 TID=4716")), unknown, none},
		{"etl2pcapng, idle", said("PID=0 TID=0"), unknown, none},
		{"etl2pcapng, system", said("PID=4 TID=8"), unknown, none},
		{"etl2pcapng, not known", said("PID=-1 TID=-1"), unknown, none},
		{"etl2pcapng, another", said("PID=4712 and more"), unknown, none},
		{"etl2pcapng, no number", said("PID=47a TID=1"), unknown, none},
		{"etl2pcapng, too large", said("PID=4294967296 TID=1"), unknown, none},
		{"etl2pcapng, largest", said("PID=4294967292 TID=1"), pid(4294967292), none},

		{"ptcpdump", said(whole), by(attribution.Inferred, wholeProcess), wholeWorkload},
		{"ptcpdump, received", received(said(whole)), by(attribution.Inferred, wholeProcess), wholeWorkload},
		{"ptcpdump, lines of Windows", said(strings.ReplaceAll(whole, "\n", "\r\n")), by(attribution.Inferred, wholeProcess), wholeWorkload},
		{"ptcpdump, first versions", said("PID: 7\nCommand: /bin/x\nArgs: x\nParentPID: 1\nParentCommand: /sbin/init"), by(attribution.Inferred, attribution.Process{
			PID: 7, Executable: "/bin/x", Args: []string{"x"}, ArgsJoined: true, Ancestors: []attribution.Ancestor{{PID: 1, Executable: "/sbin/init"}},
		}), none},
		{"ptcpdump, no more than a pid", said("PID: 7\nCmd: \nArgs: "), pid(7), none},
		{"ptcpdump, relative", said("PID: 7\nCmd: ./bin/x\nArgs: "), by(attribution.Inferred, attribution.Process{PID: 7, Name: "x"}), none},
		{"ptcpdump, cut", said("PID: 7\nCmd: /usr/lib...\nArgs: x -y..."), by(attribution.Inferred, attribution.Process{
			PID: 7, Args: []string{"x", "-y"}, ArgsTruncated: true, ArgsJoined: true,
		}), none},
		{"ptcpdump, cut in a token", said("PID: 7\nCmd: /bin/x\nArgs: x AQAEAHxT8b_q0ZcK5nYwP..."), by(attribution.Inferred, attribution.Process{
			PID: 7, Executable: "/bin/x", Args: []string{"x", ""}, ArgsTruncated: true, ArgsJoined: true,
		}), none},
		{"ptcpdump, only the container", said(whole[strings.Index(whole, "ContainerName"):]), unknown, wholeWorkload},
		{"ptcpdump, only the pod", said(whole[strings.Index(whole, "PodName"):]), unknown, identity.Workload{Pod: wholeWorkload.Pod}},
		{"ptcpdump, container without an id", said("ContainerName: x\nContainerId: "), unknown, none},
		{"ptcpdump, lines in arguments", said("PID: 7\nCmd: /bin/x\nArgs: x\nCmd: /bin/y\nContainerId: 0a\nPodName: forged\nContainerId: 0b\nPodName: true"),
			by(attribution.Inferred, attribution.Process{PID: 7, Args: []string{"x"}, ArgsJoined: true}), none},
		{"ptcpdump, two pids", said("PID: 7\nArgs: x\nPID: 8"), unknown, none},
		{"ptcpdump, pid 0", said("PID: 0\nCmd: x"), unknown, none},
		{"ptcpdump, negative", said("PID: -7\nCmd: x"), unknown, none},
		{"ptcpdump, no number", said("PID: 7x"), unknown, none},
		{"ptcpdump, too large", said("PID: 2147483648"), unknown, none},
		{"ptcpdump, user is no number", said("PID: 7\nUserId: app\nParentPID: 0"), pid(7), none},
		{"ptcpdump, long path", said("PID: 7\nCmd: /" + strings.Repeat("x", maxText)), pid(7), none},

		{"darwin", &imds.Note{Sender: curl}, by(attribution.Resolved, attribution.Process{PID: 77, Name: "curl"}), none},
		{"darwin, with a comment", &imds.Note{Sender: curl, Comment: whole}, by(attribution.Resolved, attribution.Process{PID: 77, Name: "curl"}), none},
		{"darwin, received", &imds.Note{Sender: curl, Inbound: true}, unknown, none},
		{"darwin, for itself", &imds.Note{Sender: imds.Sender{PID: 77, ForPID: 77}}, by(attribution.Resolved, attribution.Process{PID: 77}), none},
		{"darwin, no pid", &imds.Note{Sender: imds.Sender{Name: "x", ForPID: 3}}, unknown, none},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, i := Caller(tt.note)
			if !reflect.DeepEqual(a, tt.want) || i != (identity.Identity{Workload: tt.workload}) {
				t.Errorf("%+v, process %+v, %+v", a, a.Process, i)
			}
		})
	}
}

// One that acts for another is the caller, and the other is told.
func TestCallerForAnother(t *testing.T) {
	a, _ := Caller(&imds.Note{Sender: imds.Sender{PID: 77, Name: "nsurlsessiond", ForPID: 78, ForName: "App"}})
	want := by(attribution.Resolved, attribution.Process{PID: 77, Name: "nsurlsessiond"})
	want.OnBehalfOf = &attribution.Process{PID: 78, Name: "App"}
	if !reflect.DeepEqual(a, want) {
		t.Errorf("%+v for %+v", a, a.OnBehalfOf)
	}
}

// Arguments are cut where one ends, so that no secret loses its shape.
func TestLongArguments(t *testing.T) {
	line := strings.Repeat("0123456789 ", attribution.MaxArgsBytes/10)
	a, _ := Caller(&imds.Note{Comment: "PID: 7\nArgs: " + line})
	p := a.Process
	if joined := strings.Join(p.Args, " "); !p.ArgsTruncated || len(joined) > attribution.MaxArgsBytes || !strings.HasPrefix(line, joined+" ") {
		t.Errorf("%d arguments, truncated %v", len(p.Args), p.ArgsTruncated)
	}
	a, _ = Caller(&imds.Note{Comment: "PID: 7\nArgs: " + strings.Repeat("x", attribution.MaxArgsBytes+1)})
	if p := a.Process; p.Args != nil || p.ArgsJoined {
		t.Errorf("of one that is too long %d are left", len(p.Args))
	}
}

func FuzzCaller(f *testing.F) {
	for _, comment := range []string{whole, "PID=4712 TID=4716 VlanId=0", "PID=4712", "ContainerId: x\nPodName: y", "PID: 7\nCmd: ./x\nArgs: a  b..."} {
		f.Add(comment)
	}
	f.Fuzz(func(t *testing.T, comment string) {
		a, i := Caller(&imds.Note{Comment: comment})
		p := a.Process
		if (p == nil) != (a.Status == attribution.Offline) || (p == nil) != (a.Method == "") || i.Software != (identity.Software{}) {
			t.Fatalf("%+v, %+v", a, i)
		}
		if p != nil && (p.PID <= 0 || len(strings.Join(p.Args, " ")) > attribution.MaxArgsBytes || len(p.Executable) > maxText) {
			t.Errorf("%+v", p)
		}
	})
}
