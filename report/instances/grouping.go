package instances

import (
	"fmt"
	"strings"
)

// Grouping is by what instances belong together: image, asg, tag:NAME or, if it is
// empty, the auto scaling group of those that have one, and the image of others.
type Grouping string

const (
	byImage  = "image"
	byASG    = "asg"
	byTag    = "tag:"
	asgTag   = "aws:autoscaling:groupName" // which EC2 Auto Scaling sets on its instances
	anything = Grouping("")
)

// Group is what an instance belongs to.
type Group struct {
	By   string // image, asg or tag:NAME
	Name string // empty if it has no such thing
}

// ParseGrouping reads a Grouping. The error says what can be asked for.
func ParseGrouping(text string) (Grouping, error) {
	tag, isTag := strings.CutPrefix(text, byTag)
	switch {
	case text == byImage, text == byASG, isTag && tag != "":
		return Grouping(text), nil
	}
	return "", fmt.Errorf("image, asg or tag:NAME, not %q", text)
}

func (g Grouping) of(d *described) Group {
	tag, isTag := strings.CutPrefix(string(g), byTag)
	asg := d.tag(asgTag)
	switch {
	case isTag:
		return Group{string(g), d.tag(tag)}
	case g == byASG, g == anything && asg != "":
		return Group{byASG, asg}
	}
	return Group{byImage, d.ImageID}
}
