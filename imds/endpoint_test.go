package imds

import (
	"net/netip"
	"strings"
	"testing"
)

func TestParseEndpoint(t *testing.T) {
	for in, want := range map[string]string{
		"169.254.169.254":             "169.254.169.254:80",
		"169.254.169.254:8080":        "169.254.169.254:8080",
		"fd00:ec2::254":               "[fd00:ec2::254]:80",
		"[fd00:ec2::254]":             "[fd00:ec2::254]:80",
		"[fd00:ec2::254]:1338":        "[fd00:ec2::254]:1338",
		"::ffff:169.254.169.254":      "169.254.169.254:80",
		"[::ffff:169.254.169.254]:81": "169.254.169.254:81",
	} {
		got, err := ParseEndpoint(in)
		if err != nil || got.String() != want {
			t.Errorf("%q: %v, %v, want %s", in, got, err, want)
		}
	}
}

func TestParseEndpointRefuses(t *testing.T) {
	for _, in := range []string{
		"", "localhost", "localhost:80", "169.254.169.254:", "169.254.169.254:0", "169.254.169.254:65536",
		"169.254.169", "0.0.0.0", "[::]:80", "[fd00:ec2::254", "fe80::1%eth0", "http://169.254.169.254", "a\x1b[31mb",
	} {
		got, err := ParseEndpoint(in)
		if err == nil {
			t.Errorf("%q became %v", in, got)
			continue
		}
		if message := err.Error(); strings.ContainsAny(message, "\n\x1b") {
			t.Errorf("%q: the message is not one plain line: %q", in, message)
		}
	}
}

func TestDefaultEndpoints(t *testing.T) {
	want := []string{"169.254.169.254:80", "[fd00:ec2::254]:80"}
	got := DefaultEndpoints()
	if len(got) != len(want) {
		t.Fatalf("%v", got)
	}
	for i, endpoint := range got {
		if endpoint != netip.MustParseAddrPort(want[i]) {
			t.Errorf("%v, want %s", endpoint, want[i])
		}
	}
}

func FuzzParseEndpoint(f *testing.F) {
	f.Add("[fd00:ec2::254]:80")
	f.Add("169.254.169.254")
	f.Fuzz(func(t *testing.T, s string) {
		endpoint, err := ParseEndpoint(s)
		if err != nil {
			return
		}
		again, err := ParseEndpoint(endpoint.String())
		if err != nil || again != endpoint {
			t.Errorf("%q: %v, then %v, %v", s, endpoint, again, err)
		}
	})
}
