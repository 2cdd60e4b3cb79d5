package attribution

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

// maxTableLine is more than a line of /proc/net/tcp6 needs, about 200 bytes.
const maxTableLine = 4 << 10

// findInTable reads a /proc/net/tcp or tcp6 until it has found the rows with
// all the keys, and returns the inodes of their sockets. A socket that no
// descriptor holds has none.
func findInTable(table io.Reader, keys map[string]bool) (inodes map[string]uint64, err error) {
	inodes = make(map[string]uint64)
	lines := bufio.NewScanner(table)
	lines.Buffer(nil, maxTableLine)
	for len(inodes) < len(keys) && lines.Scan() {
		key, rest := cutTableKey(lines.Bytes())
		if !keys[string(key)] {
			continue
		}
		inode, err := tableInode(rest)
		if err != nil {
			return inodes, err
		}
		if inode != 0 {
			inodes[string(key)] = inode
		}
	}
	return inodes, lines.Err()
}

// cutTableKey splits the number and the two addresses off a row.
func cutTableKey(row []byte) (key, rest []byte) {
	_, row, _ = bytes.Cut(row, []byte(": "))
	local := bytes.IndexByte(row, ' ')
	if local < 0 {
		return nil, nil
	}
	remote := bytes.IndexByte(row[local+1:], ' ')
	if remote < 0 {
		return nil, nil
	}
	end := local + 1 + remote
	return row[:end], row[end:]
}

// tableInode reads the inode out of what follows the addresses.
func tableInode(rest []byte) (uint64, error) {
	fields := bytes.Fields(rest)
	if len(fields) < 7 {
		return 0, fmt.Errorf("table of sockets: %w", errProcFormat)
	}
	inode, err := strconv.ParseUint(string(fields[6]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("table of sockets: %w", errProcFormat)
	}
	return inode, nil
}

// tableKey writes a tuple as the tables do (proc_net_tcp(5)). In tcp6 an IPv4
// address is mapped.
func tableKey(t Tuple, mapped bool) string {
	return tableAddr(t.Local, mapped) + " " + tableAddr(t.Remote, mapped)
}

// tableAddr writes an address in words of 4 bytes, each as a number of the
// machine.
func tableAddr(a netip.AddrPort, mapped bool) string {
	addr := a.Addr()
	if mapped {
		addr = netip.AddrFrom16(addr.As16())
	}
	var s strings.Builder
	for b := addr.AsSlice(); len(b) >= 4; b = b[4:] {
		fmt.Fprintf(&s, "%08X", binary.NativeEndian.Uint32(b))
	}
	fmt.Fprintf(&s, ":%04X", a.Port())
	return s.String()
}
