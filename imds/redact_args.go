package imds

import (
	"path"
	"slices"
	"strings"
)

// RedactArgs returns an argument vector with Redacted in the place of secrets,
// also of those that stand in an element of their own, after the one that
// names them. The rest of each element, and args itself, stay as they are.
func RedactArgs(args []string) []string {
	redacted := args
	curl := false // one of those before is
	for i, arg := range args {
		clean := redactArg(args, i, curl)
		curl = curl || isCurl(arg)
		if clean == arg {
			continue
		}
		if &redacted[0] == &args[0] {
			redacted = slices.Clone(args)
		}
		redacted[i] = clean
	}
	return redacted
}

func redactArg(args []string, i int, curl bool) string {
	arg, before := args[i], ""
	if i > 0 {
		before = args[i-1]
	}
	switch {
	case arg == "":
		return arg
	case namesNext(before) && !isFlag(arg):
		return Redacted
	case isScript(before):
		return Redact(arg)
	}
	if at := loginIn(before); at > 0 && at == len(before) && curl {
		return redactLogin(arg, 0)
	}
	if at := loginIn(arg); at > 0 && at < len(arg) && curl {
		return redactLogin(arg, at)
	}
	if end := assignment(arg); end > 0 {
		return arg[:end] + Redacted
	}
	return Redact(arg)
}

// namesNext reports whether the next element is the value of the name that
// this one is: --token, "X-Token:", aws_session_token.
func namesNext(arg string) bool {
	name := strings.TrimRight(arg, ":= \t")
	for i := range len(name) {
		if !isNameChar(name[i]) {
			return false
		}
	}
	stands := strings.HasPrefix(arg, "-") || len(name) < len(arg) || strings.Contains(name, "_")
	return stands && isSecretName(name)
}

// isFlag reports whether an element is a flag rather than a value: -x, or
// --words in lower case.
func isFlag(arg string) bool {
	if len(arg) == 2 && arg[0] == '-' {
		return true
	}
	name, found := strings.CutPrefix(arg, "--")
	if !found {
		return false // whatever its length is
	}
	name, _, _ = strings.Cut(name, "=")
	return len(name) > 1 && len(name) < minRandom && isLower(name[0]) && !hasUpper(name)
}

// isScript reports whether the next element is a text of several commands:
// that after sh -c and the like.
func isScript(flag string) bool {
	return len(flag) >= 2 && len(flag) <= 4 && flag[0] == '-' && flag[1] != '-' && flag[len(flag)-1] == 'c'
}

// assignment returns where the value starts in NAME=VALUE or "Name: value" if
// the whole rest of the element is secret; otherwise it is 0.
func assignment(arg string) int {
	end := strings.IndexAny(arg, "=:")
	if end <= 0 {
		return 0
	}
	for i := range end {
		if !isNameChar(arg[i]) {
			return 0
		}
	}
	value := strings.TrimLeft(arg[end:], "=: \t\r\n")
	if value == "" || !isSecretName(arg[:end]) {
		return 0
	}
	return len(arg) - len(value)
}

// isCurl reports whether an argument is curl, which others start, too: sudo curl.
func isCurl(arg string) bool { return strings.Contains(arg, "curl") && path.Base(arg) == "curl" }

// redactLogin hides the password of a USER:PASSWORD that begins there.
func redactLogin(arg string, from int) string {
	user, password, found := strings.Cut(arg[from:], ":")
	if !found || password == "" {
		return Redact(arg)
	}
	return Redact(arg[:from]+user) + ":" + Redacted
}

// loginIn returns where in a flag of curl's a USER:PASSWORD begins, or a CERTIFICATE:PASSWORD
// (curl(1)): -uUSER:PASSWORD, -sSfuUSER:PASSWORD. It is the flag's end if that is the next
// argument, 0 if the flag has none.
func loginIn(flag string) int {
	switch flag {
	case "--user", "--proxy-user", "--cert", "--proxy-cert":
		return len(flag)
	}
	if len(flag) < len("-u") || flag[0] != '-' {
		return 0
	}
	rest := strings.TrimLeft(flag[1:], curlSwitches)
	if rest == "" || strings.IndexByte("uUE", rest[0]) < 0 {
		return 0
	}
	return len(flag) - len(rest) + 1
}

// curlSwitches are the flags of curl with one letter that take no value.
const curlSwitches = "#012346:BGIJLMNORSVZafgijklnpqsv"
