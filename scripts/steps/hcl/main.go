// Command hcl reads Terraform files with HashiCorp's own parser, and writes what blocks
// and attributes are in them as JSON: one line a file.
//
//	hcl FILE...
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

type body struct {
	Attributes map[string]string `json:"attributes"`
	Blocks     []block           `json:"blocks"`
}

type block struct {
	Type   string   `json:"type"`
	Labels []string `json:"labels"`
	Body   body     `json:"body"`
}

func main() {
	out := json.NewEncoder(os.Stdout)
	for _, file := range os.Args[1:] {
		read, err := parse(file)
		if err == nil {
			err = out.Encode(read)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "hcl:", err)
			os.Exit(1)
		}
	}
}

func parse(file string) (body, error) {
	read, problems := hclparse.NewParser().ParseHCLFile(file)
	if problems.HasErrors() {
		return body{}, problems
	}
	return bodyOf(read.Body.(*hclsyntax.Body))
}

func bodyOf(b *hclsyntax.Body) (body, error) {
	read := body{Attributes: map[string]string{}, Blocks: []block{}}
	for name, attribute := range b.Attributes {
		text, err := textOf(attribute)
		if err != nil {
			return body{}, err
		}
		read.Attributes[name] = text
	}
	for _, inner := range b.Blocks {
		innerBody, err := bodyOf(inner.Body)
		if err != nil {
			return body{}, err
		}
		read.Blocks = append(read.Blocks, block{inner.Type, inner.Labels, innerBody})
	}
	return read, nil
}

// textOf evaluates an attribute, which has to be a literal.
func textOf(a *hclsyntax.Attribute) (string, error) {
	value, problems := a.Expr.Value(&hcl.EvalContext{})
	if problems.HasErrors() {
		return "", problems
	}
	text, err := convert.Convert(value, cty.String)
	if err != nil {
		return "", fmt.Errorf("%s: %w", a.Name, err)
	}
	return text.AsString(), nil
}
