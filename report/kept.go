package report

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"imds-analyzer/output"
)

// kept is what was taken in: programs and hosts.
type kept struct {
	hosts    map[string]*host
	programs map[programKey]*program
	// otherHosts and otherPrograms stand for those that there is no room for.
	otherHosts    *host
	otherPrograms *program
	since         time.Time // Options.Since
}

func newKept() *kept {
	return &kept{hosts: map[string]*host{}, programs: map[programKey]*program{}}
}

// otherHostsKey is no host's: keys have no blanks around them.
const otherHostsKey = " other hosts "

func (k *kept) host(key string) *host {
	if h, known := k.hosts[key]; known {
		return h
	}
	key = tidy(key)
	h, known := k.hosts[key]
	switch {
	case known:
		return h
	case key == otherHostsKey || len(k.hosts) == maxHosts:
		if k.otherHosts == nil {
			k.otherHosts = &host{Key: otherHostsKey, index: maxHosts}
		}
		return k.otherHosts
	}
	h = &host{Key: key, index: len(k.hosts)}
	k.hosts[key] = h
	return h
}

func (k *kept) program(key programKey) *program {
	if p, known := k.programs[key]; known {
		return p
	}
	key = key.tidy()
	p, known := k.programs[key]
	switch {
	case known:
		return p
	case len(k.programs) == maxPrograms:
		return k.others()
	}
	p = &program{Key: key}
	k.programs[key] = p
	return p
}

func (k *kept) others() *program {
	if k.otherPrograms == nil {
		k.otherPrograms = &program{}
	}
	return k.otherPrograms
}

func (k *kept) call(e *output.Entry, h *host) {
	h.call(e)
	k.program(keyOf(e)).call(e, h, k.since)
}

// merge takes in what else was taken in.
func (k *kept) merge(o *kept) {
	for _, h := range o.sortedHosts() {
		k.host(h.Key).merge(h)
	}
	for _, p := range o.sortedPrograms() {
		k.program(p.Key).mergeAll(p, k)
	}
	if o.otherPrograms != nil {
		k.others().mergeAll(o.otherPrograms, k)
	}
}

// mergeAll takes in a program with its hosts.
func (p *program) mergeAll(o *program, k *kept) {
	p.merge(o)
	for i := range o.shares {
		one := o.shares[i].since(k.since)
		p.share(k.host(one.host.Key)).merge(&one)
	}
}

// sortedHosts returns them by their keys, those that there was no room for last.
func (k *kept) sortedHosts() []*host {
	all := slices.SortedFunc(maps.Values(k.hosts), func(a, b *host) int { return cmp.Compare(a.Key, b.Key) })
	if k.otherHosts != nil {
		all = append(all, k.otherHosts)
	}
	return all
}

func (k *kept) sortedPrograms() []*program {
	return slices.SortedFunc(maps.Values(k.programs), func(a, b *program) int { return a.Key.compare(b.Key) })
}
