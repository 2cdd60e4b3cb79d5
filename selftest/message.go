package selftest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"strconv"
	"strings"
)

// message is an HTTP/1.1 message between the stand-in service and its clients.
// They know no more of HTTP than what they say to each other: net/http would
// bring TLS into the program, and 5 MiB to the memory that it takes on a host
// where the selftest is never run.
type message struct {
	start  [3]string // the words of its first line (RFC 9112, sections 3 and 4)
	fields textproto.MIMEHeader
	body   string
}

// maxBody is more than any of them says.
const maxBody = 4 << 10

// errMessage says that something else spoke.
var errMessage = errors.New("not a message of the selftest")

// readMessage reads the next message. It returns io.EOF if there is none.
func readMessage(r *bufio.Reader) (m message, err error) {
	reader := textproto.NewReader(r)
	line, err := reader.ReadLine()
	if err != nil {
		return m, err
	}
	words := strings.SplitN(line, " ", len(m.start))
	if copy(m.start[:], words) < len(m.start) {
		return m, fmt.Errorf("%w: it begins with %.40q", errMessage, line)
	}
	if m.fields, err = reader.ReadMIMEHeader(); err != nil {
		return m, fmt.Errorf("%w: %w", errMessage, err)
	}
	m.body, err = readBody(r, m.fields.Get("Content-Length"))
	return m, err
}

func readBody(r io.Reader, length string) (string, error) {
	if length == "" {
		return "", nil
	}
	n, err := strconv.Atoi(length)
	if err != nil || n < 0 || n > maxBody {
		return "", fmt.Errorf("%w: a body of %.40q bytes", errMessage, length)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return "", fmt.Errorf("%w: %w", errMessage, err)
	}
	return string(body), nil
}
