package main

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestNamespaces(t *testing.T) {
	hub := topology{cables: []cable{{{namespace: "a"}, {namespace: "b"}}, {{namespace: "b"}, {namespace: "c"}}}}
	if got := hub.namespaces(); !reflect.DeepEqual(got, []string{"a", "b", "c"}) {
		t.Errorf("%q", got)
	}
}

// All that a topology names has to be at one end of its cables.
func TestTopologies(t *testing.T) {
	for _, name := range topologyNames {
		top := newTopology(name)
		names := append([]string{top.watched}, top.services...)
		for _, r := range top.routes {
			names = append(names, r.namespace)
		}
		for _, s := range top.sysctls {
			names = append(names, s.namespace)
		}
		for _, c := range top.containers {
			names = append(names, c.namespace)
		}
		for _, namespace := range names {
			if !slices.Contains(top.namespaces(), namespace) {
				t.Errorf("%s: there is no namespace %q", name, namespace)
			}
		}
	}
}

// Containers have ids and cgroups of their own, like those of what makes them.
func TestContainers(t *testing.T) {
	for name, want := range map[string]struct {
		count  int
		cgroup string
	}{
		direct:  {0, ""},
		bridged: {4, "docker/ID"},
		routed:  {5, "kubepods/burstable/podXXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX/ID"},
		own:     {3, "ecs/XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX/ID"},
	} {
		ids := make(map[string]bool)
		for _, c := range newTopology(name).containers {
			ids[c.id] = true
			parent, isParent := strings.CutSuffix(c.cgroup, c.id)
			if !isParent || len(c.id) != 64 || len(parent)+2 != len(want.cgroup) {
				t.Errorf("%s: the cgroup of %s is %q, not like %q", name, c.id, c.cgroup, want.cgroup)
			}
		}
		if len(ids) != want.count {
			t.Errorf("%s: there are %d containers, not %d", name, len(ids), want.count)
		}
	}
}

// Guests need nothing that others have, but for addresses that are used again.
func TestNewGuest(t *testing.T) {
	seen := make(map[string]int)
	for i := range 600 {
		g := newGuest(i)
		if len(g.containers) != 1 || len(g.cables) != 1 || g.containers[0].namespace != g.cables[0][1].namespace {
			t.Fatalf("guest %d is %+v", i, g)
		}
		for _, name := range []string{g.cables[0][0].name, g.containers[0].id, g.cables[0][1].namespace, "address " + g.cables[0][1].addresses[0]} {
			if last, found := seen[name]; found && (!strings.HasPrefix(name, "address") || i-last < 250) {
				t.Errorf("guests %d and %d have the same %s", last, i, name)
			}
			seen[name] = i
		}
	}
}

// Two tasks have the same address, and too few ports to do without the same.
func TestTasksShareAddresses(t *testing.T) {
	addresses := make(map[string]int)
	for _, c := range newTopology(own).cables {
		for _, p := range c {
			if strings.HasPrefix(p.namespace, "task") {
				addresses[p.addresses[0]]++
			}
		}
	}
	if !reflect.DeepEqual(addresses, map[string]int{"10.0.0.2/30": 2, "10.0.0.6/30": 1}) {
		t.Errorf("the addresses are %v", addresses)
	}
}
