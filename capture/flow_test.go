package capture

import (
	"testing"
	"unsafe"
)

// A flow fits a size that Go's allocator has (runtime/sizeclasses.go) with the header of 8 bytes
// that it adds where pointers are in more than 512 (runtime/malloc.go): one field more, and each takes
// the 640 bytes of the next one, which is 6 MiB for 100,000 open connections.
func TestFlowSize(t *testing.T) {
	const most = 576 - 8
	if size := unsafe.Sizeof(flow{}); size > most {
		t.Errorf("a flow is of %d bytes, more than %d", size, most)
	}
}
