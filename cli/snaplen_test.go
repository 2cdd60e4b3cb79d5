package cli_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The classic pcap format: a header of the file, and one of each packet with the
// lengths that it has in the file and on the wire.
const pcapHeader, pcapPacketHeader = 24, 16

// snap is a little-endian pcap file as it had been with that snaplen.
func snap(t *testing.T, data string, snaplen int) string {
	t.Helper()
	out := []byte(data[:pcapHeader])
	for data = data[pcapHeader:]; data != ""; {
		header := []byte(data[:pcapPacketHeader])
		length := int(binary.LittleEndian.Uint32(header[8:]))
		kept := min(snaplen, length)
		binary.LittleEndian.PutUint32(header[8:], uint32(kept))
		out = append(append(out, header...), data[pcapPacketHeader:pcapPacketHeader+kept]...)
		data = data[pcapPacketHeader+length:]
	}
	return string(out)
}

var advised = regexp.MustCompile(`tcpdump -s (\d+) or more`)

// Who follows the summary's advice gets all calls. Where so little is left that
// there are no calls, the verdict does not say that there were none.
func TestAdvisedSnaplenIsEnough(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"cloud-init", "fallback-403", "npm-http"} {
		whole, dir := readFile(t, captureOf(t, name)), t.TempDir()
		with := func(snaplen int) result {
			file := filepath.Join(dir, "cut.pcap")
			if err := os.WriteFile(file, []byte(snap(t, whole, snaplen)), 0o600); err != nil {
				t.Fatal(err)
			}
			return succeeded(t, "-r", file, "--format", "json")
		}
		for _, snaplen := range []int{54, 68, 120} {
			r := with(snaplen)
			found := advised.FindStringSubmatch(r.err)
			if found == nil || !strings.Contains(r.err, "proves nothing") {
				t.Fatalf("%s with %d: no advice: %s", name, snaplen, r.err)
			}
			advice, err := strconv.Atoi(found[1])
			if err != nil {
				t.Fatal(err)
			}
			again := with(advice)
			checkSame(t, callsOf(t, again.out), truth(t, name))
			if strings.Contains(again.err, "snaplen") {
				t.Errorf("%s with %d: still not enough: %s", name, advice, again.err)
			}
			stopped := r.out[strings.LastIndex(strings.TrimSpace(r.out), "\n")+1:]
			if !strings.Contains(stopped, `"snaplen_needed":`+found[1]) {
				t.Errorf("%s: the log does not have it: %s", name, stopped)
			}
		}
	}
}
