package diagnosis

import (
	"slices"
	"strings"

	"imds-analyzer/identity"
)

// A User-Agent is what a process says of itself, and any process can say anything. It is
// the only evidence of the libraries in a program, so that it is believed unless the
// packages of executable and script tell that it cannot be so.

// mayBe reports whether the process can be, or can have within it, the software that its
// User-Agent names. What is not known can be anything.
func (r *softwareRow) mayBe(i *identity.Identity) bool {
	if i == nil || i.Package.Name == "" || r.hasPackage(i.Package.Name) || r.hasPackage(i.Script.Package.Name) {
		return true
	}
	switch toolPrograms[programOf(i.Package.Name)] {
	case Curl, Wget, Shell: // have no library within them
		return false
	case "": // a program by itself is no other program
		return len(r.Packages) == 0
	}
	return true // an interpreter
}

func (r *softwareRow) hasPackage(name string) bool {
	return slices.ContainsFunc(r.Packages, func(p string) bool { return strings.EqualFold(p, name) })
}

// programOf is the program that a package is named for: of platform-python, python3.11-minimal,
// python39 and rh-python36-python, as it is called in Red Hat's Software Collections, it is
// python.
func programOf(pack string) string {
	name := strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(pack), "platform-"), "rh-")
	name, _, _ = strings.Cut(name, "-")
	return identity.ProgramName(name)
}

// Contradicts reports whether a User-Agent names software that the process, by its
// packages, neither is nor can have within it.
func Contradicts(userAgent string, i *identity.Identity) bool {
	table := knownSoftware()
	for name, version := range products(userAgent) {
		if row := table.ofProduct(name, version); row != nil && !row.mayBe(i) {
			return true
		}
	}
	return false
}
