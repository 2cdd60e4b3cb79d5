package output

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// embedded are lines that tell CloudWatch something: of one machine and, with its
// memory and id, of all.
func embedded() (lines []Lifecycle) {
	s := Session{Host: testHost, Interfaces: []string{"any"}, Filter: "tcp", Started: testTime}
	for _, memory := range []uint64{0, 22 << 20} {
		l := s.Progress(CaptureRuns, testTime.Add(time.Minute), Counts{CallsV1: 5, CallsV2: 7})
		instance := ""
		if memory > 0 {
			instance = testHost.InstanceID
		}
		l.Embed(EmbeddedCounts{CallsV1: 3, MetadataNoToken: 2, MetadataNoTokenRejected: 1, EntriesNotWritten: 1 << 60}, memory, instance)
		lines = append(lines, l)
	}
	return lines
}

// missingTargets checks what a schema cannot tell: the members that are metrics are
// numbers at the top of the line, and those that are dimensions texts.
func missingTargets(line string) error {
	var document map[string]any
	var metadata struct {
		AWS EmbeddedMetadata `json:"_aws"`
	}
	if err := json.Unmarshal([]byte(line), &document); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(line), &metadata); err != nil {
		return err
	}
	for _, directive := range metadata.AWS.CloudWatchMetrics {
		for _, metric := range directive.Metrics {
			if _, ok := document[metric.Name].(float64); !ok {
				return fmt.Errorf("metric %s is %v", metric.Name, document[metric.Name])
			}
		}
		for _, dimension := range slices.Concat(directive.Dimensions...) {
			if text, ok := document[dimension].(string); !ok || text == "" {
				return fmt.Errorf("dimension %s is %v", dimension, document[dimension])
			}
		}
	}
	return nil
}

func compileEmbedded(t *testing.T) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("testdata/embedded-metric-format.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestEmbeddedFollowsSpecification(t *testing.T) {
	format, ours := compileEmbedded(t), compileSchema(t)
	for _, l := range embedded() {
		line := string(appendLifecycle(nil, &l))
		for _, schema := range []*jsonschema.Schema{format, ours} {
			if err := validate(t, schema, line); err != nil {
				t.Errorf("%v: %s", err, line)
			}
		}
		if err := missingTargets(line); err != nil {
			t.Errorf("%v: %s", err, line)
		}
		checkSameJSON(t, []byte(line), l, &Lifecycle{})
		if got := l.AWS.Timestamp; got != l.Timestamp.UnixMilli() {
			t.Errorf("its time is %d", got)
		}
	}
}

// Rules that take everything prove nothing.
func TestEmbeddedRulesCanBreak(t *testing.T) {
	format, ours := compileEmbedded(t), compileSchema(t)
	l := embedded()[1]
	line := string(appendLifecycle(nil, &l))
	for _, m := range []struct {
		name, old, new string
		schema         *jsonschema.Schema // nil: the targets are wrong
	}{
		{"no time", `"Timestamp":`, `"Time":`, format},
		{"time as text", `"Timestamp":1`, `"Timestamp":"","x":1`, format},
		{"no metadata", `"_aws"`, `"aws"`, format},
		{"no namespace", `"Namespace":"imds-analyzer",`, ``, format},
		{"no set of dimensions", `[[],["InstanceId"]]`, `[]`, format},
		{"unit that is none", `"Unit":"Bytes"`, `"Unit":"Octets"`, format},
		{"a metric's value is missing", `"CallsV1":3`, `"CallsV3":3`, nil},
		{"a metric's value is a text", `"CallsV1":3`, `"CallsV1":"3"`, nil},
		{"a dimension's value is missing", `"InstanceId":"i-`, `"Instance":"i-`, nil},
		{"an unknown metric", `"CallsV1":3`, `"CallsV1":3,"CallsV3":3`, ours},
		{"another dimension", `["InstanceId"]`, `["Program"]`, ours},
		{"half of the counts", `"CallsV1":3,`, ``, ours},
	} {
		mutated := strings.Replace(line, m.old, m.new, 1)
		if mutated == line {
			t.Fatalf("%s: %q is not in %s", m.name, m.old, line)
		}
		if m.schema == nil && missingTargets(mutated) == nil || m.schema != nil && validate(t, m.schema, mutated) == nil {
			t.Errorf("%s is accepted: %s", m.name, mutated)
		}
	}
}

// No line names a program: each dimension's value makes a metric that is billed.
func TestEmbeddedDimensions(t *testing.T) {
	for i, want := range []string{"[[]]", "[[] [InstanceId]]"} {
		if got := fmt.Sprint(embedded()[i].AWS.CloudWatchMetrics[0].Dimensions); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestEmbeddedCountsSince(t *testing.T) {
	before := EmbeddedCounts{CallsV1: 3, CallsV2: 7, PacketsDropped: 9}
	now := EmbeddedCounts{CallsV1: 5, CallsV2: 7, PacketsDropped: 2, EventsLost: 1}
	want := EmbeddedCounts{CallsV1: 2, EventsLost: 1}
	if got := now.Since(before); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if now.CallsV1 != 5 || before.CallsV1 != 3 {
		t.Errorf("the counts themselves have changed: %+v, %+v", now, before)
	}
}

// The page has each metric.
func TestPageOfEmbedded(t *testing.T) {
	page, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, metric := range embedded()[1].AWS.CloudWatchMetrics[0].Metrics {
		if !strings.Contains(string(page), "| `"+metric.Name+"` |") {
			t.Errorf("it does not have %s", metric.Name)
		}
	}
}

// A count that is lower for once is told once.
func TestHighestCounts(t *testing.T) {
	told, sum := EmbeddedCounts{}, uint64(0)
	for _, dropped := range []uint64{5, 3, 7} {
		now := EmbeddedCounts{PacketsDropped: dropped}
		sum += now.Since(told).PacketsDropped
		told = now.Highest(told)
	}
	if sum != 7 || told.PacketsDropped != 7 {
		t.Errorf("%d are told, of %d", sum, told.PacketsDropped)
	}
}
