package output

import (
	"cmp"
	"path"
	"strings"

	"imds-analyzer/identity"
)

// Title tells a script from the others of its interpreter, as that is told what to
// run; empty if there is none.
func (s *Script) Title() string {
	name := cmp.Or(s.Path, s.Name)
	switch identity.ScriptKind(s.Kind) {
	case identity.Module:
		return moduleTitle + name
	case identity.Jar:
		return jarTitle + name
	case identity.Commands:
		return commandsTitle
	}
	return name
}

// How the titles of scripts begin that are no files or classes.
const (
	moduleTitle   = "-m "
	jarTitle      = "-jar "
	commandsTitle = "with commands"
)

// readTitle is the way back from a title. That of a class is one of a file, too.
func readTitle(title string) identity.Script {
	s := identity.Script{Kind: identity.ScriptFile, Name: title}
	switch {
	case title == commandsTitle:
		return identity.Script{Kind: identity.Commands}
	case strings.HasPrefix(title, moduleTitle):
		s.Kind, s.Name = identity.Module, title[len(moduleTitle):]
	case strings.HasPrefix(title, jarTitle):
		s.Kind, s.Name = identity.Jar, title[len(jarTitle):]
	}
	if s.Kind != identity.Module && path.IsAbs(s.Name) {
		s.Path = s.Name
	}
	return s
}

// StartedBy is the title of the script that the nearest ancestor runs which runs one; empty
// if none does.
func (e *Entry) StartedBy() string {
	for i := range e.IMDS.Ancestors {
		if script := e.IMDS.Ancestors[i].Script; script != "" {
			return script
		}
	}
	return ""
}
