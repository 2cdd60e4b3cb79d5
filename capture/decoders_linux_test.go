//go:build cgo

package capture

import (
	"slices"
	"testing"
	"unsafe"

	"github.com/google/gopacket/layers"
	"golang.org/x/sys/unix"
)

// What is released of a table is nearly all of it, and not a byte beside it.
func TestReleaseDecoders(t *testing.T) {
	for name, table := range map[string][]layers.EnumMetadata{
		"EtherTypes": layers.EthernetTypeMetadata[:],
		"PPP types":  layers.PPPTypeMetadata[:],
	} {
		saved := slices.Clone(table)
		defer copy(table, saved)
		for i := range table {
			table[i].Name = "x"
		}
		ReleaseDecoders()
		first := slices.IndexFunc(table, func(e layers.EnumMetadata) bool { return e.Name == "" })
		if first < 0 {
			t.Fatalf("%s: nothing was released", name)
		}
		left := 0
		for i := range table {
			if table[i].Name != "" {
				left++
			}
		}
		// The rest of a page at either end, and the entries that lie across its border.
		most := 2 * (unix.Getpagesize()/int(unsafe.Sizeof(table[0])) + 1)
		if left > most {
			t.Errorf("%s: %d entries are left, want at most %d", name, left, most)
		}
	}
}

// Pages are whole, and of the table alone.
func TestWholePages(t *testing.T) {
	page := unix.Getpagesize()
	size := int(unsafe.Sizeof(layers.EnumMetadata{}))
	table := layers.EthernetTypeMetadata[:]
	for _, entries := range []int{1, page/size - 1, page / size, 3 * page / size, len(table) - 7} {
		for _, from := range []int{0, 1, 7} {
			part := table[from : from+entries]
			begin := uintptr(unsafe.Pointer(&part[0]))
			pages := wholePages(part)
			if len(pages) == 0 {
				if entries*size >= 2*page {
					t.Errorf("no page in %d bytes", entries*size)
				}
				continue
			}
			start := uintptr(unsafe.Pointer(&pages[0]))
			if start%uintptr(page) != 0 || len(pages)%page != 0 {
				t.Errorf("%d bytes at %#x are not whole pages", len(pages), start)
			}
			if start < begin || start+uintptr(len(pages)) > begin+uintptr(entries*size) {
				t.Errorf("%d bytes at %#x are not inside %d at %#x", len(pages), start, entries*size, begin)
			}
		}
	}
}
