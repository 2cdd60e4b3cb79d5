package attribution

import (
	"errors"
	"strings"
	"testing"
	"time"
)

const statTail = " 1 1 0 -1 4194560 1 0 0 0 5 6 0 0 20 0 1 0 12345 1000 100 18446744073709551615 1 1 140723456789 0\n"

func TestParseStat(t *testing.T) {
	for _, test := range []struct {
		in   string
		want procStat
		ok   bool
	}{
		{"42 (cat) S 7" + statTail, procStat{7, 123450 * time.Millisecond, 140723456789, false, false}, true},
		{"42 (a) R (b\n) S 7" + statTail, procStat{7, 123450 * time.Millisecond, 140723456789, false, false}, true},
		{"42 (cat) Z 7" + statTail, procStat{7, 123450 * time.Millisecond, 140723456789, true, false}, true},
		{"42 (a) Z (b) R 7" + statTail, procStat{7, 123450 * time.Millisecond, 140723456789, false, false}, true},
		{"42 (kworker/0:1) I 2" + strings.Replace(statTail, "4194560", "69238880", 1), procStat{2, 123450 * time.Millisecond, 140723456789, false, true}, true},
		{"42 (cat) S 7" + strings.Replace(statTail, "4194560", "none", 1), procStat{}, false},
		{"42 (cat) S 7 1 1", procStat{}, false},
		{"42 (cat) S x" + statTail, procStat{}, false},
		{"42 (cat) S 7" + strings.Replace(statTail, "12345", "late", 1), procStat{}, false},
		{"42 (cat) S 7" + strings.Replace(statTail, "140723456789", "high", 1), procStat{}, false},
		{"42 (cat", procStat{}, false},
		{"", procStat{}, false},
	} {
		got, err := parseStat([]byte(test.in))
		if got != test.want || (err == nil) != test.ok {
			t.Errorf("%q: %+v, %v, want %+v", test.in, got, err, test.want)
		}
	}
	if _, err := parseStat(nil); !errors.Is(err, errProcFormat) {
		t.Errorf("%v", err)
	}
}

func TestParseStatus(t *testing.T) {
	for _, test := range []struct {
		in   string
		user any
		pid  int
	}{
		{"Name:\tcat\nUid:\t1\t2\t3\t4\nNSpid:\t42\n", uint32(2), 0},
		{"Uid:\t0\t0\t0\t0\nNSpid:\t42\t17\t1\n", uint32(0), 1},
		{"Uid:\t0\t4294967295\t0\t0\n", uint32(1<<32 - 1), 0},
		{"Uid:\t0\tx\nNSpid:\t42\tx\n", nil, 0},
		{"Uid:\nNSpid:\n", nil, 0},
		{"", nil, 0},
	} {
		got := parseStatus([]byte(test.in))
		if got.namespacePID != test.pid || (got.user != nil) != (test.user != nil) || got.user != nil && *got.user != test.user {
			t.Errorf("%q: %+v", test.in, got)
		}
	}
}

func TestParseCgroup(t *testing.T) {
	for in, want := range map[string]string{
		"0::/system.slice/a.service\n": "/system.slice/a.service",
		"0::/\n":                       "/",
		"2:cpu:/x\n1:name=systemd:/system.slice/a.service\n": "/system.slice/a.service",
		"1:name=systemd:/system.slice/a.service\n0::/\n":     "/system.slice/a.service",
		"1:name=systemd:/docker/0a1b\n0::/system.slice/b\n":  "/docker/0a1b",
		"1:name=systemd:/\n0::/system.slice/b\n":             "/system.slice/b",
		"1:name=systemd:/\n":                                 "/",
		"0::/kubepods/cri:containerd:0a1b\n":                 "/kubepods/cri:containerd:0a1b",
		"2:cpu:/x\n":                                         "",
		"nonsense\n0:\n":                                     "",
		"":                                                   "",
	} {
		if got := parseCgroup([]byte(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestParseLastPID(t *testing.T) {
	for in, want := range map[string]int{
		"0.10 0.20 0.30 1/120 4242\n": 4242,
		"0.10 0.20 0.30 1/120 x\n":    0,
		"0.10 0.20 0.30 1/120\n":      0,
		"":                            0,
	} {
		if got := parseLastPID([]byte(in)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

func TestParseSocketLink(t *testing.T) {
	for in, want := range map[string]uint64{
		"socket:[4711]":                 4711,
		"socket:[18446744073709551615]": 1<<64 - 1,
		"socket:[18446744073709551616]": 0,
		"socket:[4711":                  0,
		"socket:[]":                     0,
		"pipe:[4711]":                   0,
		"/tmp/socket:[4711]":            0,
		"":                              0,
	} {
		if got, ok := parseSocketLink([]byte(in)); got != want && ok || ok != (want != 0) {
			t.Errorf("%q: %d, %v, want %d", in, got, ok, want)
		}
	}
}

func TestParseUserName(t *testing.T) {
	for in, want := range map[string]string{
		"ann:x:1000:1000:Ann:/home/ann:/bin/sh": "ann",
		"bob:x:100:1000:Bob:/home/bob:/bin/sh":  "",
		"ann:x:1000":                            "",
		"":                                      "",
	} {
		if got, ok := parseUserName(in, 1000); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v, want %q", in, got, ok, want)
		}
	}
}

// FuzzProc gives everything that is read out of /proc the same bytes.
func FuzzProc(f *testing.F) {
	f.Add([]byte("42 (cat) S 7" + statTail))
	f.Add([]byte("Uid:\t1\t2\t3\t4\nNSpid:\t42\t1\n"))
	f.Add([]byte("1:name=systemd:/a\n0::/\n"))
	f.Add([]byte("0.10 0.20 0.30 1/120 4242\n"))
	f.Add([]byte("socket:[4711]"))
	f.Add([]byte("ann:x:1000:1000:Ann:/home/ann:/bin/sh"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := parseStat(b); err == nil && !strings.Contains(string(b), ")") {
			t.Errorf("stat without name: %q", b)
		}
		parseStatus(b)
		if path := parseCgroup(b); !strings.Contains(string(b), path) {
			t.Errorf("cgroup %q out of %q", path, b)
		}
		parseLastPID(b)
		if _, ok := parseSocketLink(b); ok && len(b) < len("socket:[0]") {
			t.Errorf("socket out of %q", b)
		}
		if name, _ := parseUserName(string(b), 1000); !strings.HasPrefix(string(b), name) {
			t.Errorf("user %q out of %q", name, b)
		}
	})
}
