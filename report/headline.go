package report

import "fmt"

// Headline is the verdict in a sentence.
func (r *Report) Headline() string {
	since := SinceText(r.Criteria.Since)
	switch r.Verdict.Status {
	case NotReady:
		return "Not ready: IMDSv1 " + r.inTheWay() + "."
	case NotEnough:
		ignored, but := r.butIgnored(), ", but"
		if ignored != "" {
			but = ", and"
		}
		return "Not enough evidence: nothing was seen" + since + " that needs IMDSv1" + ignored + but + " that does not prove much" + r.on(r.hostsThat(NotEnough)) + "."
	}
	return "Ready: nothing was seen" + since + " that needs IMDSv1" + r.butIgnored() + ". It " + r.canBeOff() + "."
}

// inTheWay says on which hosts what was seen is in the way, and on which it is too late
// for that.
func (r *Report) inTheWay() string {
	off := r.hostsOff(NotReady)
	switch not := r.hostsThat(NotReady) - off; {
	case off == 0:
		return "cannot be switched off yet" + r.on(not)
	case not == 0:
		return "is off already" + r.on(off) + ", but programs were seen that need it"
	default:
		return fmt.Sprintf("cannot be switched off yet%s, and is off already on %d where programs were seen that need it", r.on(not), off)
	}
}

// canBeOff says what is left to do where nothing is in the way.
func (r *Report) canBeOff() string {
	switch r.hostsOff(Ready) {
	case 0:
		return "can be switched off"
	case len(r.Hosts):
		return "is off already"
	}
	return "can be switched off where it is not yet"
}

// on is " on 2 of 3 hosts", unless it is all of them or none is known.
func (r *Report) on(n int) string {
	if n == 0 || n == len(r.Hosts) {
		return ""
	}
	return fmt.Sprintf(" on %d of %d hosts", n, len(r.Hosts))
}

// butIgnored says that there is something that the verdict passes over.
func (r *Report) butIgnored() string {
	for i := range r.Programs {
		if p := &r.Programs[i]; p.Ignored && p.counts {
			return ", but for the programs that are ignored"
		}
	}
	return ""
}

func (r *Report) hostsThat(s Status) (n int) {
	for i := range r.Hosts {
		if r.Hosts[i].Verdict.Status == s {
			n++
		}
	}
	return n
}

// hostsOff are those of them on which version 1 is off already.
func (r *Report) hostsOff(s Status) (n int) {
	for i := range r.Hosts {
		if r.Hosts[i].Verdict.Status == s && r.Hosts[i].off() {
			n++
		}
	}
	return n
}
