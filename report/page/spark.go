package page

import (
	"math"
	"strconv"
	"time"

	"imds-analyzer/report"
)

// spark is the timeline of a host, as small as it can be written: paths in a box of
// 1,000 by 48, of 20 bytes a bar at most.
type spark struct {
	First, Last   time.Time
	V1, V2, Boots string
}

// Each version has half of the box, version 1 the upper one.
const (
	sparkWidth = 1000
	sparkHalf  = 24
)

// newSpark returns nil if there is nothing to be drawn.
func newSpark(t *report.Timeline) *spark {
	p := newPlot(t)
	if p == nil {
		return nil
	}
	s := &spark{First: p.First, Last: p.Last}
	for _, n := range p.Panels {
		switch n.Class {
		case "v1":
			s.V1 = sparkBars(&n, sparkHalf)
			for _, m := range n.Boots {
				s.Boots += "M" + sparkX(m.X) + " 0v" + strconv.Itoa(2*sparkHalf)
			}
		case "v2":
			s.V2 = sparkBars(&n, 2*sparkHalf)
		}
	}
	return s
}

// sparkBars are the bars of a panel, which stand at that height.
func sparkBars(n *panel, bottom int) (path string) {
	for _, b := range n.Bars {
		height := max(2, int(math.Round(b.Height/float64(n.Height)*(sparkHalf-2))))
		width := max(3, int(math.Round(b.Width/100*sparkWidth)))
		path += "M" + sparkX(b.X) + " " + strconv.Itoa(bottom) + "v-" + strconv.Itoa(height) + "h" + strconv.Itoa(width) + "v" + strconv.Itoa(height) + "z"
	}
	return path
}

func sparkX(percent float64) string { return strconv.Itoa(int(math.Round(percent / 100 * sparkWidth))) }
