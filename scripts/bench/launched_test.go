package main

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestReadLaunched(t *testing.T) {
	like := client{id: clientID{cell: 3}, args: []string{"/c", "get", "/latest/meta-data/3/@"}, executable: "/c", container: "d"}
	clients, err := readLaunched(strings.NewReader("0 4242 2 0\n1 4243 3 65534\n"), like)
	want := []client{
		{clientID{3, 0}, pids{4242, 2}, 0, []string{"/c", "get", "/latest/meta-data/3/0"}, "/c", "d"},
		{clientID{3, 1}, pids{4243, 3}, 65534, []string{"/c", "get", "/latest/meta-data/3/1"}, "/c", "d"},
	}
	if err != nil || !reflect.DeepEqual(clients, want) {
		t.Errorf("%v, %v", clients, err)
	}
}

func TestReadLaunchedFails(t *testing.T) {
	for _, said := range []string{"0 4242 4242 0\nfailed 4242 256\n", "0 4242 4242\n", "x\n"} {
		if _, err := readLaunched(strings.NewReader(said), client{}); !errors.Is(err, errClient) {
			t.Errorf("%q: %v", said, err)
		}
	}
}

func FuzzReadLaunched(f *testing.F) {
	for _, said := range []string{"0 4242 2 0\n1 4243 3 65534\n", "failed 4242 256\n", "", "0 1"} {
		f.Add(said)
	}
	f.Fuzz(func(t *testing.T, said string) {
		clients, err := readLaunched(strings.NewReader(said), client{args: []string{"@"}})
		if lines := strings.Count(said, "\n") + 1; len(clients) > lines || err == nil && len(clients) < lines-1 {
			t.Errorf("%d clients, %v", len(clients), err)
		}
	})
}

func TestMadeTotal(t *testing.T) {
	var m made
	m.add(cell{direct, "get", 1, 0}, make([]client, 3), 1, time.Millisecond)
	m.add(cell{direct, "fork", 8, 0}, []client{{id: clientID{1, 0}}, {id: clientID{1, 1}}}, 4, time.Millisecond)
	if m.total() != 11 {
		t.Errorf("%d calls were made, not 11", m.total())
	}
}
