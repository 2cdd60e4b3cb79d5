package imds

import (
	"slices"
	"strings"
)

// indexed is a view in which it was found once what is asked for again and again, from each of
// any number of names: a text may be 128 KiB long, and hold nothing else.
type indexed struct {
	view
	singles, doubles, ats []int // where quotes and at signs are
	ends                  wordEnds
}

func index(v view) indexed {
	return indexed{view: v, singles: places(v.text, '\''), doubles: places(v.text, '"'), ats: places(v.text, '@')}
}

// places are those of a byte, in order.
func places(text string, c byte) []int {
	first := strings.IndexByte(text, c)
	if first < 0 {
		return nil
	}
	all := make([]int, 0, strings.Count(text[first:], text[first:first+1]))
	for i := first; i < len(text); i++ {
		if text[i] == c {
			all = append(all, i)
		}
	}
	return all
}

// indexFrom is where a part stands first from there on, the text's end if nowhere.
func indexFrom(text, part string, from int) int {
	if at := strings.Index(text[from:], part); at >= 0 {
		return from + at
	}
	return len(text)
}

// lastBefore is the last of some places before one, -1 if none is.
func lastBefore(places []int, before int) int {
	n, _ := slices.BinarySearch(places, before)
	if n == 0 {
		return -1
	}
	return places[n-1]
}

// wordEnds are where words end that were asked for last: in a long one are many names, from each
// of which it ends at the same place, if the same quotes are open there.
type wordEnds [1 << 3]ending

// ending is where a word ends that begins at from: stop is without what a shell joins to it.
type ending struct{ from, stop, end int }

// of is the place of words with these properties.
func (e *wordEnds) of(properties ...bool) *ending {
	n := 0
	for _, is := range properties {
		n <<= 1
		if is {
			n++
		}
	}
	return &e[n]
}
