package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// topology says in which network namespaces the service, its clients and the
// program that watches them stand, and what is between.
type topology struct {
	services   []string // names of namespaces
	watched    string   // the name of the host's
	bridges    []bridge
	cables     []cable
	routes     []route
	sysctls    []sysctl
	masquerade string      // the host's interface that hides what it forwards behind its own address
	containers []container // in which clients run; none: on the host
}

// bridge is a virtual switch, to which plugs are connected.
type bridge struct {
	namespace, name string
	addresses       []string
}

// cable is a pair of virtual interfaces.
type cable [2]plug

type plug struct {
	namespace, name string
	addresses       []string // with the length of the prefix
	bridge          string   // that it is connected to, in the same namespace
}

// route is one through a gateway or, without, to what is at the end of the cable.
type route struct{ namespace, plug, destination, gateway string }

// sysctl is a variable, named by its path below /proc/sys/net.
type sysctl struct{ namespace, path, value string }

// container is a pid and a mount namespace, in a network namespace that it may
// share with others, and a cgroup.
type container struct{ namespace, id, cgroup string }

// serviceAddress is the metadata service's.
const serviceAddress = "169.254.169.254"

// The topologies by their names.
const (
	direct  = "direct"
	bridged = "bridge"
	routed  = "veth"
	own     = "own"
	guests  = "guests" // for containers that are added later
)

// topologyNames are those that calls are measured in, in this order.
var topologyNames = []string{direct, bridged, routed, own}

// newTopology has names and ids of its own at each call.
func newTopology(name string) topology {
	switch t := onHost(); name {
	case bridged:
		return t.withBridge()
	case routed:
		return t.withPods()
	case own:
		return t.withTasks()
	case guests:
		t = t.withGuests()
		t.givePorts("host", hostPorts)
		return t
	default:
		return t
	}
}

// onHost has the clients and the service at the two ends of a cable. A client
// that closes first keeps its port for a minute: there have to be enough ports,
// and they are used again after a second (ip-sysctl.rst in the kernel's
// documentation), as they are on hosts that call a lot. 192.0.2.0/24 is for
// documentation (RFC 5737), as are the containers' addresses.
func onHost() topology {
	t := topology{
		services: []string{"service"}, watched: "host",
		cables: []cable{{
			{"host", "bench0", []string{"192.0.2.1/30"}, ""},
			{"service", "bench1", []string{"192.0.2.2/30", serviceAddress + "/32"}, ""},
		}},
		routes: []route{{"host", "bench0", serviceAddress + "/32", ""}},
	}
	t.givePorts("host", "1024 65000")
	return t
}

func (t *topology) givePorts(namespace, ports string) {
	t.sysctls = append(t.sysctls,
		sysctl{namespace, "ipv4/ip_local_port_range", ports},
		sysctl{namespace, "ipv4/tcp_tw_reuse", "1"})
}

// bridgedContainers, behind one bridge.
const bridgedContainers = 4

// withBridge adds containers as Docker makes them: behind a bridge and address
// translation on the host.
func (t topology) withBridge() topology {
	t = t.withGuests()
	for i := range bridgedContainers {
		t.addBridged(fmt.Sprint("container", i), i)
	}
	return t
}

// withGuests adds a bridge for containers.
func (t topology) withGuests() topology {
	t.forward()
	t.bridges = []bridge{{"host", "docker0", []string{"198.51.100.1/24"}}}
	return t
}

// The ports of clients on a host with guests. Where a guest's connection has got
// the host's address and the same port, the kernel gives one of the host's own
// another port on its way out, and then no socket has the tuple on the wire.
const (
	hostPorts  = "1024 32767"
	guestPorts = "32768 65000"
)

// newGuest is what the ith guest adds: a container behind the bridge, or one with
// an interface of its own.
func newGuest(i int) (t topology) {
	namespace := fmt.Sprint("guest", i)
	if i%2 == 0 {
		t.addBridged(namespace, i)
		t.givePorts(namespace, guestPorts)
		return t
	}
	// 198.18.0.0/15 is for benchmarks (RFC 2544).
	port, address := fmt.Sprint("eni", i), fmt.Sprintf("198.18.%d.%d/32", i/256%256, i%256)
	t.cables = []cable{{{"service", port, nil, ""}, {namespace, "eth0", []string{address}, ""}}}
	t.routes = []route{{"service", port, address, ""}, {namespace, "eth0", serviceAddress + "/32", ""}}
	t.addContainer(namespace, "ecs/"+newID(16))
	return t
}

// forward has the host forward packets to the service, as its own.
func (t *topology) forward() {
	t.masquerade = "bench0"
	t.sysctls = append(t.sysctls, sysctl{"host", "ipv4/ip_forward", "1"})
}

// addBridged adds a container behind the bridge, with one of 250 addresses.
func (t *topology) addBridged(namespace string, i int) {
	t.cables = append(t.cables, cable{
		{"host", fmt.Sprint("port", i), nil, "docker0"},
		{namespace, "eth0", []string{fmt.Sprintf("198.51.100.%d/24", 2+i%250)}, ""},
	})
	t.routes = append(t.routes, route{namespace, "eth0", anywhere, "198.51.100.1"})
	t.givePorts(namespace, "1024 65000")
	t.addContainer(namespace, "docker")
}

// anywhere is the destination of a default route.
const anywhere = "0.0.0.0/0"

// podSizes are how many containers are in each pod.
var podSizes = []int{2, 1, 2}

// podGateway is an address that no interface has: the host answers for it.
const podGateway = "169.254.1.1"

// withPods adds pods as the network plugins of Kubernetes make them: each with a
// cable of its own, to which the host has a route, and without a bridge. The
// containers of a pod share its network namespace.
func (t topology) withPods() topology {
	t.forward()
	// The host answers ARP for what it has a route to (arp(7), proxy_arp).
	t.routes = append(t.routes, route{"host", "bench0", podGateway + "/32", ""})
	for i, size := range podSizes {
		t.addPod(i, size)
	}
	return t
}

func (t *topology) addPod(i, size int) {
	namespace, port, address := fmt.Sprint("pod", i), fmt.Sprint("cali", i), fmt.Sprintf("203.0.113.%d/32", i+2)
	t.cables = append(t.cables, cable{{"host", port, nil, ""}, {namespace, "eth0", []string{address}, ""}})
	t.routes = append(t.routes,
		route{"host", port, address, ""},
		route{namespace, "eth0", podGateway + "/32", ""},
		route{namespace, "eth0", anywhere, podGateway})
	t.sysctls = append(t.sysctls,
		sysctl{"host", "ipv4/conf/" + port + "/proxy_arp", "1"},
		sysctl{"host", "ipv4/neigh/" + port + "/proxy_delay", "0"}) // answers at once
	t.givePorts(namespace, "1024 65000")
	id := newID(16)
	pod := strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-")
	for range size {
		t.addContainer(namespace, "kubepods/burstable/pod"+pod)
	}
}

// taskCables are the two ends' addresses.
var taskCables = [][2]string{{"10.0.0.1/30", "10.0.0.2/30"}, {"10.0.0.1/30", "10.0.0.2/30"}, {"10.0.0.5/30", "10.0.0.6/30"}}

// withTasks adds containers as Amazon ECS makes them in the mode awsvpc: each
// has an interface whose packets do not pass the host. The first two have the
// same address and few ports, so that their connections often have the same
// tuple. It takes as many services, for one cannot have two clients with the
// same address.
func (t topology) withTasks() topology {
	for i, addresses := range taskCables {
		namespace, service := fmt.Sprint("task", i), fmt.Sprint("service", i)
		t.services = append(t.services, service)
		t.cables = append(t.cables, cable{
			{service, "eni", []string{addresses[0], serviceAddress + "/32"}, ""},
			{namespace, "eth0", []string{addresses[1]}, ""},
		})
		t.routes = append(t.routes, route{namespace, "eth0", serviceAddress + "/32", ""})
		t.givePorts(namespace, taskPorts)
		t.addContainer(namespace, "ecs/"+newID(16))
	}
	return t
}

// taskPorts are enough for 1,000 connections a second: half of them are used
// before the others, and each again after a second.
const taskPorts = "32768 34815"

// addContainer adds one to a namespace, whose cgroup is below the parent's.
func (t *topology) addContainer(namespace, parent string) {
	id := newID(32)
	t.containers = append(t.containers, container{namespace, id, parent + "/" + id})
}

// newID is a random one, of twice as many hexadecimal digits.
func newID(bytes int) string {
	id := make([]byte, bytes)
	_, _ = rand.Read(id) // never fails
	return hex.EncodeToString(id)
}

// namespaces are the names of those that the cables connect.
func (t topology) namespaces() []string {
	var names []string
	for _, c := range t.cables {
		for _, p := range c {
			if !slices.Contains(names, p.namespace) {
				names = append(names, p.namespace)
			}
		}
	}
	return names
}
