package report

import (
	"strings"

	"imds-analyzer/diagnosis"
	"imds-analyzer/identity"
	"imds-analyzer/output"
)

// Software is what a program is, as far as its User-Agents, packages and images tell.
type Software struct {
	Name    string `json:"name,omitempty"`
	Version string `json:"version,omitempty"`
	// Minimum is the first version that speaks version 2, if that is known.
	Minimum string `json:"minimum,omitempty"`
	// Note is what else there is to know, Source where the minimum is from.
	Note   string `json:"note,omitempty"`
	Source string `json:"source,omitempty"`
	// Setting is how its fallback to version 1 is switched off, in the words of its own
	// documentation at SettingSource. SettingSince is the first version that has it, if
	// that is known, and SettingNote says which versions do not, unless this one does.
	// Versions that are too old for version 2 have none.
	Setting       string `json:"setting,omitempty"`
	SettingSource string `json:"setting_source,omitempty"`
	SettingSince  string `json:"setting_since,omitempty"`
	SettingNote   string `json:"setting_note,omitempty"`
}

// softwareOf names the software of a program: the first that is too old for version 2,
// or else the first that is known, or else what a User-Agent or a package says.
func softwareOf(p *program) (found Software) {
	known := false
	for agent, i := range p.appearances() {
		s, ok := diagnosis.Recognise(agent, i)
		if ok && (s.Old || !known) {
			found, known = softwareFrom(s), true
		}
		if s.Old {
			return found
		}
	}
	if !known {
		return unlistedSoftware(p)
	}
	return found
}

func softwareFrom(s diagnosis.Software) Software {
	told := Software{Name: s.Name, Version: s.Version, Minimum: s.Minimum, Note: s.Note, Source: s.Source}
	if !s.Old && s.Setting != "" {
		told.Setting, told.SettingSource, told.SettingSince, told.SettingNote = s.Setting, s.SettingSource, s.SettingSince, settingNote(s)
	}
	return told
}

// settingNote says which versions have the setting, unless this one is known to.
func settingNote(s diagnosis.Software) string {
	switch {
	case s.BeforeSetting:
		return "needs " + s.SettingSince + " or later"
	case s.SettingSince == "":
		return "older versions do not know it"
	case s.Version == "":
		return "since " + s.SettingSince
	}
	return ""
}

// settingText is the setting with what there is to note of it.
func (s Software) settingText() string {
	if s.SettingNote == "" {
		return s.Setting
	}
	return s.Setting + " (" + s.SettingNote + ")"
}

// appearances are the User-Agents with packages and images, as they may have come
// together, the most frequent first.
func (p *program) appearances() func(yield func(string, *identity.Identity) bool) {
	return func(yield func(string, *identity.Identity) bool) {
		for _, agent := range orNone(texts(&p.UserAgents)) {
			for _, pack := range orNone(texts(&p.Packages)) {
				for _, image := range orNone(texts(&p.Images)) {
					i := &identity.Identity{}
					i.Package.Name, i.Package.Version = packageOf(pack)
					i.Container.Image = image
					if !yield(agent, i) {
						return
					}
				}
			}
		}
	}
}

func orNone(texts []string) []string {
	if len(texts) == 0 {
		return []string{""}
	}
	return texts
}

// packageOf reads what packageText wrote.
func packageOf(text string) (name, version string) {
	words := strings.Fields(text)
	switch len(words) {
	case 0:
		return "", ""
	case 3:
		return words[0], words[1]
	}
	return words[0], ""
}

// unlistedSoftware is what a program says of itself, unless its packages tell that it
// pretends.
func unlistedSoftware(p *program) Software {
	for _, agent := range p.UserAgents.sorted() {
		if p.contradicts(agent.Text) {
			continue
		}
		product, _, _ := strings.Cut(agent.Text, " ")
		if name, version, ok := strings.Cut(product, "/"); ok {
			return Software{Name: name, Version: version}
		}
	}
	for _, text := range p.Packages.sorted() {
		if name, version := packageOf(text.Text); version != "" {
			return Software{Name: name, Version: version}
		}
	}
	return Software{}
}

// contradicts reports whether all that is known of the program is against the User-Agent.
func (p *program) contradicts(agent string) bool {
	for pack := range p.Packages.Counts {
		i := &identity.Identity{}
		if i.Package.Name, _ = packageOf(pack); !diagnosis.Contradicts(agent, i) {
			return false
		}
	}
	return len(p.Packages.Counts) > 0
}

// String is name and version.
func (s Software) String() string { return output.JoinKnown(" ", s.Name, s.Version) }
