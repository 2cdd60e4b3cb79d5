package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// setTime is the time of a test's second n. That of 0 is none.
func setTime(n int) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(1_800_000_000+int64(n), 0).UTC()
}

// setCapture is a capture whose packets have these times, and say whose they are.
func setCapture(t testing.TB, name string, times ...int) []byte {
	t.Helper()
	var data bytes.Buffer
	w, err := NewPcapngWriter(&data, "test")
	if err != nil {
		t.Fatal(err)
	}
	if len(times) > 0 && times[0] == 0 {
		return setUndated(name, data.Bytes(), len(times))
	}
	for i, n := range times {
		text := fmt.Sprintf("%s%d", name, i+1)
		if err := w.WritePacket(Packet{Data: []byte(text), Length: len(text), Time: setTime(n), LinkType: LinkEthernet}); err != nil {
			t.Fatal(err)
		}
	}
	return data.Bytes()
}

// setUndated is a capture of simple packet blocks, which have no times.
func setUndated(name string, head []byte, packets int) []byte {
	w := PcapngWriter{blocks: bytes.Clone(head)}
	w.declare(pcapngKey{link: LinkEthernet})
	for i := range packets {
		text := fmt.Sprintf("%s%d", name, i+1)
		start := w.begin(pcapngSimplePacket)
		w.uint32(uint32(len(text)))
		w.blocks = append(w.blocks, text...)
		w.pad(len(text))
		w.finish(start)
	}
	return w.blocks
}

// setOpened counts the files that are open.
type setOpened struct{ now, most, ever int }

type setInput struct {
	io.Reader
	t      testing.TB
	opened *setOpened
	closed bool
}

func (i *setInput) Close() error {
	if i.closed {
		i.t.Error("closed twice")
	}
	i.closed = true
	i.opened.now--
	return nil
}

// file returns a file of a set, which is in memory.
func (o *setOpened) file(t testing.TB, name string, data []byte) SetFile {
	t.Helper()
	begins, err := FirstTime(bytes.NewReader(data))
	if err != nil {
		begins = time.Time{}
	}
	return SetFile{Name: name, Begins: begins, Open: func() (io.ReadCloser, error) {
		o.now++
		o.ever++
		o.most = max(o.most, o.now)
		return &setInput{Reader: bytes.NewReader(data), t: t, opened: o}, nil
	}}
}

// setDrain reads all of a set: what its packets say, and all errors.
func setDrain(s *FileSet) (packets []Packet, text string, errs []error) {
	var said []string
	for {
		p, err := s.Next()
		if err == io.EOF {
			return packets, strings.Join(said, " "), errs
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		said = append(said, string(p.Data))
		p.Data = bytes.Clone(p.Data)
		packets = append(packets, *p)
	}
}

func TestFileSetIsInTheOrderOfTime(t *testing.T) {
	type file struct {
		name   string
		times  []int
		stream bool
	}
	for _, tt := range []struct {
		name  string
		files []file
		want  string
	}{
		{"none", nil, ""},
		{"one", []file{{"a", []int{1, 2}, false}}, "a1 a2"},
		{"in another order", []file{{"a", []int{5, 6}, false}, {"b", []int{1, 2}, false}, {"c", []int{3}, false}}, "b1 b2 c1 a1 a2"},
		{"at the same time", []file{{"a", []int{1, 4, 6}, false}, {"b", []int{2, 3, 7}, false}, {"c", []int{5}, false}}, "a1 b1 b2 a2 c1 a3 b3"},
		{"one within another", []file{{"a", []int{1, 9}, false}, {"b", []int{3, 4}, false}, {"c", []int{6, 7}, false}}, "a1 b1 b2 c1 c2 a2"},
		{"first times are equal", []file{{"b", []int{1, 2}, false}, {"a", []int{1, 2}, false}}, "b1 a1 b2 a2"},
		{"all times are equal", []file{{"b", []int{1, 1}, false}, {"a", []int{1, 1}, false}}, "b1 b2 a1 a2"},
		{"one goes on at the time of the last", []file{{"b", []int{2, 3}, false}, {"a", []int{1, 2, 2}, false}}, "a1 a2 a3 b1 b2"},
		{"a clock that went back", []file{{"a", []int{5, 1, 6}, false}, {"b", []int{4, 7}, false}}, "b1 a1 a2 a3 b2"},
		{"a clock that was set late", []file{{"b", []int{5, 6}, false}, {"a", []int{1, 9}, false}}, "a1 b1 b2 a2"},
		{"without packets", []file{{"a", []int{2}, false}, {"b", nil, false}, {"c", []int{1}, false}}, "c1 a1"},
		{"without times", []file{{"a", []int{1}, false}, {"b", []int{0, 0}, false}}, "b1 b2 a1"},
		{"streams come last, as given", []file{{"b", []int{2}, true}, {"a", []int{1, 4}, true}, {"d", []int{9, 10}, false}, {"c", []int{3}, false}}, "c1 d1 d2 b1 a1 a2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var opened setOpened
			var files []SetFile
			for _, f := range tt.files {
				one := opened.file(t, f.name, setCapture(t, f.name, f.times...))
				if one.Stream = f.stream; f.stream {
					one.Begins = time.Time{}
				}
				files = append(files, one)
			}
			s := NewFileSet(files, nil)
			_, got, errs := setDrain(s)
			if got != tt.want || errs != nil {
				t.Errorf("%s, %v; want %s", got, errs, tt.want)
			}
			if opened.now != 0 || opened.ever != len(files) || s.Late() != 0 {
				t.Errorf("%+v, %d late", opened, s.Late())
			}
		})
	}
}

// Whatever the files are, each keeps its order, and if each is in the order of
// time, so is the whole.
func TestFileSetMergesAnything(t *testing.T) {
	for seed := range int64(200) {
		random := rand.New(rand.NewSource(seed))
		var opened setOpened
		var files []SetFile
		var want []time.Time
		for i := range random.Intn(12) {
			var times []int
			for n := 1 + random.Intn(30); len(times) < random.Intn(8); n += random.Intn(5) {
				times = append(times, n)
				want = append(want, setTime(n))
			}
			files = append(files, opened.file(t, "x", setCapture(t, fmt.Sprintf("%c", 'a'+i), times...)))
		}
		packets, text, errs := setDrain(NewFileSet(files, nil))
		slices.SortFunc(want, time.Time.Compare)
		got := make([]time.Time, 0, len(packets))
		next := map[byte]byte{}
		for _, p := range packets {
			got = append(got, p.Time)
			next[p.Data[0]]++
			if p.Data[1] != '0'+next[p.Data[0]] {
				t.Fatalf("seed %d: not in a file's order: %s", seed, text)
			}
		}
		if !slices.Equal(got, want) || errs != nil || opened.now != 0 {
			t.Fatalf("seed %d: %s: %v, %v", seed, text, got, errs)
		}
	}
}

// A set that was written one after the other takes as many open files if it has
// thousands as if it has two.
func TestFileSetOpensWhatIsDue(t *testing.T) {
	const many = 2000
	var opened setOpened
	var files []SetFile
	for i := range many {
		at := 1 + 10*(i*7%many) // in no order
		files = append(files, opened.file(t, "x", setCapture(t, "p", at, at+3, at+10)))
	}
	s := NewFileSet(files, nil)
	packets, _, errs := setDrain(s)
	if len(packets) != 3*many || errs != nil || opened.most > 1 || opened.ever != many || s.Late() != 0 {
		t.Errorf("%d packets, %v, %+v, %d late", len(packets), errs, opened, s.Late())
	}
	if !slices.IsSortedFunc(packets, func(a, b Packet) int { return a.Time.Compare(b.Time) }) {
		t.Error("not in the order of time")
	}
}

// More files of the same time than may be open are read all the same, and counted.
func TestFileSetBoundsOpenFiles(t *testing.T) {
	const more = 36
	var opened setOpened
	var files []SetFile
	for i := range setOpenFiles + more {
		files = append(files, opened.file(t, "x", setCapture(t, "p", 1+i, 1000+i)))
	}
	s := NewFileSet(files, nil)
	packets, _, errs := setDrain(s)
	if len(packets) != 2*(setOpenFiles+more) || errs != nil || opened.most != setOpenFiles || opened.now != 0 {
		t.Errorf("%d packets, %v, %+v", len(packets), errs, opened)
	}
	if s.Late() != more || s.LateForMemory() != 0 {
		t.Errorf("%d late, %d of them for memory, want %d", s.Late(), s.LateForMemory(), more)
	}
}

// What is wrong with one file is told once, with its name and when it is met.
func TestFileSetGoesOnAfterErrors(t *testing.T) {
	var opened setOpened
	whole := setCapture(t, "b", 3, 4)
	gone := errors.New("gone")
	files := []SetFile{
		opened.file(t, "first", setCapture(t, "a", 1, 2)),
		opened.file(t, "cut", whole[:len(whole)-1]),
		opened.file(t, "text", []byte("hello")),
		{Name: "gone", Begins: setTime(5), Open: func() (io.ReadCloser, error) { return nil, gone }},
		opened.file(t, "last", setCapture(t, "c", 6)),
	}
	_, got, errs := setDrain(NewFileSet(files, nil))
	if got != "a1 a2 b1 c1" || len(errs) != 3 || opened.now != 0 {
		t.Fatalf("%s, %v, %+v", got, errs, opened)
	}
	var broken *BrokenError
	if !errors.Is(errs[0], ErrNotCapture) || !strings.HasPrefix(errs[0].Error(), "text: ") {
		t.Errorf("first comes %v", errs[0])
	}
	if !errors.Is(errs[1], ErrTruncated) || !strings.HasPrefix(errs[1].Error(), "cut: the capture is cut off (after packet 1, at byte ") ||
		!errors.As(errs[1], &broken) || broken.Packets != 1 {
		t.Errorf("then comes %v", errs[1])
	}
	if errs[2] != gone {
		t.Errorf("then comes %v", errs[2])
	}
}

// Files that were written one after the other are of the same interfaces; at the
// same time there is another for each.
func TestFileSetTellsInterfacesApart(t *testing.T) {
	var opened setOpened
	files := []SetFile{
		opened.file(t, "a", setCapture(t, "a", 1, 2, 9)),
		opened.file(t, "b", setCapture(t, "b", 3, 4)),
		opened.file(t, "c", setCapture(t, "c", 5, 7)),
		opened.file(t, "d", setCapture(t, "d", 6, 8)),
		opened.file(t, "e", setCapture(t, "e", 10)),
	}
	packets, _, errs := setDrain(NewFileSet(files, nil))
	lanes := map[byte]int{}
	for _, p := range packets {
		if lane, ok := lanes[p.Data[0]]; ok && lane != p.InterfaceID {
			t.Errorf("%s is of interface %d", p.Data, p.InterfaceID)
		}
		lanes[p.Data[0]] = p.InterfaceID
	}
	if errs != nil || lanes['a'] != 0 || lanes['b'] == 0 || lanes['c'] != lanes['b'] || lanes['d'] == lanes['c'] || lanes['d'] == 0 || lanes['e'] != 0 {
		t.Errorf("%v, %v", lanes, errs)
	}
}

func TestFileSetCloses(t *testing.T) {
	var opened setOpened
	s := NewFileSet([]SetFile{
		opened.file(t, "a", setCapture(t, "a", 1, 4)),
		opened.file(t, "b", setCapture(t, "b", 2, 3)),
		opened.file(t, "c", setCapture(t, "c", 9)),
	}, nil)
	for range 2 {
		if _, err := s.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if opened.now != 2 {
		t.Errorf("%+v", opened)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Next(); opened.now != 0 || opened.ever != 2 || err != io.EOF {
		t.Errorf("%+v, %v", opened, err)
	}
}

// A packet is handed out before the next one of a stream is waited for.
func TestFileSetWaitsForNothing(t *testing.T) {
	head, parts := fileParts(t, setCapture(t, "a", 1, 2, 3))
	feed := &fileFeed{t: t}
	feed.arrived.Write(head)
	s := NewFileSet([]SetFile{{Name: "stream", Stream: true, Open: func() (io.ReadCloser, error) { return io.NopCloser(feed), nil }}}, nil)
	for i, part := range parts {
		feed.arrived.Write(part)
		if p, err := s.Next(); err != nil || string(p.Data) != fmt.Sprintf("a%d", i+1) {
			t.Fatalf("%q, %v", p.Data, err)
		}
	}
}

func TestFirstTime(t *testing.T) {
	large := fileCapture(t, "cloud-init.pcap")
	dated := setCapture(t, "a", 7, 8)
	for _, tt := range []struct {
		name string
		data []byte
		want time.Time
		err  error
	}{
		{"pcap", large, time.Unix(1795408268, 727819000), nil},
		{"pcapng", dated, setTime(7), nil},
		{"gzip", fileGzipped(t, dated), setTime(7), nil},
		{"cut behind it", dated[:len(dated)-1], setTime(7), nil},
		{"no time", setCapture(t, "a", 0), time.Time{}, nil},
		{"no packets", setCapture(t, "a"), time.Time{}, io.EOF},
		{"cut in it", large[:30], time.Time{}, ErrTruncated},
		{"text", []byte("hello"), time.Time{}, ErrNotCapture},
		{"empty", nil, time.Time{}, ErrNotCapture},
	} {
		got, err := FirstTime(bytes.NewReader(tt.data))
		if !got.Equal(tt.want) || !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
			t.Errorf("%s: %v, %v; want %v, %v", tt.name, got, err, tt.want, tt.err)
		}
	}
	r := bytes.NewReader(large)
	if _, err := FirstTime(r); err != nil || len(large)-r.Len() > littleRead {
		t.Errorf("%v, and %d bytes of %d were read", err, len(large)-r.Len(), len(large))
	}
}

// To look at many files that are packed with a wide window takes no more than to look at one.
func TestFirstTimeLeavesNothing(t *testing.T) {
	packed := setWideZstd(setCapture(t, "a", 1))
	var memory runtime.MemStats
	for range 4 {
		if _, err := FirstTime(bytes.NewReader(packed)); err != nil {
			t.Fatal(err)
		}
		if runtime.ReadMemStats(&memory); memory.HeapAlloc >= fileZstdWindow {
			t.Fatalf("%d MiB are still taken", memory.HeapAlloc>>20)
		}
	}
}

// Files that take much memory are not all open together, and what is read late
// is read all the same and counted.
func TestFileSetBoundsMemory(t *testing.T) {
	var opened setOpened
	var files []SetFile
	const count = 6
	for i := range count {
		f := opened.file(t, fmt.Sprint(i), setCapture(t, "a", i+1, 20+i))
		packed := setWideZstd(setCapture(t, "a", i+1, 20+i))
		f.Open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed)), nil }
		files = append(files, f)
	}
	s := NewFileSet(files, nil)
	packets, most := 0, 0
	for {
		_, err := s.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		packets++
		most = max(most, len(s.open))
	}
	if packets != 2*count {
		t.Errorf("%d packets", packets)
	}
	if most != setMemory/fileZstdWindow || s.Late() == 0 || s.LateForMemory() != s.Late() {
		t.Errorf("%d files were open at once, %d late, %d of them for memory", most, s.Late(), s.LateForMemory())
	}
}

// setWideZstd is a zstd frame with the widest window that is unpacked, and one raw
// block (RFC 8878, sections 3.1.1.1 and 3.1.1.2).
func setWideZstd(data []byte) []byte {
	const window, last = (27 - 10) << 3, 1
	block := uint32(len(data))<<3 | last
	head := []byte{0x28, 0xb5, 0x2f, 0xfd, 0, window, byte(block), byte(block >> 8), byte(block >> 16)}
	return append(head, data...)
}
