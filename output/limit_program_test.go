package output

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/identity"
)

// Who floods hides no program: each has its first call told, up to the bound, and what is
// beyond is counted.
func TestEachProgramIsTold(t *testing.T) {
	const programs = maxTold + 300
	l := NewLimiter(1)
	for n := range 2 * limitBurst {
		l.limits(floodEntry(uint64(n), 0, numberedProgram(0), numberedPath(n)))
	}
	folded := 0
	for n := range programs {
		if l.limits(floodEntry(1, 0, numberedProgram(n+1))) {
			folded++
		}
	}
	// Program 0 is remembered, and the first of each kind are not more than others.
	if want := programs + 1 - maxTold; folded != want || l.Beyond() != uint64(want) {
		t.Errorf("%d programs are not told, %d counted, want %d", folded, l.Beyond(), want)
	}
	if !l.limits(floodEntry(2, 0, numberedProgram(9))) || !l.limits(floodEntry(3, 0, numberedProgram(500), numberedPath(5))) {
		t.Error("a program's second call has an entry")
	}
	if none := (*Limiter)(nil); none.Beyond() != 0 {
		t.Error("none counts")
	}
}

// What of a program's calls matters has its own first, in a flood of other kinds.
func TestWhatMattersOfAProgram(t *testing.T) {
	fill := func() *Limiter {
		l := NewLimiter(1)
		for n := range 4 * limitBurst { // more kinds than a period has first calls for
			l.limits(floodEntry(uint64(n), 0, numberedProgram(7), func(r *Record) { r.Call.Request.UserAgent = fmt.Sprint(n) }))
		}
		return l
	}
	agent := func(r *Record) { r.Call.Request.UserAgent = "another" }
	if l := fill(); !l.limits(floodEntry(1, 0, numberedProgram(7), agent)) {
		t.Fatal("the flood has room for another kind")
	}
	for name, edits := range map[string][]func(*Record){
		"executable":    {numberedProgram(8)},
		"script":        {numberedProgram(7), func(r *Record) { r.Identity.Script = identity.Script{Kind: identity.ScriptFile, Name: "another.py"} }},
		"elsewhere":     {numberedProgram(7), func(r *Record) { r.Identity.Elsewhere = true }},
		"version 2":     {numberedProgram(7), token},
		"credentials":   {numberedProgram(7), target("/latest/meta-data/iam/security-credentials/r")},
		"token request": {numberedProgram(7), func(r *Record) { r.Call.Request.Method, r.Call.Request.Target = "PUT", "/latest/api/token" }, token},
		"container":     {numberedProgram(7), inContainerOf(1, "")},
		"unknown":       {func(r *Record) { r.Answer = attribution.Answer{Status: attribution.NotFound} }},
	} {
		t.Run(name, func(t *testing.T) {
			l := fill()
			e := floodEntry(1, 0, append(edits, agent)...)
			if name == "container" { // in the same caller
				e.bounds, e.Systemd.Unit = "", floodEntry(1, 0).Systemd.Unit
			}
			if l.limits(e) {
				t.Error("the first call is folded")
			}
		})
	}
}

// Entries of programs for which there is no room are short, and are valid.
func TestShortEntriesOfPrograms(t *testing.T) {
	l, schema := NewLimiter(1), compileSchema(t)
	long := strings.Repeat("x", 24<<10)
	short := 0
	for n := range 400 {
		e := floodEntry(uint64(n+1), 0, numberedProgram(n))
		e.Process.CommandLine, e.Process.Args, e.URL.Original, e.UserAgent.Original = long, []string{long}, "/"+long, long
		if l.limits(e) {
			t.Fatalf("program %d is folded", n)
		}
		line := appendEntry(nil, e)
		if n < limitBurst || len(line) > 2*limitCost {
			continue
		}
		short++
		if short > 40 {
			continue
		}
		if err := validate(t, schema, string(line)); err != nil || e.Process.Executable == "" || e.URL.Path == "" {
			t.Fatalf("%s: %v", line, err)
		}
	}
	if short < 300 {
		t.Errorf("%d are short", short)
	}
}

// A flood that is over begins anew, and one that goes on does not tell its programs again.
func TestProgramsOfAFlood(t *testing.T) {
	l := NewLimiter(1)
	told := 0
	at := time.Duration(0)
	for range 10 { // periods
		for n := range 500 {
			l.Due(testTime.Add(at))
			if !l.limits(floodEntry(1, at, numberedProgram(n))) {
				told++
			}
			at += limitPeriod / 400
		}
	}
	if most := limitBurst + 500 + 10*(maxKinds+76); told > most || told < 500 {
		t.Errorf("%d entries, want %d at most", told, most)
	}
	at += 10 * limitPeriod
	l.Due(testTime.Add(at))
	if l.limits(floodEntry(1, at)); l.of(callerOf(floodEntry(1, at)), testTime.Add(at)).programs != nil {
		t.Error("it is still remembered when all is quiet")
	}
}

// Whatever the calls are, each is told once, the first of each program within the bound by
// itself, in no more entries than there may be.
func FuzzLimit(f *testing.F) {
	f.Add([]byte{0, 0xff, 0, 0xff, 1, 0, 2, 0, 3, 0x10, 0, 0xff})
	f.Add([]byte(strings.Repeat("\x00\xff\x01\x00", 40)))
	f.Fuzz(func(t *testing.T, data []byte) {
		l := NewLimiter(1)
		var calls, written uint64
		var at time.Duration
		count := func(entries []*Entry) {
			for _, e := range entries {
				calls += e.Calls()
				written++
			}
		}
		seen := map[uint16]bool{}
		made := uint64(0)
		for ; len(data) >= 2 && made < 400; data = data[2:] {
			word := binary.BigEndian.Uint16(data)
			program, unit := word&0x7ff, word>>11&1
			e := floodEntry(1, 0, numberedProgram(int(program)), ofUnit(fmt.Sprintf("u%d.service", unit)), numberedPath(int(word>>9)))
			for range 1 + word>>12<<2 {
				made++
				at += time.Duration(word) * time.Microsecond
				call, now := *e, testTime.Add(at)
				call.Timestamp = now
				count(l.Due(now))
				if !l.Limit(&call, now) {
					calls++
					written++
				} else if !seen[word&0xfff] {
					t.Fatalf("the first call of program %d of unit %d is folded", program, unit)
				}
				seen[word&0xfff] = true
			}
		}
		count(l.Flush())
		most := 2*limitBurst + uint64(at.Seconds()) + uint64(len(seen)) + 2*(uint64(at/limitPeriod)+1)*(maxFirsts+maxCallerFolds+8)
		if calls != made || written > most || l.Beyond() > 0 {
			t.Errorf("%d calls of %d, in %d entries, want %d at most; %d beyond", calls, made, written, most, l.Beyond())
		}
	})
}
