package capture

import (
	"bytes"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"imds-analyzer/imds"
)

// gapHandler keeps the calls.
type gapHandler struct{ calls []imds.Call }

func (h *gapHandler) Opened(imds.Conn)     {}
func (h *gapHandler) Closed(imds.Conn)     {}
func (h *gapHandler) Unanswered(imds.Call) {}
func (h *gapHandler) Call(c imds.Call)     { h.calls = append(h.calls, c) }

// judged returns how many calls there are whose version is known, how many gaps, and how
// many other reasons there are to doubt that these are all.
func judged(packets []Packet) (calls int, gaps, doubts uint64) {
	var found gapHandler
	a := NewAnalyzer(imds.DefaultEndpoints(), OfflineLimits(), &found)
	for i := range packets {
		a.Packet(&packets[i])
	}
	a.Flush()
	for _, c := range found.calls {
		if c.Request.Version() == imds.VersionUnknown {
			doubts++
		} else {
			calls++
		}
	}
	return calls, a.Stats().RequestGaps, doubts + a.Stats().ResponsesUnmatched
}

// eachWhole calls test with the packets of each real capture that lacks none.
func eachWhole(t *testing.T, test func(*testing.T, []Packet)) {
	t.Helper()
	files, err := filepath.Glob("../testdata/captures/*.pcap*")
	if err != nil || len(files) == 0 {
		t.Fatal("no captures", err)
	}
	for _, file := range files {
		if strings.Contains(file, "snap120") {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			packets, _ := fileReadAll(bytes.NewReader(data))
			test(t, packets)
		})
	}
}

// mangled is how many orders the packets of each capture are put in.
const mangled = 20

// Where nothing is missing there is no gap, in whatever order packets of half a millisecond come.
func TestNoGapsInWholeCaptures(t *testing.T) {
	eachWhole(t, func(t *testing.T, packets []Packet) {
		for seed := range Sample(int64(mangled)) {
			random := rand.New(rand.NewSource(seed))
			late := make(map[*byte]time.Duration)
			for n := range packets {
				late[&packets[n].Data[0]] = time.Duration(random.Intn(500)) * time.Microsecond
			}
			mixed := slices.Clone(packets)
			slices.SortStableFunc(mixed, func(a, b Packet) int {
				return a.Time.Add(late[&a.Data[0]]).Compare(b.Time.Add(late[&b.Data[0]]))
			})
			if _, gaps, _ := judged(mixed); gaps > 0 {
				t.Fatalf("%d gaps, seed %d", gaps, seed)
			}
		}
	})
}

// What was sent before a capture has begun, or after its end, is no gap.
func TestNoGapsAtTheEnds(t *testing.T) {
	eachWhole(t, func(t *testing.T, packets []Packet) {
		for i := range Sample(len(packets)) {
			_, begun, _ := judged(packets[i:])
			_, ended, _ := judged(packets[:i])
			if begun+ended > 0 {
				t.Errorf("at packet %d: %d gaps in what follows, %d in what was", i+1, begun, ended)
			}
		}
	})
}

// A request that is missing with its answer is doubted.
func TestMissingRequestsAreDoubted(t *testing.T) {
	missed := 0
	eachWhole(t, func(t *testing.T, packets []Packet) {
		all, _, _ := judged(packets)
		for i := range Sample(len(packets)) {
			left, found := withoutRequest(packets, i)
			if !found {
				continue
			}
			if calls, gaps, doubts := judged(left); calls < all {
				missed++
				if gaps+doubts == 0 {
					t.Errorf("without packet %d there are %d calls in place of %d, and no doubt", i+1, calls, all)
				}
			}
		}
	})
	least := 0
	for range Sample(100) {
		least++
	}
	if missed < least {
		t.Errorf("only %d requests were missed, not %d", missed, least)
	}
}

// withoutRequest takes away what a client says from the request on that begins in packet i,
// up to its next one, and what it is answered.
func withoutRequest(packets []Packet, i int) (left []Packet, found bool) {
	d := newDecoder(imds.DefaultEndpoints())
	var client flowKey
	for n := range packets {
		var s segment
		ok := d.decode(&packets[n], &packets[n], &s)
		begins := ok && s.direction == up && beginsRequest(s.payload)
		if n == i && begins {
			client, found = s.key, true
		} else if begins && s.key == client {
			client = flowKey{}
		}
		if !ok || s.key != client || s.length() == 0 {
			left = append(left, packets[n])
		}
	}
	return left, found
}
