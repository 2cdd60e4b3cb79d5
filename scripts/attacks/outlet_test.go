package main

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// Each check finds what is wrong, and nothing in what is right.
func TestOutletChecks(t *testing.T) {
	entryOf := func(message string) string {
		return "PRIORITY\n\x01\x00\x00\x00\x00\x00\x00\x006\nMESSAGE\n" + string(binary.LittleEndian.AppendUint64(nil, uint64(len(message)))) + message + "\n"
	}
	for _, tt := range []struct {
		name  string
		check func(string) []string
		text  string
		fault string // "" for none
	}{
		{"plain", plainFaults, "a\tb\n" + mark + "\ufffd[2J é\n", ""},
		{"not UTF-8", plainFaults, "a\xff", "not UTF-8"},
		{"escape", plainFaults, "a\x1b[31mb", "control characters"},
		{"carriage return", plainFaults, "a\rb", "control characters"},
		{"delete", plainFaults, "a\x7fb", "control characters"},
		{"C1", plainFaults, "a\u009bb", "control characters"},
		{"direction", plainFaults, "a\u202eb", "control characters"},
		{"isolate", plainFaults, "a\u2067b", "control characters"},
		{"line separator", plainFaults, "a\u2028b", "control characters"},
		{"forged", plainFaults, "a\n  " + forged + "\n", "a forged line"},
		{"forged within a line", plainFaults, "a " + forged + "\n", ""},

		{"lines", jsonFaults, "{\"a\":1}\n{\"b\":\"\\u001b\"}\n", ""},
		{"no line", jsonFaults, "{\"a\":1}\n{\"b\n", "no JSON"},
		{"comments", jsonCommentFaults, "imds-analyzer: {\"a\":1}\nimds-analyzer: {\"b\":2}", ""},
		{"no comment", jsonCommentFaults, "imds-analyzer: {\"a\":1}\nother", "no JSON"},

		{"samples", metricsFaults, "# HELP x\nimds_calls_total 1\nimds_by_total{program=\"a\\\"b\\\\\\n\",x=\"y\"} 1.5e+09\n", ""},
		{"a sample of its own", metricsFaults, "imds_by_total{program=\"h0stile\" 1\nowned_total 1\n", "no line of metrics"},

		{"page", pageFaults, "<html><head><style>b{}</style></head><body><b>" + mark + "&lt;img src=x&gt;</b></body></html>", ""},
		{"page without it", pageFaults, "<html><body><b>x</b></body></html>", "not shown"},
		{"an element", pageFaults, "<p>" + mark + "<img src=x></p>", "an element that is not the page's"},
		{"a handler", pageFaults, "<p>" + mark + "<b onclick=x()>y</b></p>", "an attribute that is not the page's"},
		{"an attribute", pageFaults, "<p>" + mark + "</p><a title=\"" + mark + "\">y</a>", "an attribute that is not the page's"},
		{"a script", pageFaults, "<p>" + mark + "</p><script>owned()</script>", "hostile text in a script"},
		{"a comment", pageFaults, "<p>" + mark + "</p><!-- " + mark + " -->", "hostile text in a comment"},

		{"console", consoleFaults, "\x1b[31ma\x1b[m\r\n\x1b[1Ab" + mark + "\ufffd[2J\x1b[m\r\n", ""},
		{"console, cleared", consoleFaults, mark + "\x1b[2J", "as it was given"},
		{"console, coloured by a name", consoleFaults, mark + "\x1b[31m", "as it was given"},
		{"console, another's sequence", consoleFaults, "\x1b[5;5H", "a sequence that is not known"},
		{"console, without end", consoleFaults, "a\x1b]0;x\a", "a sequence that does not end"},
		{"console, forged", consoleFaults, mark + "x\r\n" + forged + "\r\n", "a forged line"},

		{"journal", journalFaults, entryOf(`{"a":1}`) + entryOf(`{"b":2}`), ""},
		{"journal, nothing", journalFaults, "", "no entries"},
		{"journal, two lines", journalFaults, entryOf("{\"a\":1}\n{\"b\":2}"), "a message of several lines"},
		{"journal, no JSON", journalFaults, entryOf("a"), "no JSON"},
		{"journal, cut off", journalFaults, entryOf(`{"a":1}`)[:len(entryOf(""))], "cut off"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			faults := strings.Join(tt.check(tt.text), "\n")
			if tt.fault == "" && faults != "" || !strings.Contains(faults, tt.fault) {
				t.Errorf("faults %q, want %q", faults, tt.fault)
			}
		})
	}
}

// Everything hostile that is no text is found where it comes out as it was given.
func TestHostileIsFound(t *testing.T) {
	for i, h := range hostiles() {
		bad := strings.ContainsFunc(h, unseenOrBreak)
		if found := len(rawFaults("x"+hostile(i)+"y")) > 0; found != bad {
			t.Errorf("%q: found %v", hostile(i), found)
		}
		if found := len(plainFaults(hostile(i))) > 0; found != bad && !strings.HasPrefix(h, "\" 1\n") {
			t.Errorf("%q: found by what is plain: %v", hostile(i), found)
		}
		if strings.ContainsRune(hostile(i), 0) || strings.Contains(fileName(hostile(i)), "/") || strings.ContainsAny(headerValue(hostile(i)), "\r\n") {
			t.Errorf("%q cannot be a name", hostile(i))
		}
	}
}

func block(kind uint32, body []byte) []byte {
	length := uint32(len(body) + 12)
	b := binary.LittleEndian.AppendUint32(nil, kind)
	b = append(binary.LittleEndian.AppendUint32(b, length), body...)
	return binary.LittleEndian.AppendUint32(b, length)
}

func TestCommentsOf(t *testing.T) {
	packet := make([]byte, 20)
	packet[12] = 3 // captured
	packet = append(packet, 'a', 'b', 'c', 0)
	packet = append(packet, 1, 0, 5, 0, 'h', 'e', 'l', 'l', 'o', 0, 0, 0, 2, 0, 4, 0, 1, 1, 1, 1, 1, 0, 1, 0, 'x', 0, 0, 0, 0, 0, 0, 0)
	file := append(block(0x0a0d0d0a, make([]byte, 16)), block(6, packet)...)
	got, err := commentsOf(file)
	if want := []string{"hello", "x"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	for n := 1; n < len(file); n += 7 {
		if _, err := commentsOf(file[:n]); err == nil && n != 28 {
			t.Errorf("%d bytes are taken for a whole file", n)
		}
	}
}
