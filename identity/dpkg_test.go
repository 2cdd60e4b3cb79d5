package identity

import (
	"slices"
	"strings"
	"testing"
)

func TestParseSearch(t *testing.T) {
	const bin, usr = "/bin/x", "/usr/bin/x"
	tests := []struct{ name, out, want string }{
		{"nothing", "", ""},
		{"one", "curl: /usr/bin/x\n", "curl"},
		{"by its other name", "bash: /bin/x\n", "bash"},
		{"by both names", "bash: /bin/x\nbash: /usr/bin/x\n", "bash"},
		{"others by each name", "bash: /bin/x\ndash: /usr/bin/x\n", ""},
		{"an architecture", "libc6:amd64: /usr/bin/x\n", "libc6:amd64"},
		{"two architectures", "libc6:amd64, libc6:i386: /usr/bin/x\n", "libc6:amd64"},
		{"several", "a1, b2: /usr/bin/x\n", ""},
		{"diverted by its owner", "diversion by dash from: /bin/x\ndiversion by dash to: /bin/x.distrib\ndash: /bin/x\n", "dash"},
		{"diverted from another", "diversion by b2 from: /bin/x\ndiversion by b2 to: /bin/y\na1, b2:arm64: /bin/x\n", "b2:arm64"},
		{"diverted, and not put there", "diversion by b2 from: /bin/x\ndiversion by b2 to: /bin/y\na1: /bin/x\n", ""},
		{"moved out of the way", "diversion by b2 from: /bin/y\ndiversion by b2 to: /bin/x\n", ""},
		{"moved over another", "diversion by b2 from: /bin/y\ndiversion by b2 to: /bin/x\na1: /bin/x\n", ""},
		{"diverted by the administrator", "local diversion from: /bin/x\nlocal diversion to: /bin/y\na1: /bin/x\n", ""},
		{"other files", "a1: /usr/bin/xx\nb2: /opt/usr/bin/x\n", ""},
	}
	for _, tt := range tests {
		if got, err := parseSearch(tt.out, []string{usr, bin}); got != tt.want || err != nil {
			t.Errorf("%s: %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
	for _, out := range []string{"Error -: /bin/x\n", "A: /bin/x", ", : /bin/x\n", "a:\x1b[31m: /bin/x", "-a: /bin/x"} {
		if got, err := parseSearch(out, []string{bin}); got != "" || err == nil {
			t.Errorf("%q: %q, %v", out, got, err)
		}
	}
}

func FuzzParseSearch(f *testing.F) {
	f.Add("diversion by dash from: /bin/x\ndiversion by dash to: /bin/x.distrib\ndash, bash:amd64: /bin/x\n", "/bin/x")
	f.Add("local diversion from: /a: b\n: /a: b\n", "/a: b")
	f.Fuzz(func(t *testing.T, out, name string) {
		owner, err := parseSearch(out, []string{name, "/usr" + name})
		if owner != "" && (err != nil || !isDebName(owner) || !strings.Contains(out, owner)) {
			t.Errorf("%q, %v", owner, err)
		}
	})
}

func TestParseShow(t *testing.T) {
	for out, want := range map[string]string{
		"installed\t7.88.1-10+deb12u5\n": "7.88.1-10+deb12u5",
		"unpacked\t1:2~rc1-3":            "1:2~rc1-3",
		"triggers-pending\t1\n":          "1",
		"half-installed\t1\n":            "", // some files are of another version
		"config-files\t1\n":              "",
	} {
		if got, err := parseShow(out); got != want || err != nil {
			t.Errorf("%q: %q, %v", out, got, err)
		}
	}
	for _, out := range []string{"", "installed", "installed\t1\ninstalled\t2\n", "installed\t1\x1b[31m", "installed\té"} {
		if got, err := parseShow(out); got != "" || err == nil {
			t.Errorf("%q: %q, %v", out, got, err)
		}
	}
}

func FuzzParseShow(f *testing.F) {
	f.Add("installed\t7.88.1-10+deb12u5\n")
	f.Add("half-installed\t1\n")
	f.Fuzz(func(t *testing.T, out string) {
		version, err := parseShow(out)
		if version != "" && (err != nil || strings.ContainsAny(version, " \t\n\x1b") || !strings.Contains(out, version)) {
			t.Errorf("%q, %v", version, err)
		}
	})
}

func TestParseOwners(t *testing.T) {
	for out, want := range map[string]Package{
		"":                               {},
		"curl\t7.76.1-29.el9\n":          {"curl", "7.76.1-29.el9", "rpm"},
		"shadow-utils\t2:4.9-8.el9\n":    {"shadow-utils", "2:4.9-8.el9", "rpm"},
		"bash\t0:5.1-1\n":                {"bash", "5.1-1", "rpm"},
		"glibc\t2.34-1\nglibc\t2.34-1\n": {"glibc", "2.34-1", "rpm"}, // two architectures
		"glibc\t2.34-1\nglibc\t2.35-1\n": {"glibc", "", "rpm"},
		"a\t1\nb\t1\n":                   {},
	} {
		if got, err := parseOwners(out); got != want || err != nil {
			t.Errorf("%q: %+v, %v", out, got, err)
		}
	}
	for _, out := range []string{"curl", "curl\t", "\t1", "a b\t1", "a\t1\t2", "a\t1\nerror: oops\n", "a\x1b\t1"} {
		if got, err := parseOwners(out); got != (Package{}) || err == nil {
			t.Errorf("%q: %+v, %v", out, got, err)
		}
	}
}

func FuzzParseOwners(f *testing.F) {
	f.Add("glibc\t2.34-1\nglibc\t0:2.34-1\n")
	f.Add("file /x is not owned by any package\n")
	f.Fuzz(func(t *testing.T, out string) {
		p, err := parseOwners(out)
		for _, text := range []string{p.Name, p.Version} {
			if text != "" && (err != nil || !isRPMText(text) || !strings.Contains(out, text)) {
				t.Errorf("%+v, %v", p, err)
			}
		}
		if p.Name == "" && p != (Package{}) {
			t.Errorf("%+v", p)
		}
	})
}

func TestPatternOf(t *testing.T) {
	if got := patternOf(`/a*b?[c]\d`); got != `/a\*b\?\[c]\\d` {
		t.Error(got)
	}
}

func TestSpellings(t *testing.T) {
	dir := t.TempDir()
	if got := spellings(dir); !slices.Equal(got, []string{dir}) {
		t.Errorf("%q", got)
	}
}
