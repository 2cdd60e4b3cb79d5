package testbed

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// MaxLine bounds a line of a log, in bytes: 16 ancestors with long command lines, and
// more than that takes.
const MaxLine = 16 << 20

// ReadLog hands over the lines of a log, each as what is read of it and as its text. Each
// has to be whole; the error names the line that is not. It wraps bufio.ErrTooLong.
func ReadLog[E any](log io.Reader, take func(entry E, line string)) error {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, MaxLine)
	for n := 1; lines.Scan(); n++ {
		var e E
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("line %d of the log: %w", n, err)
		}
		take(e, lines.Text())
	}
	return lines.Err()
}
