package output

import "fmt"

// maxSnaplen is the longest snaplen that capture programs take, and what tcpdump's
// -s 0 stands for (tcpdump(1)).
const maxSnaplen = 262144

// cut are the words of the summary for requests that the snaplen has cut, and
// for what to do: whoever made the capture can make another. A live capture's
// snaplen is the program's own.
func (c *CaptureStats) cut() []string {
	switch {
	case c.RequestsCut == 0:
		return nil
	case c.Live:
		return []string{c.countedCut()}
	case c.SnaplenNeeded > maxSnaplen:
		return []string{c.countedCut() + "; capture with tcpdump -s 0, which takes any packet whole"}
	}
	return []string{fmt.Sprintf("%s; capture with tcpdump -s %d or more, or with -s 0 (%d), which takes any packet whole",
		c.countedCut(), c.SnaplenNeeded, maxSnaplen)}
}

func (c *CaptureStats) countedCut() string {
	return counted(c.RequestsCut, "packet of a request", "packets of requests")
}
