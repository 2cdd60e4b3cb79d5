package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"imds-analyzer/report/steps"
)

func TestRun(t *testing.T) {
	dir := t.TempDir()
	if err := run([]string{dir}); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{
		"one/require-running/1-undo.sh", "fleet/require-many/1-way.sh", "unknown/hop-limit/1-way.sh", "many/systems-manager/1-way.sh",
		"one/cloudformation/1-way.yaml", "one/cdk/1-way.ts", "one/terraform/1-way.tf", "one/scp/require-imdsv2-scp.json", "one/iam/require-imdsv2-role.json",
	} {
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		for p := range samples() {
			if strings.Contains(string(data), p) {
				t.Errorf("%s has %s in it still", file, p)
			}
		}
	}
	if others, err := os.ReadDir(filepath.Join(dir, manyName)); err != nil || len(others) != 1 {
		t.Errorf("of many there is %v (%v)", others, err)
	}
	var values []string
	data, err := os.ReadFile(filepath.Join(dir, "samples.json"))
	if err != nil || json.Unmarshal(data, &values) != nil || len(values) < len(samples()) {
		t.Errorf("the samples are %s (%v)", data, err)
	}
}

func TestWithSamples(t *testing.T) {
	tests := []struct {
		text         string
		placeholders []string
		want, err    string
	}{
		{"--limit HOP_LIMIT", []string{"HOP_LIMIT"}, "--limit 2", ""},
		{"PREVIOUS_HOP_LIMIT", []string{"HOP_LIMIT", "PREVIOUS_HOP_LIMIT"}, "1", ""},
		{"$metric-INSTANCE_ID", []string{"INSTANCE_ID"}, "$metric-" + instance(0), ""},
		{"OTHER", []string{"OTHER"}, "", "no sample of OTHER"},
	}
	for _, tt := range tests {
		got, err := withSamples(tt.text, tt.placeholders)
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s becomes %q (%v), want %q", tt.text, got, err, tt.want)
		}
	}
}

func TestErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{nil, {"a", "b"}, {file}} {
		if run(args) == nil {
			t.Errorf("there is no error with %q", args)
		}
	}
	if writeStep(t.TempDir(), &steps.Step{Ways: []steps.Way{{Text: "X"}}, Placeholders: []string{"X"}}) == nil {
		t.Error("a placeholder without a sample is no error")
	}
}
