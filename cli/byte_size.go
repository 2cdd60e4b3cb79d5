package cli

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// byteSize is a flag's number of bytes. It implements pflag.Value.
type byteSize int64

// sizeUnits are those that a size may have, the largest first.
func sizeUnits() []sizeUnit { return []sizeUnit{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} }

type sizeUnit struct {
	name  string
	bytes int64
}

var errSize = errors.New("a size is a number of bytes, or one with KiB, MiB or GiB, such as 64MiB")

// Set takes "1048576", "1024KiB" or "1MiB".
func (b *byteSize) Set(text string) error {
	unit := int64(1)
	for _, u := range sizeUnits() {
		if number, ok := strings.CutSuffix(text, u.name); ok {
			text, unit = number, u.bytes
			break
		}
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || int64(n) > math.MaxInt64/unit {
		return errSize
	}
	*b = byteSize(int64(n) * unit)
	return nil
}

// String is the number in the largest unit that divides it.
func (b *byteSize) String() string {
	for _, u := range sizeUnits() {
		if n := int64(*b); n > 0 && n%u.bytes == 0 {
			return fmt.Sprintf("%d%s", n/u.bytes, u.name)
		}
	}
	return strconv.FormatInt(int64(*b), 10)
}

// Type is how help calls the value.
func (b *byteSize) Type() string { return "SIZE" }
