package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// startStandIn starts the service, and returns its address and the name of its log.
func startStandIn(t *testing.T) (url, logName string) {
	t.Helper()
	logName = filepath.Join(t.TempDir(), "access.log")
	log, err := os.Create(logName)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() {
		served <- (&service{tree: instance("06:00:00:00:00:0a", "#!/bin/sh\n"), log: log}).serve(ctx, listener)
	}()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
		_ = log.Close()
	})
	return "http://" + listener.Addr().String(), logName
}

func TestServe(t *testing.T) {
	url, logName := startStandIn(t)
	cases := []struct {
		method, target string
		header         map[string]string
		status         int
		body, version  string
		token          bool
	}{
		{method: "GET", target: "/latest/meta-data/ami-id", status: 200, body: "ami-0123456789abcdef0", version: "v1"},
		{method: "GET", target: "/2021-03-23/user-data", status: 200, body: "#!/bin/sh\n", version: "v1"},
		{method: "GET", target: "/latest/meta-data/nothing", status: 404, version: "v1"},
		{method: "PUT", target: tokenTarget, status: 400, version: "v2", token: true},
		{method: "PUT", target: tokenTarget, header: map[string]string{tokenTTL: "60"}, status: 200, body: token, version: "v2", token: true},
		{method: "GET", target: "/latest/meta-data/ami-id", header: map[string]string{tokenHeader: token}, status: 200, body: "ami-0123456789abcdef0", version: "v2"},
		{method: "GET", target: "/latest/meta-data/ami-id", header: map[string]string{tokenHeader: "x"}, status: 401, version: "v2"},
	}
	for _, c := range cases {
		r, err := http.NewRequest(c.method, url+c.target, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range c.header {
			r.Header.Set(name, value)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != c.status || string(body) != c.body {
			t.Errorf("%s %s: %d %q", c.method, c.target, answer.StatusCode, body)
		}
	}
	log, err := readLines[access](logName)
	if err != nil || len(log) != len(cases) {
		t.Fatalf("%d lines, %v", len(log), err)
	}
	for i, a := range log {
		c := cases[i]
		if a.Method != c.method || a.Target != c.target || a.Version != c.version || a.TokenRequest != c.token || a.Status != c.status || a.Client == "" {
			t.Errorf("%+v is logged as %+v", c, a)
		}
	}
}

// A log that cannot be written proves nothing.
func TestServeTellsOfItsLog(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	_ = log.Close()
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- (&service{tree: tree{"a": "b"}, log: log}).serve(ctx, listener) }()
	answer, err := http.Get("http://" + listener.Addr().String() + "/latest/a")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	stop()
	if err := <-served; err == nil {
		t.Error("nothing was said")
	}
}

func TestTree(t *testing.T) {
	some := tree{"user-data": "u", "meta-data/a": "1", "meta-data/b/c": "2", "meta-data/bd": "3"}
	for asked, want := range map[string]string{
		"/latest/user-data": "u", "/2021-03-23/meta-data/a": "1", "/latest/meta-data/b/c": "2",
		"/latest/meta-data/": "a\nb/\nbd", "/latest/meta-data": "a\nb/\nbd", "/latest//meta-data/b/": "c", "/latest/": "meta-data/\nuser-data",
	} {
		if got, ok := some.get(asked); !ok || got != want {
			t.Errorf("%s: %q, %v", asked, got, ok)
		}
	}
	for _, asked := range []string{"/latest/meta", "/latest/meta-data/a/b", "/latest/meta-data/../x"} {
		if got, ok := some.get(asked); ok {
			t.Errorf("%s: %q", asked, got)
		}
	}
}

// cloud-init asks for all that is listed, so that every name must be there.
func TestTreeIsWhole(t *testing.T) {
	all := instance("06:00:00:00:00:0a", "x")
	found := 0
	var walk func(directory string)
	walk = func(directory string) {
		names, ok := all.get(directory)
		if !ok {
			t.Fatalf("%s is listed and not there", directory)
		}
		for name := range strings.SplitSeq(names, "\n") {
			if strings.HasSuffix(name, "/") {
				walk(directory + name)
			} else if _, ok := all[strings.TrimPrefix(directory+name, "/latest/")]; ok {
				found++
			}
		}
	}
	walk("/latest/")
	if found != len(all) {
		t.Errorf("%d of %d are found", found, len(all))
	}
}

func TestMainUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"x"}, {"times", "x"}, {"compare", "-x"}, {"pose"}, {"pose", "-as", "x"}} {
		var said bytes.Buffer
		if status := Main(args, io.Discard, &said); status != 2 || said.Len() == 0 {
			t.Errorf("%q: exit status %d, %s", args, status, &said)
		}
	}
	for _, args := range [][]string{
		{"times", "-shown", "/none"}, {"compare", "-access", "/none"}, {"usage", "-pid", "0"}, {"serve", "-user-data", "/none"}, {"pose", "-as", poseCrash},
	} {
		if status := Main(args, io.Discard, io.Discard); status != 1 {
			t.Errorf("%q: exit status %d", args, status)
		}
	}
	if status := Main([]string{"times", "-h"}, io.Discard, io.Discard); status != 0 {
		t.Errorf("help: exit status %d", status)
	}
}
