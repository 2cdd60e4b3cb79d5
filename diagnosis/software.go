package diagnosis

import (
	"slices"
	"strings"

	"imds-analyzer/identity"
)

// Software is a program or library of which it is known since which version it speaks
// version 2 of the service.
type Software struct {
	Name string
	// Version is empty if it is not known, or none whose place in the order can be told.
	Version string
	// Minimum is the first version that speaks version 2, empty if there is none.
	Minimum string
	// Source is the URL of where that is said; Note is what else there is to know.
	Source, Note string
	// Setting is how its fallback to version 1 is switched off, in the words of its own
	// documentation at the URL SettingSource; empty if no such setting is known.
	// SettingSince is the first version that has it, empty if that is not known;
	// BeforeSetting: this version comes before it.
	Setting, SettingSource, SettingSince string
	BeforeSetting                        bool
	// Capable: this version speaks version 2. Old: it does not. Where neither is true
	// it is not known.
	Capable, Old bool
	// Mixed: some of its calls are of version 1 although it speaks version 2.
	Mixed bool
}

// Recognise names the software that makes a call, by its User-Agent or, where that says
// nothing that can be so, by the packages of its executable and script, the package of the script that
// has started it, and its container's image.
// Either may be missing. It reports false if none of these is in the list.
func Recognise(userAgent string, i *identity.Identity) (Software, bool) {
	table := knownSoftware()
	if s, ok := table.byUserAgent(userAgent, i); ok || i == nil {
		return s, ok
	}
	for _, p := range [...]identity.Package{i.Script.Package, i.Package} {
		if row := table.ofPackage(p.Name); row != nil {
			return row.software(p.Version), true
		}
	}
	if row := table.ofPackage(i.Caller.Package.Name); row != nil && row.Scripts {
		return row.software(i.Caller.Package.Version), true
	}
	return table.byImage(userAgent, i.Container.Image)
}

// callerFinding says what has made a call of version 1: software that is too old, or new
// enough, or else a tool as scripts use it, and not a program or library with a name of its
// own. It reports false if that is not known.
func callerFinding(e *Evidence) (Finding, bool) {
	userAgent := e.Call.Request.UserAgent
	s, known := Recognise(userAgent, &e.Identity)
	switch {
	case s.Old:
		return OldSoftware, true
	case s.Capable:
		return V2Capable, true
	case !known && Tool(userAgent, e.Answer.Process) != "":
		return Script, true
	}
	return "", false
}

// byUserAgent judges all products that it knows, and that the process can be or have: one that is too old for version 2 is
// why the call is as it is.
func (t *softwareTable) byUserAgent(userAgent string, i *identity.Identity) (found Software, ok bool) {
	for name, version := range products(userAgent) {
		row := t.ofProduct(name, version)
		if row == nil || row.leavesItToOthers(userAgent) || !row.mayBe(i) {
			continue
		}
		s := row.software(version)
		if s.Old {
			return s, true
		}
		if !ok || s.Capable && !found.Capable {
			found, ok = s, true
		}
	}
	return found, ok
}

// leavesItToOthers reports whether the User-Agent names a library that makes the calls
// of this software.
func (r *softwareRow) leavesItToOthers(userAgent string) bool {
	if len(r.Uses) == 0 {
		return false
	}
	for name, version := range products(userAgent) {
		if version != "" && slices.ContainsFunc(r.Uses, func(library string) bool { return strings.EqualFold(library, name) }) {
			return true
		}
	}
	return false
}

// byImage judges by the tag of an image. A container can run other programs than that
// which it is named for: what curl and the like ask for there counts only for software
// whose calls those make.
func (t *softwareTable) byImage(userAgent, image string) (Software, bool) {
	name, tag := splitImage(image)
	row := t.ofImage(name)
	if row == nil || !row.Scripts && toolOf(userAgent) != "" {
		return Software{}, false
	}
	if v, ok := parseVersion(tag); ok && row.moves(v) {
		tag = "" // as 1.8 is any of 1.8.x
	}
	return row.software(tag), true
}

// moves reports whether a tag with fewer numbers than the minimum, or than an exception,
// may name a version on either side of it.
func (r *softwareRow) moves(tag version) bool {
	return !r.Never && (r.minimum.isWithin(tag) || slices.ContainsFunc(r.except, func(e version) bool { return e.isWithin(tag) }))
}

// isWithin reports whether it is one of those versions that a tag with fewer numbers names.
func (v version) isWithin(tag version) bool {
	return len(tag.numbers) < len(v.numbers) && slices.Equal(tag.numbers, v.numbers[:len(tag.numbers)])
}

// splitImage splits an image's name into repository and tag. A digest says nothing.
func splitImage(image string) (name, tag string) {
	image, _, _ = strings.Cut(image, "@")
	if colon := strings.LastIndexByte(image, ':'); colon > strings.LastIndexByte(image, '/') {
		return image[:colon], image[colon+1:]
	}
	return image, ""
}

// software judges a version.
func (r *softwareRow) software(text string) Software {
	s := Software{
		Name: r.Name, Minimum: r.Minimum, Source: r.Source, Note: r.Note, Mixed: r.Mixed,
		Setting: r.Setting, SettingSource: r.SettingSource, SettingSince: r.SettingSince,
	}
	v, ok := parseVersion(text)
	s.BeforeSetting = ok && r.SettingSince != "" && v.compare(r.since) < 0
	if ok {
		s.Version = text
	}
	switch {
	case r.Never:
		s.Old = true
	case !ok, v.preRelease && (version{numbers: v.numbers}).compare(r.minimum) == 0:
		// What comes just before the first version that speaks it may do so already.
	case v.compare(r.minimum) < 0, slices.ContainsFunc(r.except, func(e version) bool { return v.compare(e) == 0 }):
		s.Old = true
	default:
		s.Capable = true
	}
	return s
}
