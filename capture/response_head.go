package capture

// responseHead is what a response's head says behind its status line, whenever it was sent.
type responseHead struct {
	server string
	body   bodyFields
}

// readResponseHead reads a head from its first line on.
func readResponseHead(data []byte, words *words) (head responseHead) {
	f := fieldReader{rest: splitHead(data).rest}
	for f.next() {
		head.body.visit(&f.field)
		head.noteServer(&f.field, words)
	}
	return head
}

// noteServer takes the server's name from the first field that tells it.
func (h *responseHead) noteServer(f *field, words *words) {
	if f.name == "server" && h.server == "" && !f.cut {
		h.server = words.short(f.value)
	}
}
