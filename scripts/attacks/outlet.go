package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/net/html"

	"imds-analyzer/output/screentest"
)

// quoteAround is what stands around a place of a text.
func quoteAround(text string, at int) string {
	const around = 40
	return fmt.Sprintf("%q", text[max(0, at-around):min(len(text), at+around)])
}

// jsonFaults: each line is one JSON value, and does nothing to a terminal.
func jsonFaults(text string) []string {
	faults := plainFaults(text)
	decoder := json.NewDecoder(strings.NewReader(text))
	for decoder.More() {
		var value any
		if err := decoder.Decode(&value); err != nil {
			return append(faults, "no JSON: "+err.Error())
		}
	}
	return faults
}

// sample is a line of Prometheus' text format: a name, labels, a number.
var sample = regexp.MustCompile(`^(#.*|imds_[a-z0-9_]+(\{([a-z_]+="([^"\\]|\\[\\"n])*",?)*\})? [0-9.e+-]+)$`)

func metricsFaults(text string) []string {
	faults := plainFaults(text)
	for line := range strings.Lines(text) {
		if line = strings.TrimSuffix(line, "\n"); !sample.MatchString(line) {
			faults = append(faults, fmt.Sprintf("no line of metrics: %q", line))
		}
	}
	return faults
}

// pageFaults: nothing hostile is anything but text in a page.
func pageFaults(text string) []string {
	faults := plainFaults(text)
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		return append(faults, err.Error())
	}
	shown := false
	for node := range root.Descendants() {
		switch node.Type {
		case html.TextNode:
			inCode := node.Parent.Data == "script" || node.Parent.Data == "style"
			shown = shown || !inCode && strings.Contains(node.Data, mark)
			if inCode && (strings.Contains(node.Data, mark) || strings.Contains(node.Data, "owned")) {
				faults = append(faults, "hostile text in a "+node.Parent.Data)
			}
		case html.ElementNode:
			faults = append(faults, elementFaults(node)...)
		case html.CommentNode:
			if strings.Contains(node.Data, mark) {
				faults = append(faults, "hostile text in a comment")
			}
		}
	}
	if !shown {
		faults = append(faults, "the hostile text is not shown")
	}
	return faults
}

func elementFaults(node *html.Node) (faults []string) {
	if node.Data == "img" || strings.Contains(node.Data, mark) {
		faults = append(faults, "an element that is not the page's: "+node.Data)
	}
	for _, a := range node.Attr {
		if strings.HasPrefix(a.Key, "on") || strings.Contains(a.Key+a.Val, mark) || strings.Contains(a.Key+a.Val, "owned") {
			faults = append(faults, fmt.Sprintf("an attribute that is not the page's: %s=%q", a.Key, a.Val))
		}
	}
	return faults
}

// Of the terminal on which the program shows calls.
const columns, rows = 250, 50

// consoleFaults: of what comes to a terminal all that is no text is the program's own.
func consoleFaults(text string) []string {
	faults := rawFaults(text)
	screen := screentest.New(columns, rows, func(rune) int { return 1 })
	const end = "the end"
	if _, err := screen.Write([]byte(text + "\n" + end)); err != nil {
		return append(faults, err.Error())
	}
	lines := screen.Lines()
	if lines[len(lines)-1] != end {
		faults = append(faults, "a sequence that does not end")
	}
	return append(faults, plainFaults(strings.Join(lines, "\n"))...)
}

// errNoCapture: a file is no pcapng as the program writes it.
var errNoCapture = errors.New("no pcapng file")

// commentsOf are the comments on packets in a pcapng file (draft-ietf-opsawg-pcapng,
// sections 4.3 and 3.5), which the program writes in little-endian.
func commentsOf(file []byte) (comments []string, err error) {
	const enhancedPacket = 6
	for len(file) > 0 {
		if len(file) < 12 {
			return nil, errNoCapture
		}
		kind, length := binary.LittleEndian.Uint32(file), binary.LittleEndian.Uint32(file[4:])
		if length < 12 || uint64(length) > uint64(len(file)) {
			return nil, errNoCapture
		}
		if kind == enhancedPacket {
			comments = append(comments, commentsOfPacket(file[8:length-4])...)
		}
		file = file[length:]
	}
	return comments, nil
}

func commentsOfPacket(body []byte) (comments []string) {
	const head, capturedAt, comment = 20, 12, 1
	if len(body) < head {
		return nil
	}
	options := after(body, head+binary.LittleEndian.Uint32(body[capturedAt:]))
	for len(options) >= 4 {
		code, length := binary.LittleEndian.Uint16(options), binary.LittleEndian.Uint16(options[2:])
		if code == comment && int(length) <= len(options)-4 {
			comments = append(comments, string(options[4:4+length]))
		}
		options = after(options, 4+uint32(length))
	}
	return comments
}

// after is what follows n bytes that are padded to a multiple of 4.
func after(data []byte, n uint32) []byte { return data[min(uint64(len(data)), (uint64(n)+3)&^3):] }

// journalFaults: each message of the journal's entries is a line of the log. A value comes
// with its length before it, as 8 bytes, little-endian.
func journalFaults(entries string) (faults []string) {
	const field = "\nMESSAGE\n"
	found := 0
	for {
		_, rest, ok := strings.Cut(entries, field)
		if !ok || len(rest) < 8 {
			break
		}
		length := binary.LittleEndian.Uint64([]byte(rest))
		if length > uint64(len(rest)-8) {
			return append(faults, "an entry that is cut off")
		}
		message := rest[8 : 8+length]
		faults = append(faults, jsonFaults(message)...)
		if strings.Contains(message, "\n") {
			faults = append(faults, "a message of several lines")
		}
		entries, found = rest[8+length:], found+1
	}
	if found == 0 {
		faults = append(faults, "no entries")
	}
	return faults
}

// jsonCommentFaults: each comment is the program's name, and JSON.
func jsonCommentFaults(text string) []string {
	return jsonFaults(strings.ReplaceAll("\n"+text, "\nimds-analyzer: ", "\n"))
}
