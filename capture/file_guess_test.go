package capture

import (
	"errors"
	"strings"
	"testing"
)

func TestNotCapture(t *testing.T) {
	pad := func(n int, s string) string { return strings.Repeat("\x01", n) + s }
	tests := []struct{ data, want string }{
		{"", "it is empty"},
		{"\x28\xb5\x2f\xfe\x24\x00", "it begins with the bytes 28 b5 2f fe 24 00, which is neither"},
		{"P\x2a\x4d\x19\x00\x00", "the bytes 50 2a 4d 19 00 00, which"},
		{"\xfd7zXZ\x00\x00", "xz-compressed data"},
		{"BZh91AY", "bzip2-compressed data"},
		{"\x04\x22\x4d\x18\x64", "lz4-compressed data"},
		{"\x1f\x9d\x90\x00\x01", "compress(1)ed data"},
		{"\x1f\x8b\x07\x00\x01", "gzip-compressed data"},
		{"PK\x03\x04\x14\x00", "a zip archive"},
		{"snoop\x00\x00\x00\x00\x00\x00\x02", "a snoop capture; convert it first: editcap -F pcapng IN OUT"},
		{"GMBU\x00\x02", "a Microsoft Network Monitor capture"},
		{pad(72, "\x02\x00\x02\xc0"), "a Windows event trace (ETL)"},
		{pad(257, "ustar\x00"), "a tar archive"},
		{"\x7fELF\x02", "an executable"},
		{"<!DOCTYPE html>\n<html>", "a web page"},
		{"\n  <HTML lang=en>", "a web page"},
		{"<?xml version=\"1.0\"?>", "XML text"},
		{`{"@timestamp":"2026-11-23T20:17:00Z"}`, "JSON text"},
		{"[\n  {}\n]", "JSON text"},
		{"12:00:01.000000 IP 10.0.0.1.4444 > 169.254.169.254.80: Flags [S]\n", "it looks like text; tcpdump writes a capture with -w FILE"},
		{"\x1b[33mv1\x1b[0m GET", "it looks like text"},
		{strings.Repeat("a", 511) + "\u00e9", "it looks like text"}, // cut within a character
		{"ab", "it looks like text"},
		{"\xff\xfe", "it begins with the bytes ff fe, which is neither pcap nor pcapng"},
		{"\x01\x02\x03\x04\x05\x06\x07\x08\x09", "the bytes 01 02 03 04 05 06 07 08, which"},
		{"text\x00", "the bytes 74 65 78 74 00, which"},
		{strings.Repeat("\x00", 100), "it begins with zero bytes only"},
		{"\n\r\r\nno byte-order magic", "it begins like pcapng but without a byte-order magic"},
	}
	for _, test := range tests {
		_, err := newReader(strings.NewReader(test.data), nil)
		if !errors.Is(err, ErrNotCapture) {
			t.Errorf("%q: %v", test.data, err)
			continue
		}
		message := err.Error()
		if !strings.HasPrefix(message, "not a capture file: it ") || !strings.Contains(message, test.want) {
			t.Errorf("%q: %q, want %q", test.data, message, test.want)
		}
	}
}

// A file that ends within the first bytes of a known format is cut.
func TestCutMagic(t *testing.T) {
	for _, magic := range []string{
		"\xd4\xc3\xb2\xa1", "\xa1\xb2\xc3\xd4", "\x4d\x3c\xb2\xa1", "\xa1\xb2\x3c\x4d",
		"\x34\xcd\xb2\xa1", "\xa1\xb2\xcd\x34", "\x0a\x0d\x0d\x0a", "\x1f\x8b\x08\x00",
		"\x28\xb5\x2f\xfd", "\xab\x01\x00\x1c", "\x1c\x00\x01\xab", "\xac\x01\x00\x1c", "\x1c\x00\x01\xac",
	} {
		for n := 1; n <= len(magic); n++ {
			if _, err := newReader(strings.NewReader(magic[:n]), nil); !errors.Is(err, ErrTruncated) {
				t.Errorf("% x: %v", magic[:n], err)
			}
		}
	}
}
