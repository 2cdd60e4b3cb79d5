package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"imds-analyzer/diagnosis"
	"imds-analyzer/imds"
	"imds-analyzer/output"
)

// received is what a Receiver was given, each in a word.
type received struct {
	got     []string
	notOurs int
}

func (r *received) Call(e *output.Entry) {
	r.got = append(r.got, fmt.Sprint("call ", e.URL.Path, " ", e.Event.Sequence))
}

func (r *received) Lifecycle(l *output.Lifecycle) { r.got = append(r.got, l.Event.Action) }

func (r *received) Malformed(file string, line int, err error) {
	r.got = append(r.got, fmt.Sprintf("%s:%d: %v", file, line, err))
}

func (r *received) NotOurs(lines int) { r.notOurs += lines }

// read reads a log that is text.
func read(t *testing.T, text string) *received {
	t.Helper()
	var r received
	if err := Read(t.Context(), strings.NewReader(text), "f", &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

// entry is the line of a call.
func entry(path string, sequence uint64) string {
	e := output.NewEntry(output.Record{
		Sequence: sequence,
		Evidence: diagnosis.Evidence{Call: imds.Call{
			Conn:    imds.Conn{Client: netip.MustParseAddrPort("10.0.0.1:40000"), Service: netip.MustParseAddrPort("169.254.169.254:80")},
			Request: imds.Request{Time: time.Unix(1700000000, 5), Method: "GET", Target: path, Proto: "1.1"},
		}},
	}, output.Host{Hostname: "web-1"})
	return string(e.AppendLine(nil))
}

// started is the line of a capture's start.
func started(t *testing.T) string {
	t.Helper()
	var line bytes.Buffer
	l := (&output.Session{Started: time.Unix(1700000000, 0)}).Start()
	if err := output.NewWriter(&line, "", false).Lifecycle(&l); err != nil {
		t.Fatal(err)
	}
	return line.String()
}

func quoted(text string) string { return fmt.Sprintf("%q", text) }

func TestLines(t *testing.T) {
	call := strings.TrimSpace(entry("/x", 3))
	life := strings.TrimSpace(started(t))
	zeros, escaped := strings.Repeat("\x00", 3000), strings.Repeat(`\u0000`, 3000)
	lost := func(line int) string { return fmt.Sprintf("f:%d: %v", line, errZeros) }
	binary := func(line int) string { return fmt.Sprintf("f:%d: %v", line, errBinary) }
	tests := map[string]struct {
		text    string
		want    []string
		notOurs int
	}{
		"a call":                  {call + "\n", []string{"call /x 3"}, 0},
		"without a line end":      {call, []string{"call /x 3"}, 0},
		"CRLF":                    {life + "\r\n" + call + "\r\n", []string{"capture-started", "call /x 3"}, 0},
		"byte order mark":         {"\ufeff" + life + "\n" + call, []string{"capture-started", "call /x 3"}, 0},
		"blank lines":             {"\n \n\t\r\n" + call + "\n\n", []string{"call /x 3"}, 0},
		"emptied while written":   {strings.Repeat("\x00", 5000) + call + "\n", []string{"call /x 3"}, 0},
		"zeros alone":             {zeros, []string{lost(1)}, 0},
		"zeros for the first":     {zeros + "\r\n" + call, []string{lost(1), "call /x 3"}, 0},
		"zeros before others":     {zeros + "hello\n" + call, []string{lost(1), "call /x 3"}, 1},
		"zeros for a line":        {life + "\n" + zeros + "\n" + call, []string{"capture-started", lost(2), "call /x 3"}, 0},
		"zeros before an entry":   {life + "\n" + zeros + call, []string{"capture-started", lost(2), "call /x 3"}, 0},
		"zeros for a line end":    {call + zeros + "\n" + life, []string{lost(1), "call /x 3", "capture-started"}, 0},
		"zeros at the end":        {call + "\n" + zeros, []string{"call /x 3", lost(2)}, 0},
		"half an entry and zeros": {call[:600] + zeros + "\n" + call, []string{"f:1: it is no whole JSON object: that ends at byte 600", "call /x 3"}, 0},
		"zeros in docker":         {`{"log":"` + escaped + `\n"}`, []string{lost(1)}, 0},
		"shipped behind zeros":    {`{"message":"` + escaped + quoted(call)[1:] + `}`, []string{lost(1), "call /x 3"}, 0},
		"zeros in text":           {"hel\x00lo\n" + call, []string{binary(1), "call /x 3"}, 0},
		"high bytes":              {life + "\n" + strings.Repeat("\xfe", 700) + "\n" + call, []string{"capture-started", binary(2), "call /x 3"}, 0},
		"low bytes":               {strings.Repeat("\x01", 700) + "\n" + call, []string{binary(1), "call /x 3"}, 0},
		"binary and other JSON":   {"\x01\x02{}\n" + call, []string{binary(1), "call /x 3"}, 0},
		"a capture":               {call + "\n\xd4\xc3\xb2\xa1\x02\x00\x04\x00\nGET / HTTP/1.1\r\n\x7f\n", []string{"call /x 3", binary(2), binary(4)}, 1},
		"text in UTF-16":          {"\xff\xfeh\x00i\x00\n\x00" + call, []string{binary(1), lost(2), "call /x 3"}, 0},
		"text in UTF-8":           {"Größe\t\u0085\ufffd\n" + call, []string{"call /x 3"}, 1},
		"coloured text":           {"\x1b[1;31merror\x1b[0m\r\n" + call, []string{"call /x 3"}, 1},
		"docker, coloured text":   {`{"log":"\u001b[31merror\u001b[0m\u0007\n"}`, nil, 1},
		"docker compose":          {"\x1b[36mweb-1  | \x1b[0m" + call + "\n\x1b[36mweb-1  | \x1b[0mhello\n", []string{"call /x 3"}, 1},
		"binary before an entry":  {"\x01\x02\xff" + call, []string{"call /x 3"}, 0},
		"text, zeros, an entry":   {"hello" + zeros[:99] + call, []string{lost(1), "call /x 3"}, 0},
		"journal, exported":       {"_PID=7\nMESSAGE=" + call, []string{"call /x 3"}, 1},
		"blanks in the JSON":      {strings.ReplaceAll(call, ",\"", " , \"") + "\n", []string{"call /x 3"}, 0},
		"a field that is new":     {`{"new":{"a":[1]},` + call[1:] + "\n", []string{"call /x 3"}, 0},
		"nothing":                 {"", nil, 0},
		"cut at its end":          {call + "\n" + call[:600], []string{"call /x 3", "f:2: it is no whole JSON object: that ends at byte 600"}, 0},
		"cut at its beginning":    {call[300:] + "\n" + call, []string{"f:1: it is no whole JSON object: that ends at byte", "call /x 3"}, 0},
		"end of an entry":         {`"}}` + "\n", []string{"f:1: it is no JSON object"}, 0},
		"two in a line":           {call + call + "\n", []string{"f:1: it is no whole JSON object"}, 0},
		"no version":              {strings.Replace(call, `"version":"v1"`, `"version":"v9"`, 1), []string{"f:1: it is a call without imds.version"}, 0},
		"number for a text":       {strings.Replace(call, `"path":"/x"`, `"path":7`, 1), []string{"f:1: url.path holds something else than in an entry"}, 0},
		"text for a number":       {strings.Replace(life, `"started":`, `"started":3,"x":`, 1), []string{"f:1: imds.capture.started holds something else"}, 0},
		"not UTF-8":               {strings.Replace(call, "/x", "/\xff", 2), []string{"f:1: it is no whole JSON object"}, 0},
		"other JSON":              {`{"a":1}` + "\n" + `{"event":{"dataset":"nginx.access"}}` + "\n" + `{"event":"started"}` + "\n[1,{\"a\":2}]\n" + call, []string{"call /x 3"}, 4},
		"others, a name twice":    {`{"error":"a","error":"b"}` + "\n[{\"a\":1,\"a\":2}]\n" + call, []string{"call /x 3"}, 2},
		"shipped, a name twice":   {`{"log":` + quoted(call) + `,"time":1,"time":2}`, []string{"call /x 3"}, 0},
		"a name twice, and cut":   {`{"a":1,"a":2,` + call[1:600], []string{"f:1: it is no whole JSON object: that ends at byte 612"}, 0},
		"a name twice in entries": {`{"event":{},` + call[1:] + "\n" + `{"event":{},` + life[1:], []string{"f:1: it has a field twice", "f:2: it has a field twice"}, 0},
		"other text":              {"imds-analyzer: capturing on any\n" + call, []string{"call /x 3"}, 1},
		"docker":                  {`{"log":` + quoted(call+"\n") + `,"stream":"stdout","time":"2026-01-01T00:00:00Z"}`, []string{"call /x 3"}, 0},
		"docker, standard error":  {`{"log":"imds-analyzer: capturing\n","stream":"stderr"}`, nil, 1},
		"docker, cut":             {`{"log":` + quoted(call[:100]) + `}`, []string{"f:1: it is no whole JSON object"}, 0},
		"shipped":                 {`{"@timestamp":"2026-01-01T00:00:00Z","agent":{},"event":{"dataset":"x"},"log":{"offset":3},"message":` + quoted(life) + `}`, []string{"capture-started"}, 0},
		"shipped from docker":     {`{"message":` + quoted(`{"log":`+quoted(call)+`}`) + `}`, []string{"call /x 3"}, 0},
		"wrapped three times":     {`{"message":` + quoted(`{"message":`+quoted(`{"log":`+quoted(call)+`}`)+`}`) + `}`, []string{"f:1: it holds an entry where none is looked for"}, 0},
		"shipped in a list":       {"[" + call + "]\n" + `{"logEvents":[{"message":` + quoted(call) + `}]}`, []string{"f:1: it holds an entry where", "f:2: it holds an entry where"}, 0},
		"shipped in a field":      {`{"line":` + quoted(life) + `}` + "\n" + `{"result": ` + strings.ReplaceAll(call, `":"`, `": "`) + `}`, []string{"f:1: it holds an entry where", "f:2: it holds an entry where"}, 0},
		"a command on entries":    {`{"message":"jq 'select(.event.dataset==\"imds.call\")'"}`, nil, 1},
		"shipped from CRI":        {`{"log":` + quoted("2026-11-27T04:00:00.000000000Z stdout F "+call) + `}`, []string{"call /x 3"}, 0},
		"shipped from CRI, cut":   {`{"log":` + quoted("2026-11-27T04:00:00.000000000Z stdout P "+call[:600]) + `}`, []string{"f:1: it is no whole JSON object"}, 0},
		"shipped from syslog":     {`{"message":` + quoted("Nov 27 04:00:00 web-1 imds-analyzer[7]: "+call) + `}`, []string{"call /x 3"}, 0},
		"shipper's other message": {`{"message":"hello"}`, nil, 1},
		"journal":                 {`{"MESSAGE":` + quoted(call) + `,"SYSLOG_IDENTIFIER":"imds-analyzer"}`, []string{"call /x 3"}, 0},
		"journal that omits":      {`{"MESSAGE":null,"SYSLOG_IDENTIFIER":"imds-analyzer"}` + "\n" + `{"MESSAGE":null,"SYSLOG_IDENTIFIER":"cron"}`, []string{"f:1: the journal has left out"}, 1},
		"syslog":                  {"Nov 27 04:00:00 web-1 imds-analyzer[7]: " + call, []string{"call /x 3"}, 0},
		"syslog of others":        {"<13>1 2026-11-27T04:00:00Z web-1 cron 7 - - \ufeffhello #033[31m\n", nil, 1},
		"CRI":                     {"2026-11-27T04:00:00.000000000Z stdout F " + call, []string{"call /x 3"}, 0},
		"CRI of others":           {"2026-11-27T04:00:00.000000000Z stderr F \x1b[31mhello\x1b[0m\n", nil, 1},
		"too long":                {life + "\n" + strings.Repeat("x", maxLine+3*readBytes) + "\n" + call, []string{"capture-started", "f:2: it is longer than 1 MiB", "call /x 3"}, 0},
		"too long at the end":     {call + "\n" + strings.Repeat("{", maxLine+3*readBytes), []string{"call /x 3", "f:2: it is longer than 1 MiB"}, 0},
		"as long as may be":       {strings.Replace(call, "/x", "/"+strings.Repeat("y", maxLine-len(call)), 1) + "\n" + call, []string{"call /", "call /x 3"}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for how, through := range map[string]func(io.Reader) io.Reader{"": nil, "slowly": iotest.HalfReader, "with its end": iotest.DataErrReader} {
				var r received
				var in io.Reader = strings.NewReader(tt.text)
				if through != nil {
					in = through(in)
				}
				if err := Read(t.Context(), in, "f", &r); err != nil {
					t.Fatal(err)
				}
				if !slices.EqualFunc(r.got, tt.want, strings.HasPrefix) || r.notOurs != tt.notOurs {
					t.Errorf("%s: %.300q and %d others, want %q and %d", how, r.got, r.notOurs, tt.want, tt.notOurs)
				}
			}
		})
	}
}

// many is a log of n calls, with a line that is malformed behind every tenth.
func many(n uint64) (text string, want []string) {
	var lines strings.Builder
	line := 0
	for i := range n {
		lines.WriteString(entry("/x", i+1))
		want = append(want, fmt.Sprint("call /x ", i+1))
		if line++; i%10 == 9 {
			lines.WriteString("{\n")
			line++
			want = append(want, fmt.Sprintf("f:%d: it is no whole JSON object: that ends at byte 1", line))
		}
	}
	return lines.String(), want
}

// Lines are handed over in their order, and with their numbers, whoever parses them.
func TestOrder(t *testing.T) {
	text, want := many(5000)
	if got := read(t, text).got; !slices.Equal(got, want) {
		t.Errorf("%d lines, want %d in their order", len(got), len(want))
	}
}

// What comes before an error of the input is handed over.
func TestErrorOfInput(t *testing.T) {
	text, want := many(500)
	broken := errors.New("broken")
	var r received
	err := Read(t.Context(), io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), "f", &r)
	if !errors.Is(err, broken) || !slices.Equal(r.got, want) {
		t.Errorf("%v after %d lines, want %d", err, len(r.got), len(want))
	}
	if err := Read(t.Context(), silent{}, "f", &r); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that gives nothing: %v", err)
	}
}

type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }

// What was read before ctx ends is handed over, although the input has no end.
func TestEndOfContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	in, out := io.Pipe()
	defer in.Close()
	r := &cancelling{cancel: cancel}
	go func() { _, _ = io.WriteString(out, entry("/x", 1)) }()
	if err := Read(ctx, in, "f", r); !errors.Is(err, context.Canceled) || len(r.got) != 1 {
		t.Errorf("%v after %q", err, r.got)
	}
}

// What waits to be handed over when ctx ends is handed over.
func TestRestIsDelivered(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 { // the end may be seen before the first of them or after
		p := pipeline{inOrder: make(chan *batch, 4), free: make(chan *batch, 4)}
		for i := range cap(p.inOrder) {
			b := newBatch()
			b.reset(i + 1)
			b.text = append(b.text, entry("/x", uint64(i+1))...)
			b.parse()
			b.parsed <- struct{}{}
			p.inOrder <- b
		}
		var r received
		if err := p.deliver(ctx, "f", &r); !errors.Is(err, context.Canceled) || len(r.got) != cap(p.inOrder) {
			t.Fatalf("%v, %q", err, r.got)
		}
	}
}

type cancelling struct {
	received
	cancel func()
}

func (c *cancelling) Call(e *output.Entry) {
	c.received.Call(e)
	c.cancel()
}

// Logs of others, and what is none.
func TestLook(t *testing.T) {
	call := entry("/x", 1)
	at := time.Unix(1700000000, 5)
	tests := map[string]struct {
		head   string
		isLog  bool
		begins time.Time
	}{
		"call":          {call, true, at},
		"capture":       {started(t), true, at.Truncate(time.Second)},
		"both":          {started(t) + call, true, at},
		"behind others": {"imds-analyzer: capturing\n{\"a\":1}\n" + call, true, at},
		"behind zeros":  {strings.Repeat("\x00", 5000) + call, true, at},
		"first is lost": {strings.Repeat("\x00", 5000) + "\n" + call, true, at},
		"first is cut":  {call[200:] + call, true, at},
		"only part":     {call[:200], true, time.Time{}},
		"docker":        {`{"log":` + quoted(call) + "}\n", true, at},
		"other JSON":    {"{\n  \"name\": \"x\"\n}\n", false, time.Time{}},
		"a document":    {strings.Repeat("hello\n", maxText+1) + call, false, time.Time{}},
		"text":          {"hello\n", false, time.Time{}},
		"empty":         {"", false, time.Time{}},
	}
	for name, tt := range tests {
		if begins, isLog := Look([]byte(tt.head)); isLog != tt.isLog || !begins.Equal(tt.begins) {
			t.Errorf("%s: %v, %v", name, begins, isLog)
		}
	}
}

// Whatever the bytes, each line is handed over once or not at all, besides zeros in it,
// lines have their numbers, and how it is cut into reads makes no difference.
func FuzzRead(f *testing.F) {
	call := entry("/x", 3)
	f.Add([]byte(call+call[:100]+"\n"+call), uint8(7))
	f.Add([]byte(`{"log":`+quoted(call)+`}`+"\r\n{}\n\n[]\nx {\n"), uint8(1))
	f.Add([]byte("\x00"+call+"\x00"+call+"\x00\n\x00x\x00\n\xff\n\x00"), uint8(3))
	f.Add([]byte(`{"event":{"dataset":"imds.capture"},"imds":{"capture":{"without_packets":[{"connections":1}]}}}`), uint8(200))
	f.Fuzz(func(t *testing.T, data []byte, step uint8) {
		var whole, parts received
		if err := errors.Join(Read(t.Context(), bytes.NewReader(data), "f", &whole),
			Read(t.Context(), stepReader{bytes.NewReader(data), int(step) + 1}, "f", &parts)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(whole.got, parts.got) || whole.notOurs != parts.notOurs {
			t.Errorf("at once %q and %d, in parts %q and %d", whole.got, whole.notOurs, parts.got, parts.notOurs)
		}
		held := slices.DeleteFunc(whole.got, func(got string) bool { return strings.HasSuffix(got, errZeros.Error()) })
		if lines := bytes.Count(data, []byte{'\n'}) + 1; len(held)+whole.notOurs > lines {
			t.Errorf("%d of %d lines", len(held)+whole.notOurs, lines)
		}
	})
}

type stepReader struct {
	r    io.Reader
	step int
}

func (s stepReader) Read(p []byte) (int, error) { return s.r.Read(p[:min(len(p), s.step)]) }

// What decoding costs: the most of what a report does for a line.
func BenchmarkRead(b *testing.B) {
	text, err := os.ReadFile("testdata/entry.json")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	var e output.Entry
	for b.Loop() {
		if kind, _, err := parse(text, &e); kind != call || err != nil {
			b.Fatal(err)
		}
	}
}
