package logfile

import (
	"bytes"
	"encoding/json"
	"os"
)

// maxTail bounds what is looked at for the end of a file: a line is shorter.
const maxTail = 1 << 20

// end is what is wrong with the end of a file: another line may not follow.
type end struct {
	// cut is how many bytes are those of half a line, size how many the file has with them.
	cut, size int64
	// open: the last line is whole but for its line feed.
	open bool
}

// mend puts it right.
func (e *end) mend(file *os.File) error {
	if e.cut > 0 {
		info, err := file.Stat()
		if err == nil && info.Size() == e.size { // else others have changed it since
			err = file.Truncate(e.size - e.cut)
		}
		if err != nil {
			return err
		}
		e.cut = 0
	}
	if e.open {
		if _, err := file.Write([]byte("\n")); err != nil {
			return err
		}
		e.open = false
	}
	return nil
}

// endOf looks at the end of a file. Half an entry is of no use to anybody, and neither
// are the zeros that some file systems leave in the place of what was not on the disk
// yet. Any other text is somebody's, and is kept as a line.
func endOf(file *os.File) (end, error) {
	info, err := file.Stat()
	if err != nil {
		return end{}, err
	}
	tail := make([]byte, min(info.Size(), maxTail))
	if _, err := file.ReadAt(tail, info.Size()-int64(len(tail))); err != nil {
		return end{}, err
	}
	e := endOfTail(tail, info.Size() > maxTail)
	e.size = info.Size()
	return e, nil
}

// endOfTail looks at the last bytes of a file, which has more or has not.
func endOfTail(tail []byte, more bool) end {
	from := bytes.LastIndexByte(tail, '\n') + 1
	line, whole := tail[from:], from > 0 || !more
	switch {
	case len(line) == 0:
		return end{}
	case whole && (line[0] == '{' || line[0] == 0) && !json.Valid(line):
		return end{cut: int64(len(line))}
	}
	return end{open: true}
}
