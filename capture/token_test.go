package capture

import (
	"bytes"
	"strings"
	"testing"

	"imds-analyzer/imds"
)

func TestTokenValue(t *testing.T) {
	for value, want := range map[string]imds.TokenValue{
		"": imds.EmptyToken,
		"AQAEAExampleExampleExampleExampleExampleExampleExample==": imds.OpaqueToken,
		"a":              imds.OpaqueToken,
		"v1.token:x/y+z": imds.OpaqueToken,
		"[object]":       imds.OpaqueToken,
		"Forbiddenly":    imds.OpaqueToken,
		"$TOKEN":         imds.OpaqueToken,
		"Forbidden":      imds.NotAToken,
		"null":           imds.NotAToken,
		"Bad Request":    imds.NotAToken,
		"<?xml":          imds.NotAToken,
		`{"code":401}`:   imds.NotAToken,
		"AQAEA\x00":      imds.NotAToken,
		"AQAEA\x7f":      imds.NotAToken,
		"AQAEA\t==":      imds.NotAToken,
		"zurückgewiesen": imds.NotAToken,
		"AQAEA\xff":      imds.NotAToken,
	} {
		if got := tokenValue(&field{value: []byte(value)}); got != want {
			t.Errorf("%q: %d, want %d", value, got, want)
		}
		if got := tokenValue(&field{value: []byte(value), cut: true}); got != imds.NoToken {
			t.Errorf("%q, cut: %d", value, got)
		}
	}
}

// FuzzTokenValue: a value is empty, holds what base64 does not, or is opaque.
func FuzzTokenValue(f *testing.F) {
	for _, value := range []string{"", "AQAEA==", "<html>", "Not Found", "null", "\xff", strings.Repeat("A", 70)} {
		f.Add([]byte(value))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		plain := len(bytes.Trim(value, base64Alphabets)) == 0
		switch got := tokenValue(&field{value: value}); {
		case got == imds.NoToken, (got == imds.EmptyToken) != (len(value) == 0):
			t.Errorf("%q: %d", value, got)
		case got == imds.NotAToken && plain && !isTokenStandIn(value):
			t.Errorf("%q is no token", value)
		case got == imds.OpaqueToken && bytes.ContainsAny(value, " \t\r\n<>\"'"):
			t.Errorf("%q is a token", value)
		}
	})
}

const base64Alphabets = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_="

// What is seen of each request costs no memory.
func TestLooksDoNotAllocate(t *testing.T) {
	rest := []byte("Host: 169.254.169.254\r\nX-aws-ec2-metadata-token: AQAEAExample==\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n")
	var token imds.TokenValue
	var seen shape
	n := testing.AllocsPerRun(100, func() {
		seen = newShape()
		for f := (fieldReader{rest: rest}); f.next(); {
			seen.visit(&f.field)
			if f.name == imds.TokenField {
				token = tokenValue(&f.field)
			}
		}
	})
	if n > 0 || token != imds.OpaqueToken || seen == newShape() {
		t.Errorf("%v allocations, token %d, shape %x", n, token, seen)
	}
}
