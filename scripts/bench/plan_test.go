package main

import (
	"errors"
	"flag"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParsePlan(t *testing.T) {
	p, err := parsePlan([]string{"-binary", "/p", "-client", "/c", "-ways", "any,proc", "-topologies", "own,direct", "-kinds", "curl,get", "-at-once", "1,8", "-load", "0,500",
		"-calls", "7", "-container-calls", "5", "-delay", "2ms", "-show-wrong", "3", "-json", "/j", "-cost"}, io.Discard)
	want := &plan{
		binary: "/p", client: "/c", ways: []string{"any", "proc"}, topologies: []string{own, direct}, kinds: []kind{{"curl", 1}, {"get", 1}},
		atOnce: []int{1, 8}, processes: []int{0, 500}, calls: 7, containerCalls: 5, delay: 2 * time.Millisecond, showWrong: 3, json: "/j", cost: true,
	}
	if err != nil || !reflect.DeepEqual(p, want) {
		t.Errorf("%+v, %v", p, err)
	}
	cells := []cell{{own, "curl", 1, 500}, {own, "curl", 8, 500}, {own, "get", 1, 500}, {own, "get", 8, 500}}
	if got := p.cells(own, 500); !reflect.DeepEqual(got, cells) {
		t.Errorf("the cells are %v", got)
	}
	if p.callsIn(direct) != 7 || p.callsIn(own) != 5 {
		t.Errorf("%d and %d calls", p.callsIn(direct), p.callsIn(own))
	}
}

// The script names the two programs first; what it is given overrides that.
func TestParsePlanDefaults(t *testing.T) {
	p, err := parsePlan([]string{"-client", "/c", "-binary", "/p", "-binary", "/other"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if p.binary != "/other" || len(p.ways) != 3 || len(p.cells(direct, 0)) != 3*len(kinds) || !reflect.DeepEqual(p.processes, []int{0, 1500}) || !reflect.DeepEqual(p.topologies, topologyNames) {
		t.Errorf("%+v", p)
	}
}

func TestParsePlanRefuses(t *testing.T) {
	for args, want := range map[string]string{
		"-kinds other":       `-kinds takes some of get,`,
		"-topologies other":  `-topologies takes some of direct,bridge,veth,own, not "other"`,
		"-container-calls 0": `-container-calls are at least 1`,
		"-kinds ":            `-kinds takes some of get,`,
		"-at-once 0":         `-at-once takes numbers from 1 to`,
		"-at-once 1,,2":      `-at-once takes numbers from 1 to`,
		"-load -1":           `-load takes numbers from 0 to`,
		"-load 99999999999":  `-load takes numbers from 0 to`,
		"-churn -1":          `-churn is not negative`,
		"-calls 0":           `-calls and -container-calls are at least 1`,
		"-delay -1s":         `-delay not negative`,
		"-binary ":           `-binary and -client are needed`,
		"more":               `there are only flags`,
		"-other":             `not defined: -other`,
	} {
		name, value, found := strings.Cut(args, " ")
		all := []string{"-binary", "/p", "-client", "/c", name}
		if found {
			all = append(all, value)
		}
		if _, err := parsePlan(all, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
	if _, err := parsePlan([]string{"-help"}, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-help: %v", err)
	}
}
