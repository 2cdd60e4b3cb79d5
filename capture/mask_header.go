package capture

// Headers are saved but for what has room for any text and is not read: options of IP and TCP, of
// which some are keys (RFC 8684, section 3.1) or cookies (RFC 7413), and texts in link-layer
// headers that hold a secret. Each part keeps its length.

// hideInHeaders masks that in the packet's beginning, data, which may be a copy.
func hideInHeaders(p *Packet, data []byte, words *words) {
	ip, _, ok := networkLayer(unwrapPktap(p), &hop{})
	if !ok {
		return
	}
	from := min(cap(p.Data)-cap(ip), len(data)) // both end in one array
	hideTexts(data[:from], words)
	hideOptions(data[from:])
}

// hideTexts masks the texts with a secret in a link-layer header. Whatever is no letter ends one.
func hideTexts(header []byte, words *words) {
	for len(header) > 0 {
		end := 0
		for end < len(header) && ' ' <= header[end] && header[end] <= '~' {
			end++
		}
		if end > 0 && !words.isClean(header[:end]) {
			fill(header[:end], maskByte)
		}
		header = header[min(end+1, len(header)):]
	}
}

// hideOptions masks the options behind an IP header, and in that of TCP behind it or in the
// packet that an ICMP message quotes.
func hideOptions(packet []byte) {
	d := datagram{hides: true}
	if !d.parse(packet, len(packet)) {
		return
	}
	if d.is4 {
		fill(packet[minIPv4Header:cap(packet)-cap(d.payload)], optionNop) // IP's has the same number (RFC 791, section 3.1)
	}
	switch {
	case d.protocol == protoTCP && len(d.payload) > minTCPHeader:
		header := int(d.payload[12]>>4) * 4
		hideTCPOptions(d.payload[minTCPHeader:max(minTCPHeader, min(header, len(d.payload)))])
	case d.isTimeExceeded():
		hideOptions(d.payload[icmpHeader:])
	}
}

// hideTCPOptions leaves those options that are read or have no room for a text.
func hideTCPOptions(options []byte) {
	for len(options) > 0 {
		size := 1
		switch {
		case options[0] == optionNop:
		case options[0] == optionEnd || len(options) < 2 || options[1] < 2 || int(options[1]) > len(options):
			clear(options)
			return
		default:
			size = int(options[1])
			if !isHarmlessOption(options[0], size) {
				fill(options[:size], optionNop)
			}
		}
		options = options[size:]
	}
}

// isHarmlessOption reports whether a TCP option of the size is a number that is read, or the most
// that a segment may hold, or that selective acknowledgments are (RFC 9293, section 3.2; RFC 2018).
func isHarmlessOption(kind uint8, size int) bool {
	switch kind {
	case optionMaxSegment:
		return size == 4
	case optionScale:
		return size == 3
	case optionSACKPermitted:
		return size == 2
	case optionTimestamp:
		return size == 10
	}
	return false
}

// fill sets all bytes to one.
func fill(data []byte, c byte) {
	for i := range data {
		data[i] = c
	}
}
