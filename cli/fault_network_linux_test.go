//go:build faults

package cli_test

import (
	"fmt"
	"os/exec"
	"testing"
)

// relay makes the host's interface anew: its name stays, its number does not.
func (f *fault) relay(t *testing.T) {
	t.Helper()
	f.site.host.ip(t, "link del "+hostInterface)
	layCable(t, f.site.host, f.site.far, faultService, service6)
}

// captureOn are the ways to name what is captured.
var captureOn = [][]string{{"-i", "any"}, {"-i", hostInterface}, {"-i", "lo", "-i", hostInterface}}

func TestFaultInterfaces(t *testing.T) {
	for _, on := range captureOn {
		for _, test := range []struct {
			what   string
			gone   int // how often an interface of the name was not there
			happen func(t *testing.T, f *fault)
		}{
			{"down, and up again", 0, func(t *testing.T, f *fault) {
				f.site.host.ip(t, "link set cable0 down\nlink set cable0 up\nroute add 169.254.169.21 dev cable0")
			}},
			{"removed, and made anew", 1, func(t *testing.T, f *fault) { f.relay(t) }},
			{"removed and made anew, five times", 5, func(t *testing.T, f *fault) {
				for range 5 {
					f.relay(t)
					f.call(t)
				}
			}},
			{"its address removed, and added again", 0, func(t *testing.T, f *fault) {
				f.site.host.ip(t, "addr del 192.0.2.1/30 dev cable0\naddr add 192.0.2.1/30 dev cable0\nroute add 169.254.169.21 dev cable0")
			}},
		} {
			t.Run(on[len(on)-1]+" "+test.what, func(t *testing.T) {
				f := beginFault(t, test.what, on...)
				f.call(t)
				test.happen(t, f)
				f.call(t)
				f.logged(t)
				if test.gone == 0 || !isNamed(on) {
					f.end(t, 0)
				} else {
					f.end(t, 3)
					said := []string{"capture on cable0 is interrupted: ", "cable0 is there again"}
					if test.gone > 1 {
						said = append(said, "capture on cable0 was interrupted ")
					}
					f.checkSaid(t, said...)
				}
				f.checkWhole(t, 0)
				f.tell(t)
			})
		}
	}
}

// isNamed reports whether the capture is of the interface alone.
func isNamed(on []string) bool { return on[1] != "any" }

// What is captured by a name is not what has another one. Those calls are counted.
func TestFaultInterfaceRenamed(t *testing.T) {
	for _, on := range captureOn {
		t.Run(on[len(on)-1], func(t *testing.T) {
			f := beginFault(t, "renamed, a call, and named as before", on...)
			f.call(t)
			f.site.host.ip(t, "link set cable0 down\nlink set cable0 name other0\nlink set other0 up\nroute add 169.254.169.21 dev other0")
			if isNamed(on) {
				f.program.says(t, "capture on cable0 is interrupted")
			}
			f.call(t)
			f.site.host.ip(t, "link set other0 down\nlink set other0 name cable0\nlink set cable0 up\nroute add 169.254.169.21 dev cable0")
			if isNamed(on) {
				f.program.says(t, "cable0 is there again")
			}
			f.call(t)
			f.logged(t)
			if isNamed(on) {
				f.end(t, 3)
				f.checkSaid(t, "capture on cable0 is interrupted: ", "cable0 is there again")
			} else {
				f.end(t, 0)
				f.checkWhole(t, 0)
			}
			if missing := len(f.calls) - len(f.entries); f.counts.WithoutPackets == nil || *f.counts.WithoutPackets != uint64(missing) {
				t.Errorf("%d calls are missing: %+v", missing, f.counts)
			}
			f.tell(t)
		})
	}
}

// An interface that does not come back is no reason to end, nor to be taken for quiet.
func TestFaultInterfaceRemoved(t *testing.T) {
	f := beginFault(t, "removed for good", "-i", hostInterface)
	f.call(t)
	f.site.host.ip(t, "link del "+hostInterface)
	f.program.says(t, "capture on cable0 is interrupted")
	f.end(t, 3)
	f.checkWhole(t, 0)
	f.tell(t)
}

// Where another interface is captured than the calls take, they are counted.
func TestFaultOtherInterface(t *testing.T) {
	f := beginFault(t, "`-i lo`, and the calls are on another interface", "-i", "lo")
	f.call(t)
	f.call(t)
	f.end(t, 0)
	if n := f.counts.WithoutPackets; n == nil || *n != 2 || len(f.entries) != 0 {
		t.Errorf("%d entries, %+v", len(f.entries), f.counts)
	}
	f.tell(t)
}

// Interfaces come and go while calls are made on another one.
func TestFaultInterfacesInTraffic(t *testing.T) {
	for _, on := range captureOn {
		t.Run(on[len(on)-1], func(t *testing.T) {
			f := beginFault(t, "others made and removed 20 times during 300 calls", on...)
			stop, stopped := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(stopped)
				for range 20 {
					f.site.host.ip(t, "link add brief0 type veth peer name brief1\nlink set brief0 up\nlink set brief1 up\nlink del brief0")
				}
				<-stop
			}()
			f.load(t, 300)
			close(stop)
			<-stopped
			f.end(t, 0)
			f.checkWhole(t, 0)
			f.checkSaid(t)
			f.tell(t)
		})
	}
}

// hiddenFault is a site that is captured from another namespace, in its own.
func hiddenFault(t *testing.T, what string) (f *fault, end func()) {
	t.Helper()
	f = newFault(t, what)
	end = f.site.host.occupy(t)
	f.program = newNamespace(t).watchAll(t, f.arguments()...)
	eventually(t, "captured", func() bool { return f.site.host.isCaptured(t) })
	return f, end
}

// The interface of a container goes away, and comes back.
func TestFaultContainersInterface(t *testing.T) {
	f, end := hiddenFault(t, "a container's own interface removed, and made anew")
	defer end()
	f.call(t)
	f.relay(t)
	f.call(t)
	f.logged(t)
	f.end(t, 0)
	f.checkWhole(t, 0)
	f.checkSaid(t)
	f.tell(t)
}

// A container ends with all that it has, in the middle of a call. The next one is
// captured as it was.
func TestFaultContainersEnd(t *testing.T) {
	f, end := hiddenFault(t, "a container ends in the middle of a call, and another one comes")
	f.call(t)
	f.site.service.follow(rules{delay: patience})
	before := len(f.site.service.log.soFar())
	cmd := exec.Command(tool(t, "curl"), "-s", "-H", tokenHeader+": "+standInToken, fmt.Sprintf("http://%s/latest/meta-data/1", faultService))
	cmd.Env = plainEnvironment()
	if err := f.site.host.start(cmd); err != nil {
		t.Fatal(err)
	}
	broken := f.site.service.calls(t, before, 1)[0]
	f.calls = append(f.calls, made{broken, "curl", cmd.Process.Pid})
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	end()
	f.site.host.ip(t, "link del "+hostInterface)
	eventually(t, "left", func() bool { return !f.site.host.isCaptured(t) })

	next := newSiteWith(t, faultService)
	next.service.follow(rules{delay: lifeTime})
	defer next.host.occupy(t)()
	eventually(t, "captured", func() bool { return next.host.isCaptured(t) })
	f.site = next
	f.call(t)
	f.logged(t)
	f.end(t, 0)
	f.checkWhole(t, 0)
	f.checkSaid(t)
	f.tell(t)
}
