package main

import (
	"reflect"
	"slices"
	"testing"
)

func TestNamespaces(t *testing.T) {
	hub := topology{cables: []cable{{{namespace: "a"}, {namespace: "b"}}, {{namespace: "b"}, {namespace: "c"}}}}
	if got := hub.namespaces(); !reflect.DeepEqual(got, []string{"a", "b", "c"}) {
		t.Errorf("%q", got)
	}
}

// All that a topology names has to be at one end of its cables.
func TestDirect(t *testing.T) {
	d := direct()
	names := []string{d.service, d.clients, d.watched}
	for _, r := range d.routes {
		names = append(names, r.namespace)
	}
	for _, s := range d.sysctls {
		names = append(names, s.namespace)
	}
	for _, name := range names {
		if !slices.Contains(d.namespaces(), name) {
			t.Errorf("there is no namespace %q", name)
		}
	}
}
