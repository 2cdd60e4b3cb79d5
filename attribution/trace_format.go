package attribution

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The format files of tracepoints, events/SYSTEM/NAME/format in tracefs
// (Documentation/trace/events.rst, section 2.2). They say where a field is in
// a record of this kernel.

var errTraceFormat = errors.New("not in the format of a tracepoint's format file")

// maxTraceRecord is the largest record of a tracepoint (PERF_MAX_TRACE_SIZE,
// linux/trace_events.h).
const maxTraceRecord = 8 << 10

// traceFormat is what is used of a format file.
type traceFormat struct {
	id     uint16
	fields map[string]traceField
}

// traceField is where a field is in a record.
type traceField struct{ offset, size int }

func parseTraceFormat(b []byte) (traceFormat, error) {
	f := traceFormat{fields: make(map[string]traceField)}
	hasID := false
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if value, ok := strings.CutPrefix(line, "ID:"); ok {
			id, err := strconv.ParseUint(strings.TrimSpace(value), 10, 16)
			if err != nil {
				return traceFormat{}, fmt.Errorf("%w: %w", errTraceFormat, err)
			}
			f.id, hasID = uint16(id), true
		}
		if declaration, ok := strings.CutPrefix(line, "field:"); ok {
			if err := f.addField(declaration); err != nil {
				return traceFormat{}, err
			}
		}
	}
	if !hasID {
		return traceFormat{}, fmt.Errorf("%w: it has no ID", errTraceFormat)
	}
	return f, nil
}

// addField reads a declaration, such as
// "__u8 saddr[4];	offset:32;	size:4;	signed:0;".
func (f traceFormat) addField(declaration string) error {
	parts := strings.Split(declaration, ";")
	words := strings.Fields(parts[0])
	if len(words) == 0 {
		return fmt.Errorf("%w: a field without name", errTraceFormat)
	}
	name, _, _ := strings.Cut(words[len(words)-1], "[")
	field := traceField{offset: -1, size: -1}
	for _, part := range parts[1:] {
		key, value, _ := strings.Cut(strings.TrimSpace(part), ":")
		n, err := strconv.Atoi(value)
		switch {
		case key != "offset" && key != "size":
		case err != nil || n < 0 || n > maxTraceRecord:
			return fmt.Errorf("%w: the %s of field %s", errTraceFormat, key, name)
		case key == "offset":
			field.offset = n
		default:
			field.size = n
		}
	}
	if field.offset < 0 || field.size < 0 {
		return fmt.Errorf("%w: field %s has no place", errTraceFormat, name)
	}
	f.fields[name] = field
	return nil
}

// place returns where the field of the given size is.
func (f traceFormat) place(name string, size int) (traceField, error) {
	field, ok := f.fields[name]
	if !ok || field.size != size {
		return traceField{}, fmt.Errorf("%w: no field %s of %d bytes", errTraceFormat, name, size)
	}
	return field, nil
}

// long is place for a field of the size of a C long.
func (f traceFormat) long(name string) (traceField, error) {
	if field, err := f.place(name, 4); err == nil {
		return field, nil
	}
	return f.place(name, 8)
}

// of returns the field's bytes in a record, nil if that is too short.
func (f traceField) of(raw []byte) []byte {
	if f.offset+f.size > len(raw) {
		return nil
	}
	return raw[f.offset : f.offset+f.size]
}

// text reads a field that says where its text is: a number with the offset in
// its low half and the length in its high half ("__data_loc", section 2.2). It
// is empty if the record is too short.
func (f traceField) text(raw []byte) string {
	place := f.number(raw)
	offset, length := int(place&0xffff), int(place>>16&0xffff)
	if offset+length > len(raw) {
		return ""
	}
	text, _, _ := bytes.Cut(raw[offset:offset+length], []byte{0})
	return string(text)
}

// number reads the field as an unsigned number, 0 if the record is too short.
func (f traceField) number(raw []byte) uint64 {
	b := f.of(raw)
	switch len(b) {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.NativeEndian.Uint16(b))
	case 4:
		return uint64(binary.NativeEndian.Uint32(b))
	case 8:
		return binary.NativeEndian.Uint64(b)
	}
	return 0
}
