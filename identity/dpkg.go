package identity

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
)

// dpkg asks dpkg-query(1).
type dpkg struct{ tool }

func (d *dpkg) owner(ctx context.Context, path string) (p Package, answered bool) {
	p, err := d.ask(ctx, path)
	return p, d.note(err)
}

func (d *dpkg) ask(ctx context.Context, path string) (Package, error) {
	names := spellings(path)
	args := []string{"--search"}
	for _, name := range names {
		args = append(args, patternOf(name))
	}
	a, err := d.run(ctx, args...)
	// 1: some name was not found.
	if err != nil || a.status > 1 {
		return Package{}, failure(err, a.status)
	}
	owner, err := parseSearch(a.out, names)
	if err != nil || owner == "" {
		return Package{}, err
	}
	version, err := d.version(ctx, owner)
	name, _, _ := strings.Cut(owner, ":") // libc6:amd64
	return Package{Name: name, Version: version, Type: "deb"}, err
}

func (d *dpkg) version(ctx context.Context, owner string) (string, error) {
	a, err := d.run(ctx, "--show", "--showformat", `${db:Status-Status}\t${Version}\n`, owner)
	if err != nil || a.status != 0 {
		return "", failure(err, a.status)
	}
	return parseShow(a.out)
}

// failure is why a tool gave no answer.
func failure(err error, status int) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("exit status %d", status)
}

// spellings are the names under which dpkg may know a file. Where /bin is a link
// to usr/bin it has those of the packages still, which can be either
// (https://wiki.debian.org/UsrMerge).
func spellings(path string) []string {
	other, isBelow := strings.CutPrefix(path, "/usr")
	if !isBelow {
		other = "/usr" + path
	}
	a, errA := os.Stat(path)
	b, errB := os.Stat(other)
	if errA != nil || errB != nil || !os.SameFile(a, b) {
		return []string{path}
	}
	return []string{path, other}
}

// patternOf is the pattern that only this path matches (dpkg-query(1), glob(7)).
func patternOf(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// parseSearch reads what --search says of a file by any of its names. It returns
// the package that owns it, with its architecture if dpkg names that, empty if
// there is none or more than one.
//
// A file that a package has diverted is that package's (dpkg-divert(1)). One that
// was moved out of the way, or by the administrator, is left unknown.
func parseSearch(out string, names []string) (owner string, err error) {
	var owners, diverted []string
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		i := slices.IndexFunc(names, func(name string) bool { return strings.HasSuffix(line, ": "+name) })
		if i < 0 {
			continue // the other half of a diversion
		}
		before := strings.TrimSuffix(line, ": "+names[i])
		if by, isDiversion := diverter(before); isDiversion {
			diverted = append(diverted, by)
			continue
		}
		owners = append(owners, strings.Split(before, ", ")...)
	}
	if slices.ContainsFunc(owners, func(name string) bool { return !isDebName(name) }) {
		return "", garbled("dpkg-query")
	}
	return ownerOf(owners, diverted), nil
}

// diverter reads the beginning of a line on a diversion. by is empty unless a
// package has put its own file in the place of others'.
func diverter(text string) (by string, isDiversion bool) {
	if by, ok := strings.CutPrefix(text, "diversion by "); ok {
		if by, ok := strings.CutSuffix(by, " from"); ok {
			return by, true
		}
		return "", true
	}
	return "", strings.HasPrefix(text, "local diversion")
}

func ownerOf(owners, diverted []string) string {
	by := onlyOf(diverted)
	var names []string
	for _, owner := range owners {
		name, _, _ := strings.Cut(owner, ":")
		if len(diverted) > 0 && name == by {
			return owner
		}
		names = append(names, name)
	}
	if len(diverted) > 0 || onlyOf(names) == "" {
		return ""
	}
	return owners[0]
}

// isDebName: lower case letters, digits, "+", "-" and "." (Debian Policy, 5.6.1),
// and an architecture.
func isDebName(name string) bool {
	name, arch, _ := strings.Cut(name, ":")
	return consistsOf(name, "abcdefghijklmnopqrstuvwxyz0123456789+-.") && !strings.HasPrefix(name, "-") &&
		(arch == "" || consistsOf(arch, "abcdefghijklmnopqrstuvwxyz0123456789-"))
}

func consistsOf(s, characters string) bool { return s != "" && strings.Trim(s, characters) == "" }

// filesInPlace are the states of a package in which its files are those of its
// version (dpkg(1), "Package states").
var filesInPlace = []string{"installed", "unpacked", "half-configured", "triggers-awaited", "triggers-pending"}

// parseShow reads the version of a package, which is empty while that changes.
func parseShow(out string) (version string, err error) {
	state, version, ok := strings.Cut(strings.TrimSuffix(out, "\n"), "\t")
	if !ok || strings.ContainsFunc(version, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", garbled("dpkg-query")
	}
	if !slices.Contains(filesInPlace, state) {
		return "", nil
	}
	return version, nil
}
