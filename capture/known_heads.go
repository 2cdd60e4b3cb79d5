package capture

import (
	"bytes"
	"hash/maphash"

	"imds-analyzer/imds"
)

// maxKnownRequests, maxKnownResponses and maxKnownHead bound the heads that are remembered, and the
// bytes of each: 110 KiB, and 512 KiB of texts, or half as much again where much is redacted. That
// is more heads than the clients of an instance have, and longer ones. Answers are as many as there
// are lengths of credentials.
const (
	maxKnownRequests  = 1 << 8
	maxKnownResponses = 1 << 10
	maxKnownHead      = 1 << 10
)

// knownHeads remembers what was read in heads of late. Clients ask for the same things again and
// again in the same words, and get the same answers: to find that a head is byte for byte, but
// for its token or its date, one that was read before takes a quarter of the time of reading it.
//
// A head is known by a number that is made of it, as no text is to be kept that was not looked
// at for secrets: two of 64 bits are the same less often than memory fails.
type knownHeads struct {
	whole, front, back maphash.Seed // of a head of which nothing is left out, and of what is around that
	requests           numbered[requestHead]
	responses          numbered[responseHead]
}

func newKnownHeads() *knownHeads {
	return &knownHeads{
		whole: maphash.MakeSeed(), front: maphash.MakeSeed(), back: maphash.MakeSeed(),
		requests: newNumbered[requestHead](maxKnownRequests), responses: newNumbered[responseHead](maxKnownResponses),
	}
}

// request reads a whole head, unless it is known. It reports false if it is none. What it
// returns stays as it is until it is called again.
func (k *knownHeads) request(head []byte, words *words) (*requestHead, bool) {
	if len(head) > maxKnownHead {
		read, ok := parseRequestHead(head, words)
		return &read, ok
	}
	number := k.ofRequest(head)
	if known := k.requests.find(number); known != nil {
		return known, true
	}
	read, ok := parseRequestHead(head, words)
	if ok {
		k.requests.add(number, read)
	}
	return &read, ok
}

// response reads a whole head, unless it is known.
func (k *knownHeads) response(head []byte, words *words) responseHead {
	if len(head) > maxKnownHead {
		return readResponseHead(head, words)
	}
	number := k.ofResponse(head)
	if known := k.responses.find(number); known != nil {
		return *known
	}
	read := readResponseHead(head, words)
	k.responses.add(number, read)
	return read
}

// ofRequest is the same for two heads only if the same is read in both.
func (k *knownHeads) ofRequest(head []byte) uint64 {
	start, end := usualToken(head)
	return k.numberWithout(head, start, end)
}

// ofResponse is the same for two heads only if the same is read in both, but for their status.
func (k *knownHeads) ofResponse(head []byte) uint64 {
	start, end := date(head)
	return k.numberWithout(head, start, end)
}

// numberWithout is a head's number, of which what is between start and end is left out.
func (k *knownHeads) numberWithout(head []byte, start, end int) uint64 {
	if start == end {
		return maphash.Bytes(k.whole, head)
	}
	return maphash.Bytes(k.front, head[:start]) ^ maphash.Bytes(k.back, head[end:])
}

// numbered are things that have numbers, the latest two of those for which there is one place.
type numbered[T any] struct{ places [][2]withNumber[T] }

type withNumber[T any] struct {
	number uint64
	what   T
}

// newNumbered has room for so many. It is written to at once, as legs are.
func newNumbered[T any](most int) numbered[T] {
	places := make([][2]withNumber[T], most/2)
	clear(places)
	return numbered[T]{places}
}

func (n *numbered[T]) place(number uint64) *[2]withNumber[T] {
	return &n.places[number%uint64(len(n.places))]
}

// find returns what has the number, nil if there is nothing.
func (n *numbered[T]) find(number uint64) *T {
	place := n.place(number)
	for i := range place {
		if place[i].number == number {
			return &place[i].what
		}
	}
	return nil
}

func (n *numbered[T]) add(number uint64, what T) {
	place := n.place(number)
	place[1], place[0] = place[0], withNumber[T]{number, what}
}

// minUsualToken is longer than each of tokenStandIns.
const minUsualToken = 16

// usualToken returns where in a head that is a token, or the beginning of its value, which
// looks as the service makes them: with another one like it the same is read in the head.
// It is looked for no further than to the end of the line. If there is none, the end is the start.
func usualToken(head []byte) (start, end int) {
	start = valueOf(head, imds.TokenField)
	if start < len(head) && head[start] == ' ' {
		start++
	}
	end = start
	for end < len(head) && isUsualInToken[head[end]] {
		end++
	}
	if end-start < minUsualToken {
		return 0, 0
	}
	return start, end
}

// date returns where in a head the date's value is, of which nothing is read. If there is none,
// the end is the start.
func date(head []byte) (start, end int) {
	start = valueOf(head, "date")
	return start, start + max(0, bytes.IndexByte(head[start:], '\n'))
}

// valueOf returns where a head goes on behind the colon of the first line with the name, in small
// letters; its end if no line has it.
func valueOf(head []byte, name string) int {
	for start := 0; ; {
		next := bytes.IndexByte(head[start:], '\n') + 1
		if next == 0 {
			return len(head)
		}
		start += next
		line := head[start:]
		if len(line) > len(name) && line[len(name)] == ':' && isSpelled(name, line[:len(name)]) {
			return start + len(name) + len(":")
		}
	}
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
