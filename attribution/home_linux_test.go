package attribution

import "testing"

// Of handshakes on the same tuple in several network namespaces it is the one
// whose packets are seen here.
func TestHandshakesInSeveralNamespaces(t *testing.T) {
	const here, there, elsewhere = "net:[1]", "net:[2]", "net:[3]"
	const local, remote = "127.0.0.1:1000", "203.0.113.7:1000" // ours, and not (RFC 5737)
	for _, test := range []struct {
		name, client string
		networks     []string // in which the processes 1, 2, ... have a handshake
		pid          int      // 0 if there is no telling
	}{
		{"one", remote, []string{there}, 1},
		{"another's, from an address of ours: the one that is meant is still to come", local, []string{there}, 0},
		{"ours, from an address that is not any more", remote, []string{here}, 1},
		{"ours and another's, from an address of ours", local, []string{there, here}, 2},
		{"ours and another's, from an address that is not ours, or not any more", remote, []string{there, here}, 0},
		{"two others'", remote, []string{there, elsewhere}, 0},
		{"two of ours", local, []string{here, here}, 0},
		{"one that is not known", local, []string{here, ""}, 0},
		{"one that is not known beside one that it is not", local, []string{there, ""}, 2},
	} {
		tp := &tracepoint{tracker: newTracker(true), home: home{name: here}}
		for i, name := range test.networks {
			read := &reading{process: Process{PID: i + 1}, network: name}
			tp.tracker.handshakes.remember(&handshake{tuple: tuple(test.client, "169.254.169.254:80"), pid: i + 1, began: 100, end: 200, read: read})
		}
		h, ambiguous := tp.handshakeOf(tuple(test.client, "169.254.169.254:80"), 150)
		if pid := pidOfHandshake(h); pid != test.pid || ambiguous != (test.pid == 0 && len(test.networks) > 1) {
			t.Errorf("%s: %d, ambiguous %v", test.name, pid, ambiguous)
		}
	}
}

func pidOfHandshake(h *handshake) int {
	if h == nil {
		return 0
	}
	return h.pid
}

// Packets are a process's if they can have come by where they were captured.
func TestCaptures(t *testing.T) {
	const here, followed, other, third, later = "net:[1]", "net:[2]", "net:[3]", "net:[4]", "net:[5]"
	const end = 1000
	const local, remote = "127.0.0.1:1000", "203.0.113.7:1000" // ours, and not (RFC 5737)
	for _, test := range []struct {
		name, home, captured, from, client string
		want                               bool
	}{
		{"ours, by our address", here, "", here, local, true},
		{"ours, by an address that is not any more", here, "", here, remote, true},
		{"another's, by our address", here, "", other, local, false},
		{"another's, by its address", here, "", other, remote, true},
		{"one that is captured itself, by its address", here, "", followed, remote, false},
		{"one that is captured itself, there", here, followed, followed, remote, true},
		{"one that is captured itself, there, by our address", here, followed, followed, local, true},
		{"one that is captured itself, in another", here, third, followed, remote, false},
		{"ours, in another", here, followed, here, remote, false},
		{"one that is not captured, in one that is", here, followed, other, remote, true},
		{"not known, ours", here, "", "", remote, true},
		{"not known, another's", here, followed, "", remote, true},
		{"ours is not known", "", "", other, local, true},
		{"one whose name is that of one that is captured itself since", here, "", later, remote, true},
	} {
		tp := &tracepoint{home: home{name: test.home, addresses: readAddresses()}, networks: followerOf(followed, later)}
		tp.networks.known[followed].since, tp.networks.known[later].since = end, end+1
		h := &handshake{tuple: tuple(test.client, "169.254.169.254:80"), read: &reading{network: test.from}, end: end}
		if got := tp.captures(test.captured, h); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

// Where a process was is not known if nothing was read of it, or in vain.
func TestNetworkOfHandshake(t *testing.T) {
	for _, test := range []struct {
		read *reading
		want string
	}{{nil, ""}, {&reading{network: "net:[1]"}, "net:[1]"}, {&reading{network: "net:[1]", doubted: true}, ""}} {
		if got := (&handshake{read: test.read}).network(); got != test.want {
			t.Errorf("%+v: %q", test.read, got)
		}
	}
}
