package output

import (
	"net/netip"
	"path"
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

func endpoint(a Address) string { return string(appendEndpoint(nil, a)) }

func appendEndpoint(text []byte, a Address) []byte {
	if !a.IP.IsValid() {
		return append(text, "an address that is not known"...)
	}
	return netip.AddrPortFrom(a.IP, a.Port).AppendTo(text)
}
