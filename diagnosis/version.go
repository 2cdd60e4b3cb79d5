package diagnosis

import (
	"cmp"
	"slices"
	"strings"
)

// version is a version of some software, as far as its order can be told: the numbers
// with dots between at its beginning. What a distribution has added to them says
// nothing of what the software can do.
type version struct {
	numbers    []uint32
	preRelease bool // it comes before the version with these numbers
}

// parseVersion reads a version as programs, packages and images write it: 1.29.27,
// v1.10.0-eksbuild.1, 2:3.0.1-1.el7, 20.1-10-g71af48df-0ubuntu5. It reports false for
// everything else: "latest" has no place in the order.
func parseVersion(s string) (version, bool) {
	s = withoutEpoch(s)
	s = strings.TrimPrefix(s, "v")
	var v version
	for {
		n, rest, ok := leadingNumber(s)
		if !ok {
			return version{}, false
		}
		v.numbers, s = append(v.numbers, n), rest
		if len(s) < 2 || s[0] != '.' || !isDigit(s[1]) {
			break
		}
		s = s[1:]
	}
	v.preRelease = isPreRelease(s)
	return v, len(v.numbers) > 1 || s == ""
}

// withoutEpoch leaves out the number before a colon, by which a distribution corrects
// its own order (deb-version(7)).
func withoutEpoch(s string) string {
	epoch, rest, ok := strings.Cut(s, ":")
	if !ok || strings.Trim(epoch, "0123456789") != "" {
		return s
	}
	return rest
}

// leadingNumber reads a number of up to nine digits; a longer one is none, such as a
// commit.
func leadingNumber(s string) (n uint32, rest string, ok bool) {
	const longest = 9
	i := 0
	for i < len(s) && isDigit(s[i]) {
		if i == longest {
			return 0, s, false
		}
		n = n*10 + uint32(s[i]-'0')
		i++
	}
	return n, s[i:], i > 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// preReleases are how the suffixes of versions begin that come before the version
// itself (PEP 440, semver.org, section 9).
var preReleases = [...]string{"rc", "alpha", "beta", "pre", "dev", "snapshot"}

// isPreRelease knows the suffixes of those; behind a tilde, packages have whatever comes
// before (deb-version(7)), but also the distribution that they were built for.
func isPreRelease(suffix string) bool {
	suffix = strings.ToLower(strings.TrimLeft(suffix, "-.~_+"))
	return slices.ContainsFunc(preReleases[:], func(p string) bool { return strings.HasPrefix(suffix, p) })
}

// compare orders versions: -1 if v comes before w, 1 after. 20.2 and 20.2.0 are the same.
func (v version) compare(w version) int {
	for i := range max(len(v.numbers), len(w.numbers)) {
		if c := cmp.Compare(v.number(i), w.number(i)); c != 0 {
			return c
		}
	}
	switch {
	case v.preRelease == w.preRelease:
		return 0
	case v.preRelease:
		return -1
	}
	return 1
}

func (v version) number(i int) uint32 {
	if i < len(v.numbers) {
		return v.numbers[i]
	}
	return 0
}
