package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
	"github.com/spf13/pflag"

	"imds-analyzer/imds"
)

const (
	// defaultConfig is where the service has its configuration.
	defaultConfig = "/etc/imds-analyzer/config.yaml"
	// maxConfig bounds a configuration in bytes: ten times the one that is shipped, in
	// which each key is explained.
	maxConfig = 64 << 10
	// maxTokens bounds the words and signs of it: a list of 900 interfaces. The parser
	// takes time by their square where they are nested, 5 s for 60,000.
	maxTokens = 2 << 10
	// maxFaults bounds what is told of them.
	maxFaults = 20
)

// config is a configuration: YAML whose keys are the names of the main job's flags.
type config struct {
	file     string
	settings []setting
	faults   []fault
}

// setting is a key with its value, and the line of the key, from 1 on.
type setting struct {
	key   string
	line  int
	value ast.Node
	// texts are the value as the flag takes it, one after the other.
	texts []string
	// overridden: the command line has the flag.
	overridden bool
}

// fault is what is wrong in a line, from 1 on; in line 0 with the whole file.
type fault struct {
	line  int
	words string
}

// configError is all that is wrong in a configuration.
type configError struct {
	file   string
	faults []fault
}

func (e configError) Error() string { return strings.Join(e.lines(), "; ") }

// lines are "FILE:LINE: what is wrong".
func (e configError) lines() (lines []string) {
	for _, f := range e.faults[:min(maxFaults, len(e.faults))] {
		lines = append(lines, e.file+f.place()+": "+f.words)
	}
	if more := len(e.faults) - maxFaults; more > 0 {
		lines = append(lines, fmt.Sprintf("%s: and %d more", e.file, more))
	}
	return lines
}

func (f fault) place() string {
	if f.line == 0 {
		return ""
	}
	return fmt.Sprintf(":%d", f.line)
}

// configure gives the flags that the command line does not have the values of the
// configuration, if there is one. It fails with a configError.
func (o *options) configure(flags *pflag.FlagSet) (err error) {
	if !flags.Changed("config") {
		return nil
	}
	if o.config, err = openConfig(o.configFile); err != nil {
		return err
	}
	return o.config.set(flags)
}

// openConfig reads a configuration. What is wrong in it is among its faults.
func openConfig(name string) (*config, error) {
	if name == "" {
		return nil, usageError{errors.New("--config needs the name of a file")}
	}
	// Before it is opened: to open a pipe can take for ever.
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("cannot read the configuration: %s is no regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	if err := mistrust(info, os.Geteuid()); err != nil {
		return nil, fmt.Errorf("the configuration %s is refused: %w", name, err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	return parseConfig(name, text), nil
}

// parseConfig reads the text of a configuration.
func parseConfig(name string, text []byte) *config {
	c := &config{file: name}
	if len(text) > maxConfig {
		c.fault(0, "it has more than %d KiB", maxConfig>>10)
		return c
	}
	tokens := lexer.Tokenize(strings.TrimPrefix(string(text), "\ufeff"))
	if !c.mayParse(tokens) {
		return c
	}
	// Keys that are given twice are told with all other faults.
	parsed, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		c.fault(syntaxError(err))
		return c
	}
	for _, document := range parsed.Docs {
		c.document(document.Body)
	}
	return c
}

// mayParse finds what the parser takes too long for, and what it passes over: of a document
// behind another it does not always tell.
func (c *config) mayParse(tokens token.Tokens) bool {
	if len(tokens) > maxTokens {
		c.fault(tokens[maxTokens].Position.Line, "there is too much: a configuration has %d words and signs at most", maxTokens)
		return false
	}
	if at := slices.IndexFunc(tokens, func(t *token.Token) bool { return t.Type == token.DirectiveType }); at >= 0 {
		c.fault(tokens[at].Position.Line, "lines that begin with %% are not taken")
		return false
	}
	if second := secondDocument(tokens); second != nil {
		c.fault(second.Position.Line, "there is more than one YAML document")
		return false
	}
	return true
}

// secondDocument is the mark that begins another document, or what stands behind the end of
// the first; nil if there is one document.
func secondDocument(tokens token.Tokens) *token.Token {
	begun, ended := false, false
	for _, t := range tokens {
		switch t.Type {
		case token.CommentType:
		case token.DocumentEndType:
			ended = true
		case token.DocumentHeaderType:
			if begun || ended {
				return t
			}
			begun = true
		default:
			if ended {
				return t
			}
			begun = true
		}
	}
	return nil
}

// syntaxError returns where the parser failed and why.
func syntaxError(err error) (line int, words string) {
	if at := yaml.Error(nil); errors.As(err, &at) && at.GetToken() != nil {
		words := at.GetMessage()
		if strings.Contains(words, "'\t'") {
			words = "a tab stands where only blanks may"
		}
		return at.GetToken().Position.Line, "this is no YAML: " + words
	}
	return 0, "this is no YAML"
}

// document takes in the document of the file.
func (c *config) document(body ast.Node) {
	mapping, ok := body.(ast.MapNode)
	switch {
	case body == nil: // comments alone
	case !ok:
		c.fault(lineOf(body), "there have to be lines KEY: VALUE")
	default:
		for pairs := mapping.MapRange(); pairs.Next(); {
			c.pair(pairs.Key(), pairs.Value())
		}
	}
}

func (c *config) pair(key ast.MapKeyNode, value ast.Node) {
	name, ok := key.(*ast.StringNode)
	if !ok {
		c.fault(lineOf(key), "%q is no key: keys are the names of flags (see imds-analyzer --help)", key.GetToken().Value)
		return
	}
	s := setting{key: name.Value, line: lineOf(key), value: value}
	if first := slices.IndexFunc(c.settings, func(other setting) bool { return other.key == s.key }); first >= 0 {
		c.fault(s.line, "%s is given a second time, after line %d", s.key, c.settings[first].line)
		return
	}
	c.settings = append(c.settings, s)
}

func lineOf(n ast.Node) int { return n.GetToken().Position.Line }

func (c *config) fault(line int, format string, args ...any) {
	c.faults = append(c.faults, fault{line, imds.Redact(fmt.Sprintf(format, args...))})
}

// set gives the flags the values, unless the command line has. Values that it has better
// ones for are held to the same rules.
func (c *config) set(flags *pflag.FlagSet) error {
	var alone options
	tried := pflag.NewFlagSet("", pflag.ContinueOnError)
	alone.define(tried)
	for i := range c.settings {
		c.try(&c.settings[i], tried)
	}
	if err := c.err(); err != nil {
		return err
	}
	for i := range c.settings {
		s := &c.settings[i]
		if s.overridden = flags.Changed(s.key); s.overridden {
			continue
		}
		for _, text := range s.texts {
			if err := flags.Set(s.key, text); err != nil {
				return fmt.Errorf("cannot set --%s: %w", s.key, err)
			}
		}
	}
	return nil
}

// try holds a setting to what its flag takes.
func (c *config) try(s *setting, flags *pflag.FlagSet) {
	flag := flags.Lookup(s.key)
	if flag == nil || slices.Contains(noKeys(), s.key) {
		c.fault(s.line, "%s is no key: keys are the names of the flags for live captures (see imds-analyzer --help)", s.key)
		return
	}
	var words string
	if s.texts, words = textsOf(s.value, flag); words != "" {
		c.fault(s.line, "%s %s", s.key, words)
		return
	}
	for _, text := range s.texts {
		if strings.ContainsRune(text, 0) { // which nobody can give on a command line
			c.fault(s.line, "%s cannot have a character NUL", s.key)
		} else if err := flags.Set(s.key, text); err != nil {
			c.fault(s.line, "%s cannot be %q: %s", s.key, text, reasonFor(err, flag))
		}
	}
}

// noKeys are flags that a configuration does not have: it is for live captures, and
// names no other.
func noKeys() []string { return []string{"config", "read", "help"} }

// err is what is wrong, in the order of lines; nil if nothing is.
func (c *config) err() error {
	if len(c.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(c.faults, func(a, b fault) int { return a.line - b.line })
	return configError{c.file, c.faults}
}

// place says of an error of the flags' check which line of the configuration it is
// about, if it is the configuration that has the flag.
func (c *config) place(err error) error {
	var at flagError
	if c == nil || !errors.As(err, &at) {
		return err
	}
	for _, s := range c.settings {
		if s.key == at.flag && !s.overridden {
			return configError{c.file, []fault{{s.line, err.Error()}}}
		}
	}
	return err
}
