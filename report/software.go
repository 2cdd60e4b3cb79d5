package report

import "strings"

// Software is what a program is, as far as its User-Agent or package tells.
type Software struct {
	Name    string `json:"name,omitempty"`
	Version string `json:"version,omitempty"`
	// Minimum is the first version that speaks version 2, if that is known.
	Minimum string `json:"minimum,omitempty"`
}

// softwareOf names the software of a program's most frequent User-Agent or package.
func softwareOf(p *program) Software {
	for _, agent := range p.UserAgents.sorted() {
		product, _, _ := strings.Cut(agent.Text, " ")
		if name, version, ok := strings.Cut(product, "/"); ok {
			return Software{Name: name, Version: version}
		}
	}
	for _, text := range p.Packages.sorted() {
		words := strings.Fields(text.Text)
		if len(words) == 3 {
			return Software{Name: words[0], Version: words[1]}
		}
	}
	return Software{}
}

// String is name and version.
func (s Software) String() string { return joinKnown(" ", s.Name, s.Version) }
