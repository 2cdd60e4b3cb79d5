package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// The document's form is SPDX 2.3: https://spdx.github.io/spdx-spec/v2.3/, with the names
// in JSON of https://github.com/spdx/spdx-spec/blob/v2.3/schemas/spdx-schema.json.

// document is one.
type document struct {
	Version       string         `json:"spdxVersion"`
	License       string         `json:"dataLicense"` // of the document itself
	ID            string         `json:"SPDXID"`
	Name          string         `json:"name"`
	Namespace     string         `json:"documentNamespace"` // a URI of its own, which leads nowhere
	Creation      creation       `json:"creationInfo"`
	Packages      []described    `json:"packages"`
	Relationships []relationship `json:"relationships"`
}

type creation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

// described is a package of SPDX, which is anything that has a version.
type described struct {
	ID            string      `json:"SPDXID"`
	Name          string      `json:"name"`
	Version       string      `json:"versionInfo"`
	File          string      `json:"packageFileName,omitempty"`
	Purpose       string      `json:"primaryPackagePurpose"`
	From          string      `json:"downloadLocation"`
	FilesAnalyzed bool        `json:"filesAnalyzed"` // whether its files are listed, too
	Sums          []checksum  `json:"checksums,omitempty"`
	References    []reference `json:"externalRefs,omitempty"`
}

type checksum struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"checksumValue"`
}

type reference struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type relationship struct {
	From string `json:"spdxElementId"`
	Kind string `json:"relationshipType"`
	To   string `json:"relatedSpdxElement"`
}

const (
	documentID = "SPDXRef-DOCUMENT"
	binaryID   = "SPDXRef-Binary"
	notTold    = "NOASSERTION" // unknown, in SPDX
)

// newDocument lists the parts of a binary: the toolchain's library first, then modules in
// the order of their paths, then what else is linked.
func newDocument(b binary) document {
	d := document{
		Version:   "SPDX-2.3",
		License:   "CC0-1.0",
		ID:        documentID,
		Name:      b.file,
		Namespace: "https://spdx.org/spdxdocs/" + b.file + "-" + b.sum,
		Creation:  creation{b.created.UTC().Format(time.RFC3339), []string{"Tool: imds-analyzer-sbom"}},
		Packages: []described{{
			ID: binaryID, Name: b.module, Version: b.version, File: b.file,
			Purpose: "APPLICATION", From: notTold, Sums: sums(b.sum),
		}},
		Relationships: []relationship{{documentID, "DESCRIBES", binaryID}},
	}
	for i, p := range b.parts() {
		id := fmt.Sprintf("SPDXRef-Part-%d", i+1)
		d.Packages = append(d.Packages, p.described(id))
		d.Relationships = append(d.Relationships, relationship{binaryID, "STATIC_LINK", id})
	}
	return d
}

// parts are all parts. The toolchain's own is known by the name stdlib to those who look
// for its faults, with a version that does not begin with go.
func (b binary) parts() []part {
	goes := strings.TrimPrefix(b.goes, "go")
	parts := []part{{name: "stdlib", version: goes, url: goURL("stdlib", goes)}}
	return append(append(parts, b.modules...), b.linked...)
}

func (p part) described(id string) described {
	from := p.from
	if from == "" {
		from = notTold
	}
	return described{
		ID: id, Name: p.name, Version: p.version, Purpose: "LIBRARY", From: from, Sums: sums(p.sum),
		References: []reference{{"PACKAGE-MANAGER", "purl", p.url}},
	}
}

// sums is a list of no or one SHA-256.
func sums(sha256 string) []checksum {
	if sha256 == "" {
		return nil
	}
	return []checksum{{"SHA256", sha256}}
}

// write writes the document for people and programs.
func write(out io.Writer, d document) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(d)
}
