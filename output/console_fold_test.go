package output

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/imds"
	"imds-analyzer/output/screentest"
)

// folding is a console on a screen, and all that it was told.
type folding struct {
	*Console
	t      *testing.T
	screen *screentest.Screen
	size   Size
	beside io.Writer
	pid    int
	calls  uint64
}

func newFolding(t *testing.T, size Size, width func(rune) int) *folding {
	f := &folding{t: t, size: size, screen: screentest.New(size.Columns, size.Rows, width)}
	f.Console = NewConsole(f.screen, "standard output", true, func() Size { return f.size })
	f.day = f.date(testTime)
	f.beside = f.Beside(f.screen)
	return f
}

// do takes letters for calls of programs, ! for what others write, . for Flush,
// < and > for a terminal that becomes narrower or wider.
func (f *folding) do(steps string) {
	f.t.Helper()
	for _, step := range steps {
		if err := f.step(step); err != nil {
			f.t.Fatalf("%q of %q: %v", step, steps, err)
		}
	}
}

func (f *folding) step(step rune) error {
	switch step {
	case '!':
		_, err := io.WriteString(f.beside, "!\n")
		return err
	case '.':
		return f.Flush()
	case '<', '>':
		f.size.Columns = max(2, f.size.Columns+map[rune]int{'<': -7, '>': 7}[step]) // room for one that is wide
		f.screen.Resize(f.size.Columns, f.size.Rows)
		return nil
	}
	f.pid++
	f.calls++
	e := NewEntry(testRecord(target("/"+string(step)), func(r *Record) { r.Answer.Process.PID = f.pid }), testHost)
	return f.Call(&e)
}

var shownLine = regexp.MustCompile(`GET /(\S+)  .*?(?:  ×(\d+))?$`)

// shown is what the screen shows: letters with their counts.
func (f *folding) shown() (list []string, calls uint64) {
	f.t.Helper()
	for _, line := range f.screen.Lines() {
		found := shownLine.FindStringSubmatch(line)
		switch {
		case line == "!":
			list = append(list, line)
		case found == nil:
			f.t.Fatalf("on the screen is %q", line)
		case found[2] == "":
			calls++
			list = append(list, found[1])
		default:
			n, err := strconv.ParseUint(found[2], 10, 64)
			if err != nil {
				f.t.Fatal(err)
			}
			calls += n
			list = append(list, found[1]+found[2])
		}
	}
	return list, calls
}

func TestFolding(t *testing.T) {
	usual := Size{Columns: 120, Rows: 24}
	tests := []struct {
		name, steps, want string
		size              Size
	}{
		{"one", "A", "A", usual},
		{"repeated", "AAAAAAAAAAAAAAAAA", "A17", usual},
		{"two take turns", "ABABABA", "A4 B3", usual},
		{"four take turns", "ABCDABDC", "A2 B2 C2 D2", usual},
		{"five do not", "ABCDEABCDE", "A B C D E A B C D E", usual},
		{"the last four", "ABCDEBA", "A B2 C D E A", usual},
		{"others write", "AA!AA!!A", "A2 ! A2 ! ! A", usual},
		{"flushed between", "A.A.B.A.BB.", "A3 B3", usual},
		{"lines leave the screen", "ABABCDEFGHIHIHI", "A2 B2 C D E F G H3 I3", Size{Columns: 80, Rows: 5}},
		{"a low one", "AAB", "A A B", Size{Columns: 120, Rows: 4}},
		{"a narrow one", "AAB", "A A B", Size{Columns: 79, Rows: 24}},
		{"of other width, nothing waits", "AA.<AA", "A2 A2", usual},
		{"of other width, calls wait", "AA.AAA<A", "A2 A4", usual},
		{"of other width, a new one comes", "AABA.A<CA", "A3 B A2 C", usual},
		{"too narrow by now", "AAAA<.AA", "A A3 A A", Size{Columns: 80, Rows: 24}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFolding(t, tt.size, runeColumns)
			f.do(tt.steps + ".")
			list, calls := f.shown()
			if got := strings.Join(list, " "); got != tt.want || calls != f.calls {
				t.Errorf("%s: %d calls in %s, want %d in %s", tt.steps, calls, got, f.calls, tt.want)
			}
		})
	}
}

// The line of several calls is that of the latest, also if it is shorter.
func TestFoldedLine(t *testing.T) {
	f := newFolding(t, Size{Columns: 120, Rows: 24}, runeColumns)
	f.zone, f.day = time.UTC, testTime.Format(time.DateOnly)
	for i, want := range []struct {
		pid         int
		begin, ends string
	}{
		{4194304, "04:30:49.850  v1", "  python3[4194304] app"}, {7, "04:30:50.850  v1", "  python3[7] app  ×2"},
	} {
		e := NewEntry(testRecord(func(r *Record) {
			r.Call.Request.Time = testTime.Add(time.Duration(i) * time.Second)
			r.Answer.Process.PID = want.pid
		}), testHost)
		if err := errors.Join(f.Call(&e), f.Flush()); err != nil {
			t.Fatal(err)
		}
		got := f.screen.Lines()
		if len(got) != 1 || !strings.HasPrefix(got[0], want.begin) || !strings.HasSuffix(got[0], want.ends) {
			t.Errorf("got %q", got)
		}
	}
}

// Calls that differ in anything but time and pid are not alike.
func TestFoldsNothingElse(t *testing.T) {
	edits := []func(*Record){
		func(*Record) {}, token, target("/other"), status(404), unanswered, inPod, inTask, inUnit, cutHead(imds.Snaplen), offline,
		func(r *Record) { r.Call.Request.Method = "POST" },
		func(r *Record) { r.Answer.Process.Name = "ruby" },
		func(r *Record) { r.Answer.Process.User.Name = "root" },
		func(r *Record) { r.Answer.Status = attribution.Inferred },
		func(r *Record) { offline(r); r.Call.Request.UserAgent = "curl/8" },
		target(strings.Repeat("/a", 200) + "1" + strings.Repeat("/a", 200)), target(strings.Repeat("/a", 200) + "2" + strings.Repeat("/a", 200)),
	}
	var one, other consoleLine
	for i := range edits {
		for j := range edits {
			a, b := NewEntry(testRecord(edits[i]), testHost), NewEntry(testRecord(edits[j]), testHost)
			if one, other = newConsoleLine(&a), newConsoleLine(&b); (one.lineText == other.lineText) != (i == j) {
				t.Errorf("%d and %d are taken for alike, or not: %+v", i, j, one)
			}
		}
	}
}

// Elsewhere than on a terminal each call has its line, without any sequence.
func TestPipeDoesNotFold(t *testing.T) {
	var out strings.Builder
	c := newTestConsole(&out, false)
	beside := c.Beside(&out)
	for range 3 {
		if err := errors.Join(c.Call(testEntry()), c.Flush()); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(beside, "said")
	}
	one := "06:30:49.850  v1       GET /latest/meta-data/instance-id       200  python3[4242] app\nsaid\n"
	if out.String() != strings.Repeat(one, 3) {
		t.Errorf("got %q", out.String())
	}
}

// Lines of a flood say for how many calls they stand, and not more than all of them are, also where
// a line cannot change.
func TestFloodOnAConsole(t *testing.T) {
	for _, tt := range []struct {
		name  string
		edits func(i int) []func(*Record)
		want  string // of the last line
	}{
		{"one kind", func(int) []func(*Record) { return nil }, `GET /latest/meta-data/instance-id .* python3\[4242\] app  ×`},
		{"paths", func(i int) []func(*Record) { return []func(*Record){numberedPath(i)} }, `GET \(several\) .* python3\[4242\] app  ×`},
		{"programs", func(i int) []func(*Record) {
			return []func(*Record){numberedProgram(i), numberedPath(i), ofUnit("bad.service")}
		},
			`GET \(several\) .* bad.service: several programs app  ×`},
		{"methods", func(i int) []func(*Record) {
			return []func(*Record){numberedProgram(i), numberedPath(i), func(r *Record) { r.Call.Request.Method = []string{"GET", "HEAD"}[i%2] }}
		}, ` \(several\) .* several programs app  ×`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const calls = 4000
			log, _ := limitAll(NewLimiter(1), flood(calls, tt.edits)...)
			for _, size := range []Size{{}, {Columns: 200, Rows: 50}} {
				var out strings.Builder
				c := NewConsole(&out, "standard output", false, func() Size { return size })
				for i := range log {
					if err := c.Call(&log[i]); err != nil {
						t.Fatal(err)
					}
				}
				if err := c.Flush(); err != nil {
					t.Fatal(err)
				}
				lines := strings.Split(strings.TrimSpace(strings.TrimSuffix(out.String(), wrapOn)), "\n")
				if last := lines[len(lines)-1]; !regexp.MustCompile(tt.want).MatchString(last) {
					t.Errorf("the last line is %q", last)
				}
				if size.Columns == 0 {
					checkTimes(t, lines, calls)
				}
			}
		})
	}
}

// checkTimes makes sure of how many calls lines stand for.
func checkTimes(t *testing.T, lines []string, want int) {
	t.Helper()
	got := 0
	for _, line := range lines {
		if _, times, ok := strings.Cut(line, "×"); ok {
			n, err := strconv.Atoi(times)
			if err != nil {
				t.Fatal(err)
			}
			got += n
		} else if strings.Contains(line, ":") { // else a date
			got++
		}
	}
	if got != want {
		t.Errorf("the lines stand for %d calls, want %d", got, want)
	}
}

// After an error nothing more is written, and each call returns it.
func TestFoldingErrors(t *testing.T) {
	c := NewConsole(&full{err: syscall.EIO}, "standard output", true, func() Size { return Size{Columns: 120, Rows: 24} })
	var said strings.Builder
	if _, err := io.WriteString(c.Beside(&said), "said"); err != nil || said.String() != "said" {
		t.Errorf("%v: %q", err, &said)
	}
	for _, err := range []error{c.Call(testEntry()), c.Call(testEntry()), c.Flush()} {
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("got %v", err)
		}
	}
}

// Others may write at any time.
func TestFoldingIsConcurrent(t *testing.T) {
	f := newFolding(t, Size{Columns: 100, Rows: 8}, runeColumns)
	var others sync.WaitGroup
	const lines = 200
	for range 3 {
		others.Go(func() {
			for range lines {
				io.WriteString(f.beside, "!\n")
			}
		})
	}
	f.do(strings.Repeat("ABAC.", 300))
	others.Wait()
	f.do(".")
	list, calls := f.shown()
	written := len(list) - len(slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "!" }))
	if calls != f.calls || written != 3*lines {
		t.Errorf("%d calls of %d, %d lines of %d", calls, f.calls, written, 3*lines)
	}
}

// promised is what folding comes to, by its rule: a call goes on the line of
// those like it if that is one of the last four, and nobody has written since.
func promised(steps string) (list []string) {
	from := 0
	counts := map[int]int{}
	for _, step := range steps {
		i := -1
		if tail := list[max(from, len(list)-maxFolded):]; step != '!' {
			if i = slices.Index(tail, string(step)); i >= 0 {
				i += len(list) - len(tail)
			}
		}
		if i < 0 {
			i = len(list)
			list = append(list, string(step))
		}
		counts[i]++
		if step == '!' {
			from = len(list)
		}
	}
	for i, n := range counts {
		if n > 1 {
			list[i] += strconv.Itoa(n)
		}
	}
	return list
}

// Whatever comes, the screen shows what folding promises, and all calls; also on
// terminals that take other characters for wide, and with those that are.
func FuzzFolding(f *testing.F) {
	f.Add([]byte("ABAB.C!DEF."), 120, 24, false)
	f.Add([]byte("AAA<AAA>B.A"), 80, 5, true)
	f.Add([]byte{6, 6, 8, 6, 6, 8}, 0, 5, true) // é and × in a line that fills the row
	f.Add([]byte("BBBBBBBBBB"), 80, 110, true)  // the count at the end of such a line
	f.Fuzz(func(t *testing.T, input []byte, columns, rows int, asWide bool) {
		const alphabet = "ABCDEFé日.!<>"
		var steps strings.Builder
		letters := []rune(alphabet)
		for _, b := range input[:min(len(input), 100)] {
			steps.WriteRune(letters[int(b)%len(letters)])
		}
		width := runeColumns
		if asWide {
			width = func(r rune) int { return min(2, max(runeColumns(r), int(r)>>7+1)) }
		}
		size := Size{Columns: minLine + 1 + int(uint(columns)%80), Rows: maxFolded + 1 + int(uint(rows)%40)}
		console := newFolding(t, size, width)
		console.do(steps.String() + ".")
		list, calls := console.shown()
		if calls != console.calls {
			t.Fatalf("%s: %d calls of %d in %s", steps.String(), calls, console.calls, list)
		}
		if still := strings.NewReplacer(".", "").Replace(steps.String()); !strings.ContainsAny(still, "<>") {
			if want := promised(still); !slices.Equal(list, want) {
				t.Fatalf("%s: got %s, want %s", still, list, want)
			}
		}
	})
}
