package output

import (
	"cmp"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/imds"
)

func TestEntriesGolden(t *testing.T) {
	var out strings.Builder
	w := NewWriter(&out, "the log", false)
	records := testRecords()
	for _, name := range slices.Sorted(maps.Keys(records)) {
		r := records[name]
		host := testHost
		if r.Answer.Status == attribution.Offline {
			host = Host{}
		}
		e := NewEntry(r, host)
		if err := w.Call(&e); err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range testLifecycles() {
		if err := w.Lifecycle(&l); err != nil {
			t.Fatal(err)
		}
	}
	checkGolden(t, "entries.golden.jsonl", out.String())
}

// The entry's JSON is what its tags say: for each field the same name and the
// same rule for leaving it out.
func TestEntryJSONFollowsTags(t *testing.T) {
	entries := []Entry{{}}
	for _, r := range testRecords() {
		entries = append(entries, NewEntry(r, testHost))
	}
	var full Entry
	fill(reflect.ValueOf(&full).Elem())
	for _, e := range append(entries, full) {
		line := appendEntry(nil, &e)
		e.Message = cmp.Or(e.Message, message(&e))
		checkSameJSON(t, line, e, &Entry{})
	}
}

func TestLifecycleJSONFollowsTags(t *testing.T) {
	var full Lifecycle
	fill(reflect.ValueOf(&full).Elem())
	for _, l := range append(testLifecycles(), full) {
		if l.Event.Action == string(LogGap) {
			l.IMDS.Capture.Counts = nil // of which it has a part
		}
		checkSameJSON(t, appendLifecycle(nil, &l), l, &Lifecycle{})
	}
}

// checkSameJSON compares our JSON with that of encoding/json, and reads it back.
func checkSameJSON(t *testing.T, line []byte, value, back any) {
	t.Helper()
	want, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	got, expected := generic(t, line), generic(t, want)
	withoutEmpty(expected)
	withoutEmpty(got)
	if !reflect.DeepEqual(got, expected) {
		t.Errorf("got  %s\nwant %s", line, want)
	}
	if err := json.Unmarshal(line, back); err != nil {
		t.Errorf("%s: %v", line, err)
	}
}

func generic(t *testing.T, line []byte) map[string]any {
	t.Helper()
	var value map[string]any
	if err := json.Unmarshal(line, &value); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return value
}

// withoutEmpty removes what our writer leaves out although a tag does not say
// so, as it never occurs in real entries: members that are required and empty.
func withoutEmpty(object map[string]any) {
	for key, value := range object {
		switch value := value.(type) {
		case map[string]any:
			if withoutEmpty(value); len(value) == 0 {
				delete(object, key)
			}
		case string:
			if value == "" {
				delete(object, key)
			}
		case []any:
			if slices.Equal(value, []any{""}) {
				delete(object, key)
			}
		}
	}
}

// fill gives every field of the log a value.
func fill(v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(testTime))
		return
	case interface{ IsValid() bool }: // netip.Addr
		v.Set(reflect.ValueOf(testConn().Client.Addr()))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("x\u2028<é>")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(-7)
	case reflect.Uint16, reflect.Uint64:
		v.SetUint(7)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	}
}

func TestEventOfCall(t *testing.T) {
	tests := []struct {
		name                   string
		record                 Record
		action, outcome, level string
	}{
		{"v1", testRecord(), actionV1, outcomeSuccess, "warning"},
		{"v1, redirected", testRecord(status(301)), actionV1, outcomeSuccess, "warning"},
		{"v1, refused", testRecord(status(401)), actionV1, outcomeFailure, "warning"},
		{"v1, no answer", testRecord(unanswered), actionV1, outcomeUnknown, "warning"},
		{"v2", testRecord(token), actionV2, outcomeSuccess, "info"},
		{"v2, refused", testRecord(token, status(403)), actionV2, outcomeFailure, "info"},
		{"token request", testRecord(tokenRequest6), actionToken, outcomeSuccess, "info"},
		{"unknown", testRecord(cutHead(imds.LostSegment)), actionUnknown, outcomeSuccess, "warning"},
		{"v2 in what was seen", testRecord(token, cutHead(imds.LostSegment)), actionV2, outcomeSuccess, "info"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := NewEntry(tt.record, testHost)
			if e.Event.Action != tt.action || e.Event.Outcome != tt.outcome || e.LogLevel != tt.level {
				t.Errorf("%s, %s, %s; want %s, %s, %s", e.Event.Action, e.Event.Outcome, e.LogLevel, tt.action, tt.outcome, tt.level)
			}
		})
	}
}

// What is not known has no value: neither false nor 0.
func TestUnknownIsLeftOut(t *testing.T) {
	put := testRecord(cutHead(imds.LostSegment), func(r *Record) { r.Call.Request.Method = "PUT" })
	e := NewEntry(put, Host{})
	if e.IMDS.TokenRequest != nil || e.IMDS.ForwardedFor != nil {
		t.Errorf("token request %v, forwarded %v of a head that was not seen whole", e.IMDS.TokenRequest, e.IMDS.ForwardedFor)
	}
	e = NewEntry(testRecord(cutHead(imds.LostSegment)), Host{})
	if e.IMDS.TokenRequest == nil || *e.IMDS.TokenRequest {
		t.Error("a GET is known to be no token request")
	}
	e = NewEntry(testRecord(nothingSeen), Host{})
	if e.IMDS.Credentials != nil || e.IMDS.TokenRequest != nil {
		t.Errorf("%+v of a request of which nothing was seen", e.IMDS)
	}
	backwards := testRecord(func(r *Record) { r.Call.Response.Time = testTime.Add(-time.Second) })
	timeless := testRecord(func(r *Record) { r.Call.Request.Time, r.Call.Response.Time = time.Time{}, time.Time{} })
	for _, r := range []Record{backwards, timeless} {
		if e = NewEntry(r, Host{}); e.Event.Duration != nil {
			t.Errorf("duration %d", *e.Event.Duration)
		}
	}
}

func TestDomain(t *testing.T) {
	for host, want := range map[string]string{
		"":                     "",
		"169.254.169.254":      "169.254.169.254",
		"169.254.169.254:80":   "169.254.169.254",
		"169.254.169.254:":     "169.254.169.254",
		"[fd00:ec2::254]":      "[fd00:ec2::254]",
		"[fd00:ec2::254]:8080": "[fd00:ec2::254]",
		"h:http":               "h:http",
		"h:99999":              "h:99999",
	} {
		if got := domain(host); got != want {
			t.Errorf("domain(%q) = %q, want %q", host, got, want)
		}
	}
}

func TestCommandLine(t *testing.T) {
	tests := []struct {
		args      []string
		truncated bool
		want      string
	}{
		{nil, false, ""},
		{[]string{"curl", "-s", "http://169.254.169.254/latest/"}, false, "curl -s http://169.254.169.254/latest/"},
		{[]string{"sh", "-c", "echo $HOME"}, false, "sh -c 'echo $HOME'"},
		{[]string{"a", "", "it's"}, false, `a '' 'it'\''s'`},
		{[]string{"a", "b"}, true, "a b …"},
	}
	for _, tt := range tests {
		if got := commandLine(tt.args, tt.truncated); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.args, got, tt.want)
		}
	}
}
