package output

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// interpreters are programs that run other people's programs; their files may
// have a version at the end, as python3.11 has.
var interpreters = []string{
	"python", "pypy", "node", "nodejs", "ruby", "perl", "php", "java", "sh", "bash", "dash", "zsh", "ksh",
}

// valueFlags are flags of interpreters whose values are elements of their own.
var valueFlags = []string{"-cp", "-classpath", "--class-path", "-p", "--module-path", "-W", "-X", "-o", "-O"}

// script returns what an interpreter was told to run: a file, "-m module",
// "-jar file", or "-c" for commands among the arguments. It is empty for other
// programs.
func script(p *Process) string {
	if !isInterpreter(path.Base(cmp.Or(p.Executable, p.Name))) {
		return ""
	}
	for i := 1; i < len(p.Args); i++ {
		switch arg := p.Args[i]; {
		case slices.Contains(valueFlags, arg):
			i++
		case arg == "-m" || arg == "-jar":
			return strings.Join(p.Args[i:min(i+2, len(p.Args))], " ")
		case isCommandFlag(arg):
			return "-" + arg[len(arg)-1:]
		case !strings.HasPrefix(arg, "-"):
			return arg
		}
	}
	return ""
}

func isInterpreter(name string) bool {
	return slices.Contains(interpreters, strings.TrimRight(name, "0123456789.-"))
}

// isCommandFlag reports whether commands follow: sh -c, bash -lc, perl -e.
func isCommandFlag(flag string) bool {
	const longest = len("-euxc")
	short := len(flag) >= 2 && len(flag) <= longest && flag[0] == '-' && flag[1] != '-'
	return short && (strings.HasSuffix(flag, "c") || flag == "-e")
}
