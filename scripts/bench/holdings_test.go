package main

import (
	"reflect"
	"strings"
	"testing"
)

func TestFileKind(t *testing.T) {
	for target, want := range map[string]string{
		"socket:[4026]":              "socket",
		"pipe:[17]":                  "pipe",
		"net:[4026531840]":           "net",
		"anon_inode:[eventpoll]":     "eventpoll",
		"anon_inode:[pidfd]":         "pidfd",
		"anon_inode:inotify":         "file",
		"/dev/null":                  "file",
		"/tmp/a:[b]":                 "file",
		"/tmp/bench/log (deleted)":   "file",
		"/memfd:pcap-ring (deleted)": "file",
		"":                           "file",
	} {
		if got := fileKind(target); got != want {
			t.Errorf("%q is a %s, not a %s", target, got, want)
		}
	}
}

func FuzzFileKind(f *testing.F) {
	for _, target := range []string{"socket:[4026]", "anon_inode:[eventpoll]", "/a:[b]", ":[", ""} {
		f.Add(target)
	}
	f.Fuzz(func(t *testing.T, target string) {
		if kind := fileKind(target); kind != "file" && !strings.Contains(target, kind) {
			t.Errorf("%q is a %q", target, kind)
		}
	})
}

func TestHoldingsMore(t *testing.T) {
	before := holdings{Threads: 10, Interfaces: 5, RSS: 1, Files: map[string]int{"socket": 7, "pipe": 2}}
	for name, test := range map[string]struct {
		now  holdings
		want string
	}{
		"the same":          {before, ""},
		"less, and memory":  {holdings{9, map[string]int{"socket": 6}, 2, 4}, ""},
		"a few threads":     {holdings{10 + fewThreads, before.Files, 1, 5}, ""},
		"many threads":      {holdings{11 + fewThreads, before.Files, 1, 5}, "threads: 19 instead of 18"},
		"an interface":      {holdings{10, before.Files, 1, 6}, "interfaces: 6 instead of 5"},
		"sockets and pidfd": {holdings{10, map[string]int{"socket": 8, "pidfd": 1}, 1, 5}, "pidfd: 1 instead of 0; socket: 8 instead of 7"},
	} {
		if got := strings.Join(test.now.more(before), "; "); got != test.want {
			t.Errorf("%s: %q, not %q", name, got, test.want)
		}
		if same := reflect.DeepEqual(test.now.Files, before.Files) && test.now.Threads == 10 && test.now.Interfaces == 5; test.now.equal(before) != same {
			t.Errorf("%s: it is the same: %v", name, !same)
		}
	}
	if got, want := before.String(), "RSS 0.0 MiB, 10 threads, 5 interfaces; descriptors: pipe 2 socket 7"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
}
