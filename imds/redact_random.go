package imds

// likelyPairs has, for each letter from a on, a bit for each letter that mostly
// follows it: these 220 pairs make up nine tenths of those in English words,
// and a third of those in a random string.
var likelyPairs = pairs(
	"bcdgiklmnprstuvy", "aeilosuy", "acehiklortu", "adeilors", "acdefglmnpqrstvwxy",
	"aefiloru", "ehino", "aeiot", "acdefglmnoprstvxz", "", "aei", "adeilostuy",
	"aeiopu", "acdefginostuv", "cdiklmnoprstuvw", "aeiloprstuy", "u",
	"acdefimnorstuvy", "acdehiopstuy", "acehiloprstuy", "acefilmnprst",
	"aei", "ahir", "pt", "pst", "e",
)

func pairs(followers ...string) (bits [26]uint32) {
	for first, letters := range followers {
		for _, second := range []byte(letters) {
			bits[first] |= 1 << (second - 'a')
		}
	}
	return bits
}

// isLikely reports whether two letters are such a pair, in any case.
func isLikely(a, b byte) bool {
	return likelyPairs[(a|0x20)-'a']>>((b|0x20)-'a')&1 != 0
}

// texture is what tells random strings from names that somebody thought of:
// how often the class of characters (upper case, lower case, digit) changes,
// and how many of the letters' pairs are likely. Symbols do not count.
type texture struct {
	count, upper, lower int
	changes             int
	pairs, likely       int
}

func textureOf(s string) texture {
	var t texture
	var last byte
	for i := range len(s) {
		c := s[i]
		if !isAlnum(c) {
			continue
		}
		t.count++
		switch {
		case isUpper(c):
			t.upper++
		case isLower(c):
			t.lower++
		}
		if last != 0 {
			t.pair(last, c)
		}
		last = c
	}
	return t
}

func (t *texture) pair(a, b byte) {
	if isUpper(a) != isUpper(b) || isDigit(a) != isDigit(b) {
		t.changes++
	}
	if isDigit(a) || isDigit(b) || isLower(a) && isUpper(b) {
		return // no pair within a word
	}
	t.pairs++
	if isLikely(a, b) {
		t.likely++
	}
}

// The order of random strings is -0.3 on average, that of names above 0.5.
// Of random strings of length 20, 0.4 % are above likelyRandom, of those of
// length 40 it is 0.005 %.
const (
	surelyRandom = -0.1
	likelyRandom = 0.25
	meantOrder   = 0.4
)

// order is how much more often a pair is likely than the class changes.
func (t texture) order() float64 {
	changing := float64(t.changes) / float64(max(1, t.count-1))
	likely := float64(t.likely) / float64(max(1, t.pairs))
	return likely - changing
}

// random reports whether a string is long enough to be told, is written in
// both cases, unlike hex digits and most identifiers, and has at most that
// order.
func (t texture) random(order float64) bool {
	mixed := 10*min(t.upper, t.lower) >= t.count
	return t.count >= minRandom && mixed && t.order() <= order
}

// meant reports whether a word is one that somebody thought of.
func (t texture) meant() bool { return t.pairs >= 3 && t.order() >= meantOrder }

// isPlain reports whether a word without symbols says nothing by itself.
func isPlain(word string) bool {
	const shortBytes = 4
	t := textureOf(word)
	return t.meant() || t.changes == 0 && t.count <= shortBytes
}
