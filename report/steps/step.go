// Package steps has what is to be done to require version 2 of the metadata service,
// as commands and templates that can be pasted.
package steps

// Step is one thing to do, with all ways of doing it.
type Step struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	// Text says what it does and to what, Warning what cannot be taken back or breaks.
	Text    string `json:"text"`
	Warning string `json:"warning,omitempty"`
	Ways    []Way  `json:"ways"`
	// Undo are the ways back; empty if there is none, or if nothing was changed.
	Undo []Way `json:"undo,omitempty"`
	// Placeholders are the words in Ways and Undo that are to be replaced.
	Placeholders []string `json:"placeholders,omitempty"`
	// Source is the URL of where this is documented.
	Source string `json:"source"`
}

// Way is a command, a template or a policy.
type Way struct {
	Name     string `json:"name"`     // such as AWS CLI or Terraform
	Language string `json:"language"` // sh, yaml, json, hcl or typescript
	Text     string `json:"text"`     // ends with a newline
}
