//go:build soak

package cli_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// reckoning holds what was called against what the log says, call by call. What is in both
// is only counted. It is safe for concurrent use.
type reckoning struct {
	mu   sync.Mutex
	open map[soakKey]*soakPair

	byClient map[string]int
	byStatus map[[2]string]int // by version and status
	versions counts
	// withoutExe are calls of processes that had ended when they were looked for.
	withoutExe, withoutContainer int
	// entries are calls in the log, of which found have a pid. Of pairs of a call and its entry, right
	// are those that tell nothing wrong.
	entries, found, right int
	// sequences has at each call's number less 1 how often it came.
	sequences []int
	wrong     []string
}

// soakKey is what a call and its entry have to have in common.
type soakKey struct {
	call
	pid int
}

// soakItem is what is known besides: an entry can lack the executable.
type soakItem struct {
	client, exe, container string
	at                     time.Time
	line                   string // of the log; of an entry
}

// soakPair are calls that lack their entries, and entries that lack their calls.
type soakPair struct{ made, logged []soakItem }

func newReckoning() *reckoning {
	return &reckoning{open: map[soakKey]*soakPair{}, byClient: map[string]int{}, byStatus: map[[2]string]int{}}
}

// made takes a call that was made.
func (r *reckoning) made(m made, exe, container string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byClient[m.client]++
	status := "none"
	if m.status != 0 {
		status = strconv.Itoa(m.status)
	}
	r.byStatus[[2]string{m.version, status}]++
	switch m.version {
	case "v1":
		r.versions.v1++
	case "v2":
		r.versions.v2++
	default:
		r.versions.unknown++
	}
	r.settle(soakKey{m.call, m.pid}, func(p *soakPair) *[]soakItem { return &p.made }, soakItem{client: m.client, exe: exe, container: container, at: time.Now()})
}

// soakEntry is what is read of an entry besides its call.
type soakEntry struct {
	liveDetails
	Event     struct{ Sequence int }
	Container struct{ ID string }
}

// logged takes the lines of a log, which have to follow the schema. It returns those that are no
// calls.
func (r *reckoning) logged(t *testing.T, log string) (others []string) {
	t.Helper()
	texts := slices.Collect(strings.Lines(log))
	for i, l := range readLog(t, log) {
		if l.Event.Dataset != "imds.call" {
			others = append(others, texts[i])
			continue
		}
		var e soakEntry
		if err := json.Unmarshal([]byte(texts[i]), &e); err != nil {
			t.Fatalf("%v: %s", err, texts[i])
		}
		r.entry(l.call(), e, texts[i])
	}
	return others
}

func (r *reckoning) entry(c call, e soakEntry, line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries++
	if e.Process.PID > 0 {
		r.found++
	}
	for len(r.sequences) < e.Event.Sequence {
		r.sequences = append(r.sequences, 0)
	}
	if e.Event.Sequence > 0 {
		r.sequences[e.Event.Sequence-1]++
	}
	item := soakItem{e.Process.Name, e.Process.Executable, e.Container.ID, time.Now(), line}
	r.settle(soakKey{c, e.Process.PID}, func(p *soakPair) *[]soakItem { return &p.logged }, item)
}

// settle adds an item to a side of its pair, and takes away what both sides have.
func (r *reckoning) settle(key soakKey, side func(*soakPair) *[]soakItem, item soakItem) {
	p := r.open[key]
	if p == nil {
		p = &soakPair{}
		r.open[key] = p
	}
	*side(p) = append(*side(p), item)
	if len(p.made) == 0 || len(p.logged) == 0 {
		return
	}
	r.compare(key, p.made[0], p.logged[0])
	p.made, p.logged = p.made[1:], p.logged[1:]
	if len(p.made)+len(p.logged) == 0 {
		delete(r.open, key)
	}
}

// compare looks at what an entry says of the caller besides the pid.
func (r *reckoning) compare(key soakKey, made, logged soakItem) {
	wrong := len(r.wrong)
	switch logged.exe {
	case made.exe:
	case "":
		r.withoutExe++
	default:
		r.wrong = append(r.wrong, fmt.Sprintf("%s, pid %d, is told as %s, not %s", made.client, key.pid, logged.exe, made.exe))
	}
	switch logged.container {
	case made.container:
	case "":
		r.withoutContainer++
	default:
		r.wrong = append(r.wrong, fmt.Sprintf("%s, pid %d, is told to be in container %q, not %q", made.client, key.pid, logged.container, made.container))
	}
	if len(r.wrong) == wrong {
		r.right++
	}
}

// total is how many calls were made.
func (r *reckoning) total() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.versions.v1 + r.versions.v2 + r.versions.unknown
}

// off tells what is not in order, of calls and entries that are older than the age, and when it was
// taken note of, in a few lines.
func (r *reckoning) off(age time.Duration) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := slices.Clone(r.wrong)
	var keys []soakKey
	for key, p := range r.open {
		if time.Since(slices.MinFunc(append(p.made, p.logged...), earlier).at) >= age {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b soakKey) int { return strings.Compare(a.call.String(), b.call.String()) })
	for _, key := range keys {
		for _, item := range r.open[key].made {
			lines = append(lines, fmt.Sprintf("%s: %s, pid %d, has no entry: %v", item.at.Format(time.TimeOnly), item.client, key.pid, key.call))
		}
		for _, item := range r.open[key].logged {
			lines = append(lines, fmt.Sprintf("%s: nobody made the call of an entry by %s, pid %d: %s", item.at.Format(time.TimeOnly), item.client, key.pid, strings.TrimSpace(item.line)))
		}
	}
	const shown = 20
	if more := len(lines) - shown; more > 0 {
		lines = append(lines[:shown], fmt.Sprintf("and %d more", more))
	}
	return lines
}

func earlier(a, b soakItem) int { return a.at.Compare(b.at) }

// gaps tells what numbers of calls are missing, or came more than once.
func (r *reckoning) gaps() []string {
	var lines []string
	for i, n := range r.sequences {
		if n != 1 && len(lines) < 10 {
			lines = append(lines, fmt.Sprintf("event.sequence %d came %d times", i+1, n))
		}
	}
	return lines
}

// clients are the names of clients that called, those that did most first.
func (r *reckoning) clients() []string {
	return slices.SortedFunc(maps.Keys(r.byClient), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.byClient[b], r.byClient[a]), strings.Compare(a, b))
	})
}
