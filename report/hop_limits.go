package report

// hopLimits are the least and the greatest hop limit that were seen, 0 if none was.
type hopLimits struct {
	Least    int `json:"least,omitempty"`
	Greatest int `json:"greatest,omitempty"`
	// Needed is the greatest that was needed to reach a client.
	Needed int `json:"needed,omitempty"`
}

func (l *hopLimits) add(seen, needed int) { l.merge(hopLimits{seen, seen, needed}) }

func (l *hopLimits) merge(o hopLimits) {
	if l.Least == 0 || o.Least != 0 && o.Least < l.Least {
		l.Least = o.Least
	}
	l.Greatest, l.Needed = max(l.Greatest, o.Greatest), max(l.Needed, o.Needed)
}
