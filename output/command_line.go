package output

import (
	"strings"

	"imds-analyzer/imds"
)

// arguments are those of a process: all or only the first, or a line of them that
// was cut at its blanks.
type arguments struct {
	list              []string
	truncated, joined bool
}

// clean returns them without secrets: each, if it is known where they end, and all
// as a line.
func (a arguments) clean() (list []string, line string) {
	list = imds.RedactArgs(a.list)
	if !a.joined {
		return list, commandLine(list, a.truncated)
	}
	line = imds.Redact(strings.Join(list, " "))
	if a.truncated {
		line += ellipsis
	}
	return nil, line
}

// readArguments is the way back: from what clean has returned.
func readArguments(list []string, line string) arguments {
	switch {
	case len(list) > 0:
		return arguments{list: list, truncated: line != commandLine(list, false)}
	case line == "":
		return arguments{}
	}
	line, truncated := strings.CutSuffix(line, ellipsis)
	return arguments{list: strings.Split(line, " "), truncated: truncated, joined: true}
}

// readCommandLine is the way back from the line alone, for processes of which no more is
// told: it can be of either kind.
func readCommandLine(line string) arguments {
	whole, truncated := strings.CutSuffix(line, ellipsis)
	if list := splitLine(whole); commandLine(list, false) == whole {
		return arguments{list: list, truncated: truncated}
	}
	return readArguments(nil, line)
}

// ellipsis ends a line that is not whole.
const ellipsis = " …"

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
		b.WriteString(ellipsis)
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

// splitLine is the way back from commandLine. Of another line it makes something.
func splitLine(line string) (args []string) {
	for line != "" {
		arg, rest := firstArg(line)
		args = append(args, arg)
		line = rest
	}
	return args
}

// firstArg splits the first argument off, with the blank behind it.
func firstArg(line string) (arg, rest string) {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\'':
			quoted = !quoted
		case c == ' ' && !quoted:
			return b.String(), line[i+1:]
		case c == '\\' && !quoted && i+1 < len(line):
			i++
			b.WriteByte(line[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}
