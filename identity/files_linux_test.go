package identity

import (
	"strings"
	"testing"
	"time"
)

// A look that hangs is not waited for, many that do are not added to, and once one
// of them is done others are begun again.
func TestWithin(t *testing.T) {
	var f files
	answered := make(chan struct{})
	hangs := func() int { <-answered; return 1 }
	for range maxHung {
		if got, ok := within(&f, time.Millisecond, hangs); ok || got != 0 {
			t.Fatalf("%d, %v of what hangs", got, ok)
		}
	}
	begun := false
	if _, ok := within(&f, time.Minute, func() int { begun = true; return 2 }); ok || begun {
		t.Errorf("another look was begun: %v, %v", ok, begun)
	}
	want := "File systems did not answer within 1s (3 times), and were not asked meanwhile (1 times): "
	if said := limits(&files{}, &f); len(said) != 1 || !strings.HasPrefix(said[0], want) {
		t.Errorf("it says %q", said)
	}
	close(answered)
	for deadline := time.Now().Add(time.Minute); f.hung.Load() > 0; {
		if time.Now().After(deadline) {
			t.Fatal("what was answered counts as hanging still")
		}
	}
	if got, ok := within(&f, time.Minute, func() int { return 2 }); !ok || got != 2 {
		t.Errorf("%d, %v", got, ok)
	}
}

func TestFilesLimits(t *testing.T) {
	if said := limits(&files{}); said != nil {
		t.Errorf("it says %q of nothing", said)
	}
}

// While too many looks hang, nothing that others name is looked at, and the system's
// runtimes are as before.
func TestNothingIsLookedAt(t *testing.T) {
	i := New(Options{Root: "testdata/docker"})
	i.packages = newPackages(nil, &nobodys{})
	users := New(Options{Root: "testdata/docker-rootless"})
	for _, f := range []*files{&i.files, &i.packages.files, &i.runtimes.files, &users.runtimes.files} {
		f.hung.Store(maxHung)
	}
	p := processOf(t, "/bin/sh")
	p.Args, p.Cgroup = []string{"sh", "/bin/sh"}, "/docker/"+idA
	got := i.Identify(p)
	if got.Script.Path != "" || got.Script.Name != "/bin/sh" || got.Package != (Package{}) || got.Container.Name != "web" {
		t.Errorf("%+v", got)
	}
	if got := users.Workload(userManager + "/user.slice/docker-" + idA + ".scope").Container; got.Name != "" || got.ID != idA {
		t.Errorf("%+v", got)
	}
	for _, f := range []*files{&i.files, &i.packages.files, &users.runtimes.files} {
		if f.not.Load() != 1 {
			t.Errorf("%d looks were not begun", f.not.Load())
		}
	}
}
