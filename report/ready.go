package report

import "slices"

// maxInstanceID bounds an instance's id: i- and 17 digits, or 8 of old ones.
const maxInstanceID = 32

// readyInstances are the ids of instances on which version 2 can be required now and,
// as far as is known, is not yet. They are put into commands: what a log or a list
// gives for an id and a shell might take for more is left out.
func readyInstances(hosts []Host) []string {
	ready := []string{}
	for i := range hosts {
		h := &hosts[i]
		if h.Verdict.Status == Ready && isInstanceID(h.Instance) && (h.Listed == nil || !h.Listed.done) {
			ready = append(ready, h.Instance)
		}
	}
	slices.Sort(ready)
	return slices.Compact(ready)
}

func isInstanceID(s string) bool {
	const prefix = "i-"
	if len(s) <= len(prefix) || len(s) > maxInstanceID || s[:len(prefix)] != prefix {
		return false
	}
	for _, c := range []byte(s) {
		if c != '-' && !('0' <= c && c <= '9') && !('a' <= c && c <= 'z') {
			return false
		}
	}
	return true
}
