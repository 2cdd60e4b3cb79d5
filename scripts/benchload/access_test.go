package main

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"
)

const (
	aGet = "/latest/meta-data/0/1/42/42/0"
	aPut = tokenTarget + aGet
)

func TestReadAccess(t *testing.T) {
	at := time.Unix(7, 5)
	get, put := accessLine(at, "GET "+aGet), accessLine(at, "PUT "+aPut)
	for _, test := range []struct {
		log       string
		withToken bool
		want      map[string]access
	}{
		{"", false, map[string]access{}},
		{get, false, map[string]access{aGet: {"v1", 42, at}}},
		{put + get, true, map[string]access{aPut: {"v2", 42, at}, aGet: {"v2", 42, at}}},
	} {
		got, err := readAccess(strings.NewReader(test.log), test.withToken)
		if err != nil || !maps.Equal(got, test.want) {
			t.Errorf("%q: %v, %v", test.log, got, err)
		}
	}
	for _, log := range []string{"7 GET\n", "7 GET /\n", "GET " + aGet + "\n", "x GET " + aGet + "\n", get + get} {
		if _, err := readAccess(strings.NewReader(log), false); !errors.Is(err, errAccess) {
			t.Errorf("%q: %v", log, err)
		}
	}
}

func FuzzReadAccess(f *testing.F) {
	f.Add("7 PUT "+aPut+"\n8 GET "+aGet+"\n", true)
	f.Add("7 GET /", false)
	f.Fuzz(func(t *testing.T, log string, withToken bool) {
		all, err := readAccess(strings.NewReader(log), withToken)
		if err == nil && len(all) > strings.Count(log, "\n")+1 {
			t.Errorf("%d calls in %q", len(all), log)
		}
	})
}
