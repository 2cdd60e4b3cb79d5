package output

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"imds-analyzer/identity"
	"imds-analyzer/imds"
)

// plantings are ways in which a secret gets where it does not belong.
var plantings = map[string]func(secret string) string{
	"alone":         func(s string) string { return s },
	"in a query":    func(s string) string { return "/latest/meta-data/?x=" + s + "&y=1" },
	"in a path":     func(s string) string { return "/latest/" + s + "/x" },
	"in a comment":  func(s string) string { return "curl/7.88.1 (" + s + ")" },
	"as a header":   func(s string) string { return "X-aws-ec2-metadata-token: " + s },
	"as JSON":       func(s string) string { return `{"Token" : "` + s + `"}` },
	"assigned":      func(s string) string { return "AWS_SESSION_TOKEN=" + s },
	"encoded":       func(s string) string { return "/?x=" + url.QueryEscape(s) + "&y=1" },
	"encoded twice": func(s string) string { return "/?x=" + url.QueryEscape(url.QueryEscape(s)) + "&y=1" },
	"all encoded": func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			fmt.Fprintf(&b, "%%%02x", s[i])
		}
		return "/?token%3d" + b.String()
	},
	"in a script": func(s string) string { return "TOKEN=" + s + ` curl -H "X-aws-ec2-metadata-token: $TOKEN" http://h/` },
}

// A secret in any text of a record, however it got there, comes out nowhere.
func TestSecretsReachNoOutput(t *testing.T) {
	secrets := map[string]string{"token": testToken, "access key id": testKeyID, "secret key": testKey}
	for kind, secret := range secrets {
		for where, plant := range plantings {
			t.Run(kind+" "+where, func(t *testing.T) {
				r := testRecords()["14 shared"]
				r.Answer.Process = testProcess()
				if n := plantText(reflect.ValueOf(&r).Elem(), plant(secret)); n < 20 {
					t.Fatalf("planted in %d places only", n)
				}
				checkNoSecret(t, everyOutput(t, r), secret)
			})
		}
	}
}

// An argument can name the secret that follows it.
func TestSecretArgumentsReachNoOutput(t *testing.T) {
	const secret = "Tr0ub4dor&3"
	r := testRecord(func(r *Record) {
		args := []string{"app", "--password", secret, "--token=" + secret, "-H", "X-aws-ec2-metadata-token: " + secret}
		r.Answer.Process.Args = args
		r.Answer.Process.Ancestors[0].Args = args
		r.Answer.Process.Ancestors[1].Args = args
	})
	out := everyOutput(t, r)
	checkNoSecret(t, out, secret)
	if !strings.Contains(out, "--password REDACTED") {
		t.Errorf("the mark is missing: %s", out)
	}
}

// A program that shares its name with an interpreter can have the secret where
// that one has its script.
func TestSecretIsNoScript(t *testing.T) {
	const secret = "Tr0ub4dor&3"
	r := testRecord(func(r *Record) {
		r.Answer.Process.Args = []string{"node", "--password", secret, "start"}
		r.Identity.Script = identity.Script{Kind: identity.ScriptFile, Name: secret, Path: "/opt/app/" + secret}
	})
	out := everyOutput(t, r)
	checkNoSecret(t, out, secret)
	if strings.Contains(out, `"script"`) {
		t.Errorf("there is a script: %s", out)
	}
}

// The same holds for an ancestor.
func TestSecretIsNoCaller(t *testing.T) {
	const secret = "Tr0ub4dor&3"
	r := testRecord(func(r *Record) {
		r.Answer.Process.Ancestors[0].Args = []string{"node", "--password", secret, "start"}
		r.Identity.Caller = identity.Script{Kind: identity.ScriptFile, Name: secret, Path: "/opt/app/" + secret}
		r.Identity.Generation = 1
	})
	out := everyOutput(t, r)
	checkNoSecret(t, out, secret)
	if strings.Contains(out, `"script"`) {
		t.Errorf("there is a script: %s", out)
	}
}

// A capture that was fetched from a signed URL is called like that by who fetched it.
func TestSecretNamesOfFilesReachNoLog(t *testing.T) {
	s := Session{Interfaces: []string{"boot.pcap?X-Amz-Credential=" + testKeyID + "&X-Amz-Signature=0a1b", "boot.pcap"}, Started: testTime}
	for _, l := range []Lifecycle{s.Start(), s.Progress(CaptureRuns, testTime, Counts{}), s.Progress(CaptureStopped, testTime, Counts{}), s.Gap(testTime, 1, Counts{})} {
		line := string(l.AppendLine(nil))
		if strings.Contains(line, testKeyID) || strings.Contains(line, "0a1b") || !strings.Contains(line, `"boot.pcap?X-Amz-Credential=REDACTED&X-Amz-Signature=REDACTED","boot.pcap"`) {
			t.Errorf("the line is %s", line)
		}
	}
}

// plantText sets every text below v, and returns how many that are. Texts of
// types of their own are the program's words, not from outside.
func plantText(v reflect.Value, text string) int {
	planted := 0
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			v.SetString(text)
			return 1
		}
	case reflect.Pointer:
		if !v.IsNil() {
			return plantText(v.Elem(), text)
		}
	case reflect.Slice:
		for i := range v.Len() {
			planted += plantText(v.Index(i), text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				planted += plantText(v.Field(i), text)
			}
		}
	}
	return planted
}

// everyOutput returns all that is written of a record and its variants.
func everyOutput(t *testing.T, r Record) string {
	t.Helper()
	var out strings.Builder
	w, c, s := NewWriter(&out, "the log", false), NewConsole(&out, "standard output", true, nil), NewSummary()
	for _, edit := range []func(*Record){func(*Record) {}, offline, token, cutHead(imds.Snaplen), unanswered} {
		variant := r
		edit(&variant)
		e := NewEntry(variant, testHost)
		if err := w.Call(&e); err != nil {
			t.Fatal(err)
		}
		if err := c.Call(&e); err != nil {
			t.Fatal(err)
		}
		s.Add(&e)
	}
	if err := s.Print(&out, CaptureStats{Segments: 1}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// checkNoSecret looks for the secret as it is, and without JSON's and URLs'
// encodings.
func checkNoSecret(t *testing.T, out, secret string) {
	t.Helper()
	for line := range strings.Lines(out) {
		texts := []string{line}
		var object any
		if json.Unmarshal([]byte(line), &object) == nil {
			texts = append(texts, fmt.Sprint(object))
		}
		for _, text := range texts {
			for range 4 {
				if strings.Contains(text, secret) || strings.Contains(text, strings.TrimRight(secret, "=")) {
					t.Fatalf("the secret is in %s", line)
				}
				text = unescape(text)
			}
		}
	}
}

// unescape removes one layer of percent-encoding, also from text that has bare
// percent signs.
func unescape(s string) string {
	parts := strings.Split(s, "%")
	for i, part := range parts[1:] {
		if plain, err := url.PathUnescape("%" + part); err == nil {
			parts[i+1] = plain
		}
	}
	return strings.Join(parts, "")
}
