package output

import "imds-analyzer/imds"

// cleanTexts are texts of late in which there is no secret, each in the place that its
// length and its end say: calls bring the same ones again and again.
type cleanTexts [cleanPlaces]string

// Texts up to maxClean bytes are remembered: 32 KiB of them, if nobody else holds them.
const (
	cleanPlaces = 1 << 7
	maxClean    = 256
)

// clean redacts what comes from the wire. The capture has done so already for
// the most part; here it is made sure of.
func (t *cleanTexts) clean(c *imds.Call) {
	r := &c.Request
	for _, s := range [...]*string{&r.Method, &r.Target, &r.Proto, &r.Host, &r.UserAgent, &c.Conn.Interface} {
		*s = t.redact(*s)
	}
}

func (t *cleanTexts) redact(s string) string {
	if s == "" {
		return s
	}
	known := &t[(len(s)+31*int(s[len(s)-1])+7*int(s[len(s)/2]))%cleanPlaces]
	if *known == s {
		return s
	}
	shown := imds.Redact(s)
	if shown == s && len(s) <= maxClean {
		*known = s
	}
	return shown
}
