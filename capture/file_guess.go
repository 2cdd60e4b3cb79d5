package capture

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// fileBeginsMagic reports whether head, which is shorter than four bytes, is
// the beginning of a format that can be read.
func fileBeginsMagic(head []byte) bool {
	for _, magic := range []string{
		"\x0a\x0d\x0d\x0a", "\x1f\x8b\x08", "\x28\xb5\x2f\xfd",
		"\xd4\xc3\xb2\xa1", "\xa1\xb2\xc3\xd4", "\x4d\x3c\xb2\xa1", "\xa1\xb2\x3c\x4d",
		"\x34\xcd\xb2\xa1", "\xa1\xb2\xcd\x34",
		"\xab\x01\x00\x1c", "\x1c\x00\x01\xab", "\xac\x01\x00\x1c", "\x1c\x00\x01\xac",
	} {
		if strings.HasPrefix(magic, string(head)) {
			return true
		}
	}
	return false
}

// fileKind is a kind of file that is no capture, or none that can be read, but
// is easily given for one. All advice is a command or a program that helps.
type fileKind struct {
	offset int
	magic  string
	name   string
	advice string
}

// fileKinds lists the kinds of file that are told by fixed bytes. gzip and zstd
// are among them for what is packed twice.
func fileKinds() []fileKind {
	return []fileKind{
		{0, "\x28\xb5\x2f\xfd", "zstd-compressed data", "unpack it first: zstd -d"},
		{0, "\xfd7zXZ\x00", "xz-compressed data", "unpack it first: unxz"},
		{0, "BZh", "bzip2-compressed data", "unpack it first: bunzip2"},
		{0, "\x04\x22\x4d\x18", "lz4-compressed data", "unpack it first: lz4 -d"},
		{0, "\x1f\x8b", "gzip-compressed data", "unpack it first: gunzip"},
		{0, "\x1f\x9d", "compress(1)ed data", "unpack it first: uncompress"},
		{0, "PK\x03\x04", "a zip archive", "unpack it first: unzip"},
		{0, "7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it first: 7z x"},
		{257, "ustar", "a tar archive", "unpack it first: tar -x"},
		{0, "snoop\x00\x00\x00", "a snoop capture", "convert it first: editcap -F pcapng IN OUT"},
		{0, "GMBU", "a Microsoft Network Monitor capture", "convert it first: editcap -F pcapng IN OUT"},
		{0, "RTSS", "a Microsoft Network Monitor 1 capture", "convert it first: editcap -F pcapng IN OUT"},
		{0, "iptrace ", "an AIX iptrace capture", "convert it first: editcap -F pcapng IN OUT"},
		{0, "TRSNIFF data    \x1a", "a Sniffer capture", "convert it first: editcap -F pcapng IN OUT"},
		{0, "btsnoop\x00", "a Bluetooth capture", ""},
		// The first event after the 72-byte buffer header is a system trace
		// header (version 2, type 1 or 2 for 32 or 64 bits, flags 0xc0).
		{72, "\x02\x00\x01\xc0", "a Windows event trace (ETL)", "convert it first: etl2pcapng"},
		{72, "\x02\x00\x02\xc0", "a Windows event trace (ETL)", "convert it first: etl2pcapng"},
		{0, "LPKSHHRH", "a systemd journal", ""},
		{0, "PAR1", "a Parquet file", ""},
		{0, "\x7fELF", "an executable", ""},
	}
}

// fileLooksLike says what a file that begins with head seems to be, in words
// that go on from "it".
func fileLooksLike(head []byte) string {
	for _, k := range fileKinds() {
		if len(head) > k.offset && bytes.HasPrefix(head[k.offset:], []byte(k.magic)) {
			return fileLooks(k.name, k.advice)
		}
	}
	if fileIsText(head) {
		return fileLooks(fileTextKind(head))
	}
	if len(bytes.Trim(head, "\x00")) == 0 {
		return "begins with zero bytes only"
	}
	return fmt.Sprintf("begins with the bytes % x, which is neither pcap nor pcapng", head[:min(len(head), 8)])
}

func fileLooks(name, advice string) string {
	if advice == "" {
		return "looks like " + name
	}
	return "looks like " + name + "; " + advice
}

// fileTextKind returns what kind of text it is, and advice.
func fileTextKind(text []byte) (name, advice string) {
	start := strings.ToLower(string(bytes.TrimSpace(text[:min(len(text), 512)])))
	switch {
	case strings.HasPrefix(start, "<!doctype html"), strings.HasPrefix(start, "<html"):
		return "a web page", "was the download refused?"
	case strings.HasPrefix(start, "<"):
		return "XML text", ""
	case strings.HasPrefix(start, "{"), strings.HasPrefix(start, "["):
		return "JSON text", ""
	}
	return "text", "tcpdump writes a capture with -w FILE"
}

// fileIsText reports whether head is UTF-8 text without control characters
// but blanks, line ends and escapes (of coloured output).
func fileIsText(head []byte) bool {
	head = head[:min(len(head), 512)]
	for len(head) > 0 {
		r, size := utf8.DecodeRune(head)
		if r == utf8.RuneError && size == 1 {
			return !utf8.FullRune(head) // cut at the end is no fault
		}
		if unicode.IsControl(r) && !strings.ContainsRune("\t\n\r\f\x1b", r) {
			return false
		}
		head = head[size:]
	}
	return true
}
