//go:build cgo

package capture

import (
	"unsafe"

	"github.com/google/gopacket/layers"
	"golang.org/x/sys/unix"
)

// ReleaseDecoders gives back the memory of two tables that come with gopacket: of decoders for
// each EtherType and each PPP type, 5 MiB in all, full of pointers. Packets are decoded without
// them here, but the runtime would look through them whenever it cleans the heap. The kernel
// puts empty pages in their place (madvise(2), MADV_DONTNEED), so to gopacket no type is known
// then. Where that is refused, they stay as they are.
func ReleaseDecoders() {
	for _, table := range [][]layers.EnumMetadata{layers.EthernetTypeMetadata[:], layers.PPPTypeMetadata[:]} {
		if pages := wholePages(table); len(pages) > 0 {
			_ = unix.Madvise(pages, unix.MADV_DONTNEED)
		}
	}
}

// wholePages is the memory of the pages that hold nothing but entries of table.
func wholePages(table []layers.EnumMetadata) []byte {
	size := uintptr(len(table)) * unsafe.Sizeof(table[0])
	memory := unsafe.Slice((*byte)(unsafe.Pointer(&table[0])), size)
	page := uintptr(unix.Getpagesize())
	before := -uintptr(unsafe.Pointer(&table[0])) % page // page is a power of two
	if before > size {
		return nil
	}
	return memory[before : before+(size-before)/page*page]
}
