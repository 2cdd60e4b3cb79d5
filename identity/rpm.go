package identity

import (
	"context"
	"strings"
)

// rpm asks rpm(8).
type rpm struct{ tool }

// rpmFormat has versions as "rpm -q" writes them, and the epoch, if there is one.
const rpmFormat = `%{NAME}\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\n`

func (r *rpm) owner(ctx context.Context, path string) (p Package, answered bool) {
	p, err := r.ask(ctx, path)
	return p, r.note(err)
}

// ask passes over that no package owns a file if rpm complains of something: where it
// cannot open its database it says the one as well as the other.
func (r *rpm) ask(ctx context.Context, path string) (Package, error) {
	a, err := r.run(ctx, "-q", "--queryformat", rpmFormat, "-f", path)
	switch {
	case err != nil:
		return Package{}, err
	case a.status != 0 && !a.complained && strings.TrimSuffix(a.out, "\n") == "file "+path+" is not owned by any package":
		return Package{}, nil
	case a.status != 0:
		return Package{}, failure(nil, a.status)
	}
	return parseOwners(a.out)
}

// parseOwners reads the packages that own a file. Of several versions of one, as
// there are while it is updated, none is chosen.
func parseOwners(out string) (Package, error) {
	var names, versions []string
	for line := range strings.Lines(out) {
		name, version, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if !ok || !isRPMText(name) || !isRPMText(version) {
			return Package{}, garbled("rpm")
		}
		names, versions = append(names, name), append(versions, strings.TrimPrefix(version, "0:"))
	}
	p := Package{Name: onlyOf(names), Version: onlyOf(versions), Type: "rpm"}
	if p.Name == "" {
		return Package{}, nil
	}
	return p, nil
}

// isRPMText: names and versions have no spaces.
func isRPMText(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}
