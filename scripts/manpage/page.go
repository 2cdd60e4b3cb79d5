package main

import (
	"io"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// page is what a manual page tells of.
type page struct {
	root    *cobra.Command
	version string
	date    time.Time
}

// writePage writes a text in the language of man(7) with what it asks for by
// {{options}}, {{commands}}, {{examples}}, {{version}} and {{date}}.
func writePage(out io.Writer, text string, p page) error {
	parsed, err := template.New("page").Funcs(template.FuncMap{
		"options":  func() string { return options(p.root) },
		"commands": func() string { return commands(p.root) },
		"examples": func() string { return literal(p.root.Example) },
		"version":  func() string { return escape(p.version) },
		"date":     func() string { return p.date.Format(time.DateOnly) },
	}).Parse(text)
	if err != nil {
		return err
	}
	return parsed.Execute(out, nil)
}

// commands tells of each command in a section of its own.
func commands(root *cobra.Command) string {
	var sections []string
	for _, command := range root.Commands() {
		if command.IsAvailableCommand() {
			sections = append(sections, section(command))
		}
	}
	return strings.Join(sections, "\n")
}

func section(command *cobra.Command) string {
	parts := []string{".SS " + quoted(command.UseLine()), sentence(command.Short)}
	if command.Long != "" && !command.HasSubCommands() {
		parts = append(parts, ".PP", paragraphs(command.Long))
	}
	for _, below := range command.Commands() {
		parts = append(parts, ".TP", ".B "+escape(below.CommandPath()), sentence(below.Short))
	}
	if command.HasAvailableLocalFlags() {
		parts = append(parts, options(command))
	}
	if command.Example != "" {
		parts = append(parts, ".PP", literal(command.Example))
	}
	return strings.Join(parts, "\n")
}

// options lists the flags of a command in their order. That --help is one goes without
// saying.
func options(command *cobra.Command) string {
	var list []string
	command.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Name != "help" {
			list = append(list, option(f))
		}
	})
	return strings.Join(list, "\n")
}

func option(f *pflag.Flag) string {
	argument, usage := pflag.UnquoteUsage(f)
	tag := `\fB` + escape("--"+f.Name) + `\fR`
	if f.Shorthand != "" {
		tag = `\fB` + escape("-"+f.Shorthand) + `\fR, ` + tag
	}
	if argument != "" {
		tag += ` \fI` + escape(argument) + `\fR`
	}
	return ".TP\n" + tag + "\n" + sentence(usage) + defaultOf(f)
}

// defaultOf says in a sentence what a flag is when it is not given, unless that is
// nothing, or its usage has said it.
func defaultOf(f *pflag.Flag) string {
	value := strings.Trim(f.DefValue, "[]")
	if slices.Contains([]string{"", "0", "0s", "false"}, value) || strings.Contains(f.Usage, "(default") {
		return ""
	}
	return " Default: " + escape(value) + "."
}

// sentence makes one of the words of a help text.
func sentence(words string) string {
	return escape(strings.ToUpper(words[:1]) + words[1:] + ".")
}

// paragraphs sets text anew whose paragraphs are set apart by empty lines.
func paragraphs(text string) string {
	return strings.ReplaceAll(escape(text), "\n\n", "\n.PP\n")
}

// literal is text that keeps its lines.
func literal(text string) string {
	return ".EX\n" + escape(text) + "\n.EE"
}

// quoted is one argument of a macro.
func quoted(text string) string { return `"` + escape(strings.ReplaceAll(text, `"`, "'")) + `"` }

// escape has text mean itself (groff(7)): a hyphen would be printed as one that cannot be
// searched for or pasted, and a line that begins with a dot or quote would be a request.
func escape(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
