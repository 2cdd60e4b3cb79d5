package instances

import (
	"bufio"
	"bytes"
)

// maxInstance bounds in bytes what is read for one instance: those with the most network
// interfaces have 64, of 50 addresses each, which take 600 bytes indented; that is 2 MB.
const maxInstance = 8 << 20

// metered bounds what is read until left is set anew.
type metered struct {
	r    *bufio.Reader
	left int
}

// Read implements io.Reader.
func (m *metered) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, errTooLarge
	}
	n, err := m.r.Read(p[:min(len(p), m.left)])
	m.left -= n
	return n, err
}

// skipMark passes over a byte order mark, which other systems begin files with.
func (m *metered) skipMark() error {
	const utf8 = "\xef\xbb\xbf"
	head, _ := m.r.Peek(len(utf8)) // an error is met again
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return errUTF16
	case string(head) == utf8:
		_, err := m.r.Discard(len(utf8))
		return err
	}
	return nil
}
