package output

import "strings"

// commandLine joins arguments to one line in which each can be told from the
// others: those with blanks or other signs that a shell would read are quoted
// as for sh(1). A line that is not whole ends with an ellipsis.
func commandLine(args []string, truncated bool) string {
	var b strings.Builder
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

func writeQuoted(b *strings.Builder, arg string) {
	if arg != "" && !strings.ContainsAny(arg, " \t\n\r\"'`\\$&|;<>()*?[]{}!#~") {
		b.WriteString(arg)
		return
	}
	b.WriteByte('\'')
	b.WriteString(strings.ReplaceAll(arg, "'", `'\''`))
	b.WriteByte('\'')
}
