package diagnosis

import (
	"hash/maphash"
	"net/netip"
	"strings"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/imds"
)

// tupleWithin is how long the same ports are the same connection, where connections
// have no numbers: the least time that Linux keeps those of a closed one
// (TCP_TIMEWAIT_LEN).
const tupleWithin = time.Minute

// client is who made a call, as far as it is told from other clients.
type client struct {
	at      time.Time // when the call began
	host    string
	conn    *imds.Conn
	process process // zero if it is not known
	script  script  // zero if none has started it
	agent   string  // its User-Agent
	product string  // the name of the first product in that
	generic bool    // others have the same agent: it is a tool's or a library's, or empty
	shape   uint64
	proxied bool
	through string // whose call a proxy has passed on
}

// process tells processes apart.
type process struct {
	pid   int
	start time.Time // zero if it is not known; then the name tells more than the pid
	name  string
}

func (p *process) known() bool { return p.pid != 0 }

// clockStep is more than the starts of a process differ by that were read at
// different times: they are counted from the kernel's, and that is told by a clock
// which may have been set since. No pid comes round in that time.
const clockStep = 2 * time.Second

// differs reports whether two are known not to be the same.
func (p *process) differs(other *process) bool {
	switch {
	case !p.known() || !other.known():
		return false
	case p.pid != other.pid:
		return true
	case p.start.IsZero() || other.start.IsZero():
		return p.name != other.name
	}
	return p.start.Sub(other.start).Abs() > clockStep
}

// maxText bounds the texts that are remembered of a client.
const maxText = 256

func cut(s string) string { return s[:min(len(s), maxText)] }

func clientOf(e *Evidence) client {
	r := &e.Call.Request
	c := client{
		at:      r.Time,
		host:    e.Host,
		conn:    &e.Call.Conn,
		process: processOf(&e.Answer),
		agent:   cut(r.UserAgent),
		product: product(r.UserAgent),
		generic: r.UserAgent == "" || isGenericAgent(r.UserAgent),
		shape:   r.Shape,
		proxied: r.ForwardedFor,
		through: cut(r.ForwardedClient),
	}
	if c.process.known() && c.generic {
		c.script = scriptOf(e)
	}
	return c
}

// processOf takes what is proven alone. One that shares its socket with others is
// taken for the first of them, as each time.
func processOf(a *attribution.Answer) process {
	if a.Process == nil || a.Status != attribution.Resolved && a.Status != attribution.Shared {
		return process{}
	}
	return process{a.Process.PID, a.Process.Start, a.Process.Name}
}

// key is where what is known of a client is remembered: by one of its marks. A
// number stands for what the mark is made of; two of 64 bits are the same less
// often than memory fails.
type key struct {
	tie    Tie
	number uint64
}

// keys are those of one client, the strongest tie first.
type keys struct {
	all [5]key
	n   int
}

func (k *keys) list() []key { return k.all[:k.n] }

func (k *keys) add(tie Tie, number uint64) {
	k.all[k.n] = key{tie, number}
	k.n++
}

// address is what all clients at one address have in common.
type address struct {
	host, network string
	ip            [16]byte
	through       string
}

func (c *client) address() address {
	return address{c.host, c.conn.Network, c.conn.Client.Addr().As16(), c.through}
}

// keys lists a client's keys. Behind a proxy, process and connection are the
// proxy's: they tie only what has an agent of its own, by the same client of the
// proxy.
func (c *client) keys(seed maphash.Seed) (k keys) {
	if !c.proxied || !c.generic && c.through != "" {
		if c.process.known() {
			k.add(SameProcess, c.processes(seed))
		}
		k.add(SameConnection, c.connection(seed))
	}
	if c.script.known() && !c.proxied {
		k.add(SameScript, number(seed, struct {
			script
			host, product string
		}{c.script, c.host, c.product}))
	}
	switch {
	case !c.generic:
		k.add(SameUserAgent, number(seed, struct {
			address
			agent string
		}{c.address(), c.agent}))
	case c.shape != 0 && !c.isTool() && (!c.proxied || c.through != ""):
		k.add(SameMoment, number(seed, struct {
			address
			agent string
			shape uint64
		}{c.address(), c.agent, c.shape}))
	}
	if c.agent == "" || c.product == unnamedBefore {
		k.add(unnamed, number(seed, c.address()))
	}
	return k
}

// number returns a number for what a key is made of.
func number[T comparable](seed maphash.Seed, of T) uint64 { return maphash.Comparable(seed, of) }

// processes is the number of all processes that have ever had the client's pid.
func (c *client) processes(seed maphash.Seed) uint64 {
	return number(seed, struct {
		pid           int
		host, through string
	}{c.process.pid, c.host, c.through})
}

// connection is the number of the client's connection.
func (c *client) connection(seed maphash.Seed) uint64 {
	type end struct {
		ip   [16]byte
		port uint16
	}
	endOf := func(a netip.AddrPort) end { return end{a.Addr().As16(), a.Port()} }
	return number(seed, struct {
		id                     uint64
		host, network, through string
		client, service        end
	}{c.conn.ID, c.host, c.conn.Network, c.through, endOf(c.conn.Client), endOf(c.conn.Service)})
}

// unnamedBefore is the AWS SDK for JavaScript v2: it sends its token request
// without a User-Agent, and the calls that follow with one.
const unnamedBefore = "aws-sdk-nodejs"

// unnamed is the key of what has no User-Agent and of what unnamedBefore does.
const unnamed Tie = "unnamed"

// isTool: of these each run is a process of its own, so that two right after
// each other are not the same client.
func (c *client) isTool() bool {
	return strings.EqualFold(c.product, "curl") || strings.EqualFold(c.product, "wget")
}

// sameSoftware reports whether two User-Agents can be of one client in one process
// or on one connection. Of a library that names itself in some requests alone, the
// others have none.
func sameSoftware(a, b *client) bool {
	switch {
	case a.agent == "" && b.agent == "":
		return true
	case a.agent == "":
		return !b.generic
	case b.agent == "":
		return !a.generic
	}
	return a.product == b.product
}
