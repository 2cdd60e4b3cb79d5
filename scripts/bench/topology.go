package main

// topology says in which network namespaces the service, its clients and the
// program that watches them stand, and what is between.
type topology struct {
	service, clients, watched string // names of namespaces
	cables                    []cable
	routes                    []route
	sysctls                   []sysctl
}

// cable is a pair of virtual interfaces.
type cable [2]plug

type plug struct {
	namespace, name string
	addresses       []string // with the length of the prefix
}

type route struct{ namespace, plug, destination string }

// sysctl is a variable, named by its path below /proc/sys/net.
type sysctl struct{ namespace, path, value string }

// serviceAddress is the metadata service's.
const serviceAddress = "169.254.169.254"

// direct has the clients and the service at the two ends of a cable. A client
// that closes first keeps its port for a minute: there have to be enough ports,
// and they are used again after a second (ip-sysctl.rst in the kernel's
// documentation), as they are on hosts that call a lot. 192.0.2.0/24 is for
// documentation (RFC 5737).
func direct() topology {
	return topology{
		service: "service", clients: "host", watched: "host",
		cables: []cable{{
			{"host", "bench0", []string{"192.0.2.1/30"}},
			{"service", "bench1", []string{"192.0.2.2/30", serviceAddress + "/32"}},
		}},
		routes: []route{{"host", "bench0", serviceAddress + "/32"}},
		sysctls: []sysctl{
			{"host", "ipv4/ip_local_port_range", "1024 65000"},
			{"host", "ipv4/tcp_tw_reuse", "1"},
		},
	}
}

// namespaces are the names of those that the cables connect.
func (t topology) namespaces() []string {
	var names []string
	seen := map[string]bool{}
	for _, c := range t.cables {
		for _, p := range c {
			if !seen[p.namespace] {
				names = append(names, p.namespace)
			}
			seen[p.namespace] = true
		}
	}
	return names
}
