package capture

import (
	"bytes"
	"hash/maphash"

	"imds-analyzer/imds"
)

// maxKnownHeads and maxKnownHead bound the heads that are remembered, and the bytes of each:
// 25 KiB, and 128 KiB of texts, or twice that where much is redacted. That is more heads than
// the clients of an instance have, and longer ones.
const (
	maxKnownHeads = 1 << 7
	maxKnownHead  = 1 << 10
)

// knownHeads remembers what was read in requests' heads of late. Clients ask for the same
// things again and again in the same words: to find that a head is byte for byte, but for its
// token, one that was read before takes a fifth of the time of reading it.
//
// A head is known by a number that is made of it, as no text is to be kept that was not looked
// at for secrets: two of 64 bits are the same less often than memory fails.
type knownHeads struct {
	whole, front, back maphash.Seed // of a head without a token, and of what is around one
	places             [maxKnownHeads]knownHead
}

type knownHead struct {
	number uint64
	head   requestHead
}

func newKnownHeads() *knownHeads {
	return &knownHeads{whole: maphash.MakeSeed(), front: maphash.MakeSeed(), back: maphash.MakeSeed()}
}

// read reads a whole head, unless it is known. It reports false if it is none.
func (k *knownHeads) read(head []byte, words *words) (read requestHead, ok bool) {
	if len(head) > maxKnownHead {
		return parseRequestHead(head, words)
	}
	number := k.numberOf(head)
	place := &k.places[number%maxKnownHeads]
	if place.number == number {
		return place.head, true
	}
	if read, ok = parseRequestHead(head, words); ok {
		*place = knownHead{number, read}
	}
	return read, ok
}

// numberOf is the same for two heads only if the same is read in both.
func (k *knownHeads) numberOf(head []byte) uint64 {
	start, end := usualToken(head)
	if start == end {
		return maphash.Bytes(k.whole, head)
	}
	return maphash.Bytes(k.front, head[:start]) ^ maphash.Bytes(k.back, head[end:])
}

// minUsualToken is longer than each of tokenStandIns.
const minUsualToken = 16

// usualToken returns where in a head that is a token, or the beginning of its value, which
// looks as the service makes them: with another one like it the same is read in the head.
// If there is none, the end is the start.
func usualToken(head []byte) (start, end int) {
	const name = len(imds.TokenField)
	for start = bytes.IndexByte(head, '\n') + 1; start > 0; {
		line := head[start:]
		if len(line) > name && line[name] == ':' && isSpelled(imds.TokenField, line[:name]) {
			return usualTokenAt(head, start+name+len(":"))
		}
		next := bytes.IndexByte(line, '\n') + 1
		if next == 0 {
			break
		}
		start += next
	}
	return 0, 0
}

// usualTokenAt looks behind the colon, and no further than to the end of the line.
func usualTokenAt(head []byte, start int) (int, int) {
	if start < len(head) && head[start] == ' ' {
		start++
	}
	end := start
	for end < len(head) && isUsualInToken[head[end]] {
		end++
	}
	if end-start < minUsualToken {
		return 0, 0
	}
	return start, end
}

// isUsualInToken tells the characters of base64 in the URL's alphabet (RFC 4648, section 5).
var isUsualInToken = [256]bool{
	'-': true, '=': true, '_': true,
	'0': true, '1': true, '2': true, '3': true, '4': true, '5': true, '6': true, '7': true, '8': true, '9': true,
	'A': true, 'B': true, 'C': true, 'D': true, 'E': true, 'F': true, 'G': true, 'H': true, 'I': true, 'J': true,
	'K': true, 'L': true, 'M': true, 'N': true, 'O': true, 'P': true, 'Q': true, 'R': true, 'S': true, 'T': true,
	'U': true, 'V': true, 'W': true, 'X': true, 'Y': true, 'Z': true,
	'a': true, 'b': true, 'c': true, 'd': true, 'e': true, 'f': true, 'g': true, 'h': true, 'i': true, 'j': true,
	'k': true, 'l': true, 'm': true, 'n': true, 'o': true, 'p': true, 'q': true, 'r': true, 's': true, 't': true,
	'u': true, 'v': true, 'w': true, 'x': true, 'y': true, 'z': true,
}
