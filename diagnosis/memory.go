package diagnosis

import "container/list"

const (
	// maxRemembered bounds the keys under which something is remembered. A client has
	// up to four, so that 2,048 clients are followed at least. With maxItems a memory
	// takes 8,192 × 4 × 250 bytes at most, 8 MiB.
	maxRemembered = 8 << 10
	// maxItems bounds what is remembered under one key: the clients of one process,
	// script or connection, or the processes behind one User-Agent.
	maxItems = 4
)

// memory holds a few items under each key. The keys that were asked for least
// recently are forgotten first. The zero value is empty.
type memory struct {
	places map[key]*list.Element
	order  list.List // of *place, the latest first
}

type place struct {
	key   key
	items []item
}

func (m *memory) empty() bool { return len(m.places) == 0 }

// at returns what is remembered under a key, nil if nothing is.
func (m *memory) at(k key) *place {
	e, ok := m.places[k]
	if !ok {
		return nil
	}
	m.order.MoveToFront(e)
	return e.Value.(*place)
}

// make is at that makes room.
func (m *memory) make(k key) *place {
	if p := m.at(k); p != nil {
		return p
	}
	if m.places == nil {
		m.places = make(map[key]*list.Element)
	}
	if len(m.places) >= maxRemembered {
		m.forget(m.order.Back())
	}
	p := &place{key: k}
	m.places[k] = m.order.PushFront(p)
	return p
}

func (m *memory) forget(e *list.Element) {
	delete(m.places, m.order.Remove(e).(*place).key)
}

// add remembers an item as the latest of its place, instead of the oldest if there
// is no room.
func (p *place) add(i item) {
	if len(p.items) >= maxItems {
		p.items = append(p.items[:0], p.items[1:]...)
	}
	p.items = append(p.items, i)
}

// maxMarks bounds the clients whose accepted tokens are remembered: 64 KiB.
const maxMarks = 8 << 10

// marks remember the numbers that were set last. Of two that share a place the
// later one stays.
type marks [maxMarks]uint64

func (m *marks) set(number uint64)      { m[number%maxMarks] = number }
func (m *marks) unset(number uint64)    { m[number%maxMarks] = 0 }
func (m *marks) has(number uint64) bool { return m[number%maxMarks] == number }
