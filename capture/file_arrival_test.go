package capture

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"
)

// fileFeed is an input in which only some bytes have arrived yet. A read that
// would block is a fault.
type fileFeed struct {
	t       *testing.T
	arrived bytes.Buffer
}

func (f *fileFeed) Read(p []byte) (int, error) {
	if f.arrived.Len() == 0 {
		f.t.Helper()
		f.t.Fatal("reads on although the packet is there")
	}
	return f.arrived.Read(p)
}

// fileParts splits a capture at the ends of its packets. The first part is
// what NewReader needs, which is less than what stands before the packets.
func fileParts(t *testing.T, data []byte) (head []byte, parts [][]byte) {
	t.Helper()
	headLen := pcapHeaderLen
	if pcapngIsMagic(data) {
		headLen = pcapngMinBlockLen
	}
	_, ends := fileEnds(t, data)
	start := headLen
	for _, end := range ends {
		parts = append(parts, data[start:end])
		start = end
	}
	return data[:headLen], parts
}

// A packet comes out as soon as its last byte is in.
func TestPacketsAsTheyArrive(t *testing.T) {
	for _, name := range []string{"npm-http.pcap", "go-tools.pcapng"} {
		head, parts := fileParts(t, fileCapture(t, name))
		t.Run(name, func(t *testing.T) {
			feed := &fileFeed{t: t}
			fileArrive(t, feed, head, parts, func(b []byte) { feed.arrived.Write(b) })
		})
		t.Run(name+" gzip, flushed", func(t *testing.T) {
			feed := &fileFeed{t: t}
			z := gzip.NewWriter(&feed.arrived)
			fileArrive(t, feed, head, parts, func(b []byte) {
				z.Write(b)
				z.Flush()
			})
		})
		t.Run(name+" zstd, flushed", func(t *testing.T) {
			feed := &fileFeed{t: t}
			z := fileZstdWriter(t, &feed.arrived)
			fileArrive(t, feed, head, parts, func(b []byte) {
				z.Write(b)
				z.Flush()
			})
		})
		t.Run(name+" zstd, frames", func(t *testing.T) {
			feed := &fileFeed{t: t}
			fileArrive(t, feed, head, parts, func(b []byte) { feed.arrived.Write(fileZstded(t, b)) })
		})
		t.Run(name+" gzip, members", func(t *testing.T) {
			feed := &fileFeed{t: t}
			fileArrive(t, feed, head, parts, func(b []byte) { feed.arrived.Write(fileGzipped(t, b)) })
		})
	}
}

func fileArrive(t *testing.T, r io.Reader, head []byte, parts [][]byte, arrive func([]byte)) {
	t.Helper()
	arrive(head)
	source, err := newReader(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, part := range parts {
		arrive(part)
		p, err := source.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(part, p.Data) {
			t.Fatalf("packet %d is another", i)
		}
	}
}

// The same through a pipe: the writer goes on only when the reader has got the
// packet.
func TestPacketsThroughPipe(t *testing.T) {
	head, parts := fileParts(t, fileCapture(t, "npm-http.pcap"))
	r, w := io.Pipe()
	got := make(chan int)
	go func() {
		defer close(got)
		source, err := newReader(r, nil)
		for err == nil {
			var p *Packet
			if p, err = source.Next(); err == nil {
				got <- len(p.Data)
			}
		}
		if err != io.EOF {
			t.Errorf("ended with %v", err)
		}
	}()
	w.Write(head)
	for _, part := range parts {
		w.Write(part)
		if n := <-got; n != len(part)-pcapRecordLen {
			t.Fatalf("packet of %d bytes in %d", n, len(part))
		}
	}
	w.Close()
	if _, more := <-got; more {
		t.Error("more packets than were written")
	}
}
