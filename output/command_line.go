package output

import "strings"

// commandLine joins arguments to one line in which each can be told from the
// others: those with blanks or other signs that a shell would read are quoted
// as for sh(1). A line that is not whole ends with an ellipsis.
func commandLine(args []string, truncated bool) string {
	if len(args) == 0 {
		return ""
	}
	var b strings.Builder
	b.Grow(lengthOf(args))
	for i, arg := range args {
		if i > 0 {
			b.WriteByte(' ')
		}
		writeQuoted(&b, arg)
	}
	if truncated {
		b.WriteString(" …")
	}
	return b.String()
}

// lengthOf is the length of the line if nothing needs quotes.
func lengthOf(args []string) int {
	n := len(args)
	for _, arg := range args {
		n += len(arg)
	}
	return n
}

func writeQuoted(b *strings.Builder, arg string) {
	if !needsQuotes(arg) {
		b.WriteString(arg)
		return
	}
	b.WriteByte('\'')
	b.WriteString(strings.ReplaceAll(arg, "'", `'\''`))
	b.WriteByte('\'')
}

// needsQuotes reports whether a shell would not take the argument as it is.
func needsQuotes(arg string) bool {
	for i := range len(arg) {
		switch arg[i] {
		case ' ', '\t', '\n', '\r', '"', '\'', '`', '\\', '$', '&', '|', ';', '<', '>',
			'(', ')', '*', '?', '[', ']', '{', '}', '!', '#', '~':
			return true
		}
	}
	return arg == ""
}
