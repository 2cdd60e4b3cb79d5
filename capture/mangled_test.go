package capture_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// mangledSeeds is how many ways each real capture is mangled in.
const mangledSeeds = 20

// TestReorderedAndRepeatedPacketsChangeNothing: what the network or the
// capture does to the order of packets within a millisecond is not visible in
// the calls.
func TestReorderedAndRepeatedPacketsChangeNothing(t *testing.T) {
	eachCapture(t, func(t *testing.T, packets []capture.Packet, truth []observed) {
		for seed := range capture.Sample(int64(mangledSeeds)) {
			random := rand.New(rand.NewSource(seed))
			compare(t, observe(feedAll(repeat(reorder(packets, random), random))), truth)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	})
}

// TestLostPacketsProveNothing: whatever is missing, no call gets a version, a
// status or a target that is not its own, and none is there twice.
func TestLostPacketsProveNothing(t *testing.T) {
	eachCapture(t, func(t *testing.T, packets []capture.Packet, truth []observed) {
		for seed := range capture.Sample(int64(mangledSeeds)) {
			random := rand.New(rand.NewSource(seed))
			var left []capture.Packet
			for _, p := range packets {
				if random.Intn(10) > 0 {
					left = append(left, p)
				}
			}
			provenBy(t, observe(feedAll(left)), truth)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	})
}

// places is at how many packets a capture begins or ends.
const places = 60

// TestCaptureThatStartsLate: a capture may begin and end anywhere.
func TestCaptureThatStartsLate(t *testing.T) {
	eachCapture(t, func(t *testing.T, packets []capture.Packet, truth []observed) {
		for place := range capture.Sample(places) {
			from := place * len(packets) / places
			provenBy(t, observe(feedAll(packets[from:])), truth)
			provenBy(t, observe(feedAll(packets[:from])), truth)
			if t.Failed() {
				t.Fatalf("from or up to packet %d", from)
			}
		}
	})
}

func eachCapture(t *testing.T, test func(*testing.T, []capture.Packet, []observed)) {
	files, _ := filepath.Glob("../testdata/captures/*.truth.jsonl")
	if len(files) == 0 {
		t.Fatal("no captures")
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".truth.jsonl")
		if name == snapped {
			continue
		}
		t.Run(name, func(t *testing.T) { test(t, readAll(t, captureOf(t, name)), readTruth(t, file)) })
	}
}

func readAll(t *testing.T, file string) []capture.Packet {
	t.Helper()
	source := packettest.Open(file)
	defer source.Close()
	var packets []capture.Packet
	for {
		p, err := source.Next()
		if errors.Is(err, io.EOF) {
			return packets
		}
		if err != nil {
			t.Fatal(err)
		}
		p.Data = slices.Clone(p.Data)
		packets = append(packets, *p)
	}
}

func feedAll(packets []capture.Packet) []imds.Call {
	var found collector
	analyzer := capture.NewAnalyzer(imds.DefaultEndpoints(), capture.OfflineLimits(), &found)
	for _, p := range packets {
		analyzer.Packet(&p)
	}
	analyzer.Flush()
	return found.calls
}

// reorder moves packets by up to half a millisecond.
func reorder(packets []capture.Packet, random *rand.Rand) []capture.Packet {
	type moved struct {
		capture.Packet
		at time.Time
	}
	var all []moved
	for _, p := range packets {
		all = append(all, moved{p, p.Time.Add(time.Duration(random.Intn(500)) * time.Microsecond)})
	}
	slices.SortStableFunc(all, func(a, b moved) int { return a.at.Compare(b.at) })
	var reordered []capture.Packet
	for _, m := range all {
		reordered = append(reordered, m.Packet)
	}
	return reordered
}

// repeat puts some packets in a second time, a little later.
func repeat(packets []capture.Packet, random *rand.Rand) []capture.Packet {
	repeated := slices.Clone(packets)
	for range len(packets) / 5 {
		from := random.Intn(len(repeated))
		to := min(len(repeated), from+1+random.Intn(6))
		repeated = slices.Insert(repeated, to, repeated[from])
	}
	return repeated
}

// provenBy holds that each call whose target is known is one of the truth's,
// with its version and status or none. Clients are told by their ports: of a
// connection behind translation, the packets with its own address may be lost.
func provenBy(t *testing.T, got, truth []observed) {
	t.Helper()
	type name struct {
		port           uint16
		method, target string
		version        string
		status         int
	}
	allowed := make(map[string]int)
	exact := make(map[name]bool)
	for _, o := range truth {
		allowed[fmt.Sprint(o.Client.Port(), o.Method, o.Target)]++
		for _, version := range []string{o.Version, "unknown"} {
			for _, status := range []int{o.Status, 0} {
				exact[name{o.Client.Port(), o.Method, o.Target, version, status}] = true
			}
		}
	}
	for _, o := range got {
		if o.Target == "" {
			if o.Version == "v1" {
				t.Errorf("v1 without a request line: %+v", o)
			}
			continue
		}
		key := fmt.Sprint(o.Client.Port(), o.Method, o.Target)
		if allowed[key]--; allowed[key] < 0 {
			t.Errorf("not sent, or reported twice: %+v", o)
		} else if !exact[name{o.Client.Port(), o.Method, o.Target, o.Version, o.Status}] {
			t.Errorf("not what was sent or answered: %+v", o)
		}
	}
}
