package identity

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"imds-analyzer/attribution"
)

// scriptOf says what an interpreter was told to run. It is empty for other
// programs, and where the arguments do not tell for certain.
func scriptOf(p *attribution.Process) Script {
	return scriptIn(cmp.Or(p.Executable, p.Name), p.Args, p.ArgsTruncated)
}

// callerOf says what the nearest of the ancestors that run a script runs, and how
// many generations up that is. A shell that someone types into runs none, and is
// passed over.
func callerOf(line []attribution.Ancestor) (caller Script, generation int) {
	for i := range line {
		a := &line[i]
		if caller = scriptIn(cmp.Or(a.Executable, a.Name), a.Args, a.ArgsTruncated); caller != (Script{}) {
			return caller, i + 1
		}
	}
	return Script{}, 0
}

func scriptIn(program string, args []string, truncated bool) Script {
	if truncated && len(args) > 0 {
		args = args[:len(args)-1] // which may not be whole
	}
	g, args := grammarOf(path.Base(program), args)
	if g == nil || len(args) == 0 {
		return Script{}
	}
	r := argsReader{grammar: g, rest: args[1:]}
	script := r.read()
	if (script.Kind == ScriptFile || script.Kind == Jar) && !r.elsewhere {
		script.Path = absolute(script.Name)
	}
	return script
}

// absolute is the path of a file, empty if that is not known. A name without a
// directory is one in the directory where the program started, which it may have
// left since.
func absolute(name string) string {
	if !path.IsAbs(name) {
		return ""
	}
	name = path.Clean(name)
	// /dev/fd/63 and /proc/self/fd/63 are other files for each process.
	if strings.HasPrefix(name, "/dev/") || strings.HasPrefix(name, "/proc/") {
		return ""
	}
	return name
}

// grammarOf returns how the arguments of a program are to be read, nil if it is
// no interpreter, and the arguments from its name on.
func grammarOf(program string, args []string) (*grammar, []string) {
	program = ProgramName(program)
	if program == "busybox" && len(args) > 0 {
		if ProgramName(path.Base(args[0])) == "busybox" {
			args = args[1:] // busybox sh boot.sh
		}
		if len(args) > 0 {
			program = path.Base(args[0])
		}
	}
	return interpreters[program], args
}

// argsReader reads arguments up to the one that says what is run.
type argsReader struct {
	*grammar
	rest      []string
	operand   ScriptKind // what the first argument that is no flag is
	begun     bool       // what can stand before the script's name is read
	elsewhere bool       // a file's name does not tell where it is
}

func (r *argsReader) read() Script {
	r.operand = r.grammar.operand
	for len(r.rest) > 0 {
		arg, _ := r.next()
		switch {
		case arg == "--", arg == "-" && r.dashEnds:
			operand, _ := r.next()
			return r.named(operand)
		case r.isFlag(arg):
			if script, found := r.flag(arg); found {
				return script
			}
		default:
			does, ok := r.commands.word(arg)
			if r.begun || !ok {
				return r.named(arg)
			}
			r.begun = true
			if script, found := r.do(does, r.next); found {
				return script
			}
		}
	}
	return Script{}
}

func (r *argsReader) next() (arg string, ok bool) {
	if len(r.rest) == 0 {
		return "", false
	}
	arg, r.rest = r.rest[0], r.rest[1:]
	return arg, true
}

func (r *argsReader) isFlag(arg string) bool {
	return strings.HasPrefix(arg, "-") && arg != "-" || r.plusFlags && strings.HasPrefix(arg, "+")
}

// named is the script that an operand names. "-" is standard input, and a
// program that wrote over its arguments to show its state leaves empty ones.
func (r *argsReader) named(operand string) Script {
	switch {
	case operand == "" || operand == "-", r.argFiles && operand[0] == '@':
		return Script{}
	case r.endings != nil && (!slices.Contains(r.endings, path.Ext(operand)) || strings.Contains(operand, ":")):
		return Script{} // a command, or a URL
	case r.operand == Class && strings.HasSuffix(operand, ".java"):
		return Script{Kind: ScriptFile, Name: operand}
	}
	return Script{Kind: r.operand, Name: operand}
}

// flag reads a flag. It reports true if there is no more to read.
func (r *argsReader) flag(arg string) (Script, bool) {
	if r.anyCase {
		arg = "-" + strings.ToLower(strings.TrimLeft(arg, "-"))
	}
	name, value, hasValue := strings.Cut(arg, "=")
	if does, ok := r.words.word(name); ok {
		if !hasValue {
			return r.do(does, r.next)
		}
		return r.do(does, func() (string, bool) { return value, true })
	}
	if r.letters == (flags{}) || strings.HasPrefix(arg, "--") {
		return Script{}, !hasValue && !r.isJoined(arg)
	}
	return r.cluster(arg[1:])
}

func (r *argsReader) isJoined(arg string) bool {
	return slices.ContainsFunc(r.joined, func(prefix string) bool { return strings.HasPrefix(arg, prefix) })
}

// cluster reads flags of one letter that share an argument: -euxc, -Ic.
func (r *argsReader) cluster(letters string) (Script, bool) {
	for i := range len(letters) {
		rest := letters[i+1:]
		does := r.letters.letter(letters[i])
		switch {
		case does == isFlag:
			continue
		case does == endsCluster:
			return Script{}, false
		case does == takesNext && rest != "":
			return Script{}, true // shells differ in what that means
		case does == setsElsewhere || rest == "":
			if script, found := r.do(does, r.next); found {
				return script, true
			}
		default:
			return r.do(does, func() (string, bool) { return rest, true })
		}
	}
	return Script{}, false
}

// do does what a flag does. value returns the flag's value, if it takes one.
func (r *argsReader) do(does effect, value func() (string, bool)) (script Script, found bool) {
	switch does {
	case isCommands:
		if text, _ := value(); text == "-" {
			return Script{}, true // standard input
		}
		return Script{Kind: Commands}, true
	case isUnknown:
		return Script{}, true
	case setsJar:
		r.operand = Jar
		return Script{}, false
	case setsElsewhere:
		r.elsewhere = true
		return Script{}, false
	case isFlag, endsCluster:
		return Script{}, false
	}
	text, ok := value()
	switch does {
	case isModule, isFile:
		return scriptNamed(does, text), true
	case takesSource:
		r.operand = ScriptFile
	case takesDirectory:
		r.elsewhere = true
	}
	return Script{}, !ok
}

func scriptNamed(does effect, name string) Script {
	switch {
	case name == "" || name == "-":
		return Script{}
	case does == isModule:
		return Script{Kind: Module, Name: name}
	}
	return Script{Kind: ScriptFile, Name: name}
}
