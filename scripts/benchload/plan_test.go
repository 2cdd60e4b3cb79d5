package main

import (
	"errors"
	"flag"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParsePlan(t *testing.T) {
	needed := []string{"-binary", "b", "-client", "c"}
	p, err := parsePlan(append(needed, "-kinds", "get,keep-alive", "-rates", "10,20", "-seconds", "3", "-quiet", "1m", "stall", "idle"), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if len(p.kinds) != 2 || p.kinds[1].name != "keep-alive" || !slices.Equal(p.rates, []int{10, 20}) || p.seconds != 3 || p.quiet != time.Minute {
		t.Errorf("%+v", p)
	}
	for part, want := range map[string]bool{partStall: true, partIdle: true, partRates: false} {
		if p.wants(part) != want {
			t.Errorf("%s is wanted: %v", part, !want)
		}
	}
	if p, err = parsePlan(needed, t.Output()); err != nil || !p.wants(partRates) || len(p.kinds) != len(kinds()) {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestParsePlanSaysWhatIsWrong(t *testing.T) {
	needed := []string{"-binary", "b", "-client", "c"}
	for want, args := range map[string][]string{
		`not "cat"`:       append(needed, "-kinds", "cat"),
		`not "0"`:         append(needed, "-rates", "0"),
		`not "many"`:      append(needed, "-rates", "100,many"),
		`no part "all"`:   append(needed, "all"),
		"at least 1":      append(needed, "-seconds", "0"),
		"are needed":      {"-binary", "b"},
		"not defined":     append(needed, "-none"),
		"more than 0":     append(needed, "-quiet", "0s"),
		"-seconds and -p": append(needed, "-pairs", "0"),
	} {
		var said strings.Builder
		_, err := parsePlan(args, &said)
		if !errors.Is(err, errUsage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: it says %v", args, err)
		}
	}
	var said strings.Builder
	if _, err := parsePlan([]string{"-help"}, &said); !errors.Is(err, flag.ErrHelp) || !strings.Contains(said.String(), partTraffic) {
		t.Errorf("%v, %q", err, &said)
	}
}
