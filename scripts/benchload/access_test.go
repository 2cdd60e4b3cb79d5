package main

import (
	"errors"
	"maps"
	"strings"
	"testing"
)

const (
	aGet = "/latest/meta-data/0/1/42/42/0"
	aPut = tokenTarget + aGet
)

func TestReadAccess(t *testing.T) {
	for _, test := range []struct {
		log       string
		withToken bool
		want      map[string]access
	}{
		{"", false, map[string]access{}},
		{"GET " + aGet + "\n", false, map[string]access{aGet: {"v1", 42}}},
		{"PUT " + aPut + "\nGET " + aGet + "\n", true, map[string]access{aPut: {"v2", 42}, aGet: {"v2", 42}}},
	} {
		got, err := readAccess(strings.NewReader(test.log), test.withToken)
		if err != nil || !maps.Equal(got, test.want) {
			t.Errorf("%q: %v, %v", test.log, got, err)
		}
	}
	for _, log := range []string{"GET\n", "GET /\n", "GET " + aGet + "\nGET " + aGet + "\n"} {
		if _, err := readAccess(strings.NewReader(log), false); !errors.Is(err, errAccess) {
			t.Errorf("%q: %v", log, err)
		}
	}
}

func FuzzReadAccess(f *testing.F) {
	f.Add("PUT "+aPut+"\nGET "+aGet+"\n", true)
	f.Add("GET /", false)
	f.Fuzz(func(t *testing.T, log string, withToken bool) {
		all, err := readAccess(strings.NewReader(log), withToken)
		if err == nil && len(all) > strings.Count(log, "\n")+1 {
			t.Errorf("%d calls in %q", len(all), log)
		}
	})
}
