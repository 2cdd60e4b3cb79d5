package identity

import "strings"

// builds are what follows the version where a program is installed in several builds:
// Python's for processors by Intel alone (python.org's for macOS) and with checks
// (Debian's python3-dbg), Perl's by Debian for each kind of processor, Ruby's own beside
// others (github.com/fedora-ruby/rubypick), shells and busybox without shared libraries.
var builds = []string{"-intel64", "-dbg", "-x86_64-linux-gnu", "-aarch64-linux-gnu", "-mri", "-static", ".static"}

// pythonBuilds are the letters behind Python's version: without its global lock, with
// checks, and older kinds of memory and text (PEP 3149, PEP 779).
const pythonBuilds = "tdmu"

// ProgramName is what the name of an executable says of the program, without what tells
// its versions and builds apart: of python3.11, python3.13t, perl5.36.0, php-fpm8.2, php82
// and node-22 it is python, perl, php-fpm, php and node. Of platform-python3.6, to which
// /usr/bin/python3.6 leads on Red Hat Enterprise Linux 8 (python36.spec of its package
// python36), it is python. A name with anything else behind its version stays as it is:
// python3-config is no Python.
func ProgramName(executable string) string {
	name := strings.TrimSuffix(strings.ToLower(executable), ".exe")
	name = strings.TrimPrefix(name, "platform-")
	for _, build := range builds {
		name = strings.TrimSuffix(name, build)
	}
	if strings.HasPrefix(name, "python") {
		name = withoutLetters(name)
	}
	return strings.TrimRight(name, "0123456789.-")
}

func withoutLetters(python string) string {
	if version := strings.TrimRight(python, pythonBuilds); isDecimal(version[len(version)-1:]) {
		return version
	}
	return python
}
