package main

import (
	"bufio"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// binary is what is known of one.
type binary struct {
	file    string // its name, without directories
	sum     string // SHA-256 of all of it, in hexadecimal digits
	version string
	created time.Time
	module  string // the path of its own module
	goes    string // the Go toolchain, go1.26.0
	modules []part
	linked  []part
}

// part is one that a binary is made of.
type part struct {
	name, version string
	url           string // package URL (purl), https://github.com/package-url/purl-spec
	from, sum     string // where its source is from, and its SHA-256; empty if not known
}

// readBinary reads what a binary tells of itself.
func readBinary(name string) (binary, error) {
	sum, err := sumOf(name)
	if err != nil {
		return binary{}, err
	}
	info, err := buildinfo.ReadFile(name)
	if err != nil {
		return binary{}, fmt.Errorf("%s: %w", name, err)
	}
	b := binary{file: filepath.Base(name), sum: sum, module: info.Main.Path, goes: info.GoVersion}
	for _, module := range info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		b.modules = append(b.modules, part{name: module.Path, version: module.Version, url: goURL(module.Path, module.Version)})
	}
	return b, nil
}

// sumOf returns the SHA-256 of a file, in hexadecimal digits.
func sumOf(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// goURL is the package URL of a module, whose path it takes as it is. A plus sign in a
// version (+incompatible) is encoded.
func goURL(path, version string) string {
	return "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
}

// readParts reads parts that are not Go's, one a line: name, version, package URL and, if
// they are known, where the source is from and its SHA-256.
func readParts(in io.Reader) ([]part, error) {
	var parts []part
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		switch len(words) {
		case 3:
			parts = append(parts, part{name: words[0], version: words[1], url: words[2]})
		case 5:
			parts = append(parts, part{name: words[0], version: words[1], url: words[2], from: words[3], sum: words[4]})
		default:
			return nil, fmt.Errorf("%w: a part is NAME VERSION PACKAGE-URL [SOURCE SHA256], and not %q", errUsage, lines.Text())
		}
	}
	return parts, lines.Err()
}
