package output

import (
	"net/netip"
	"path"
	"strings"
	"unicode/utf8"
)

// cut shortens s to that many characters; an ellipsis stands for the rest.
func cut(s string, characters int) string {
	if len(s) <= characters || utf8.RuneCountInString(s) <= characters {
		return s
	}
	end := 0
	for range characters - 1 {
		_, size := utf8.DecodeRuneInString(s[end:])
		end += size
	}
	return s[:end] + "…"
}

// cutMiddle shortens s to that many characters, and leaves more of the
// beginning than of the end.
func cutMiddle(s string, characters int) string {
	count := utf8.RuneCountInString(s)
	if count <= characters {
		return s
	}
	runes := []rune(s)
	tail := (characters - 1) / 3
	return string(runes[:characters-1-tail]) + "…" + string(runes[count-tail:])
}

// pad fills s up to that many characters.
func pad(s string, characters int) string {
	return s + strings.Repeat(" ", max(0, characters-utf8.RuneCountInString(s)))
}

// processName is the name that people know a process by.
func processName(p *Process) string {
	switch {
	case p.Name != "":
		return p.Name
	case p.Executable != "":
		return path.Base(p.Executable)
	}
	return "process"
}

func endpoint(a Address) string {
	return netip.AddrPortFrom(a.IP, a.Port).String()
}
