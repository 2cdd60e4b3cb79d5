package diagnosis

import (
	"bytes"
	_ "embed" // the data file
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

// softwareFile is the list of programs and libraries of which it is known since which
// version they speak version 2 of the service. docs/findings.md says how to add to it.
//
//go:embed software.json
var softwareFile []byte

// knownSoftware is that list, read when it is first asked for. It is data: nothing ever
// changes it.
var knownSoftware = sync.OnceValue(func() *softwareTable {
	table, err := readSoftware(softwareFile)
	if err != nil {
		panic(err) // the file is part of the program, and a test reads it
	}
	return table
})

// Prepare reads the list, for which the first call without a token waits otherwise. It can
// go on beside all else.
func Prepare() { knownSoftware() }

// softwareRow is one program or library.
type softwareRow struct {
	Name string `json:"name"`
	// UserAgents are products in User-Agents; "aws-sdk-java/1" is the product with
	// a version that begins with 1.
	UserAgents []string `json:"user_agents"`
	// Packages are those of the system's package manager that own its executable or
	// script, Images the last parts of the names of its container images.
	Packages []string `json:"packages"`
	Images   []string `json:"images"`
	// Uses are products that make its calls: where the User-Agent names one, that one
	// is judged in its place.
	Uses []string `json:"uses"`
	// Minimum is the first version that speaks version 2; Never says that there is none.
	Minimum string `json:"minimum"`
	Never   bool   `json:"never"`
	// Except are versions behind the minimum that do not.
	Except []string `json:"except"`
	// Mixed: some of its calls are of version 1 although it speaks version 2.
	Mixed bool `json:"mixed"`
	// Scripts: its calls are made by curl and the like.
	Scripts bool   `json:"scripts"`
	Source  string `json:"source"` // where this is said: a URL
	Note    string `json:"note"`
	// Setting is how its fallback to version 1 is switched off where it has such a setting,
	// in the words of its own documentation, SettingSource where that says so: a URL.
	// SettingSince is the first version that knows it, by its list of changes, or the minimum
	// if all that speak version 2 do; empty if that was not found.
	Setting       string `json:"setting"`
	SettingSource string `json:"setting_source"`
	SettingSince  string `json:"setting_since"`

	minimum version
	except  []version
	since   version
}

// softwareTable finds rows, by names in lower case.
type softwareTable struct {
	rows                             []softwareRow
	byProduct, byPackage, byLastPart map[string][]*softwareRow
}

// readSoftware reads the data file.
func readSoftware(file []byte) (*softwareTable, error) {
	t := &softwareTable{byProduct: map[string][]*softwareRow{}, byPackage: map[string][]*softwareRow{}, byLastPart: map[string][]*softwareRow{}}
	decoder := json.NewDecoder(bytes.NewReader(file))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&t.rows); err != nil {
		return nil, fmt.Errorf("the list of software cannot be read: %w", err)
	}
	for i := range t.rows {
		row := &t.rows[i]
		if err := row.check(); err != nil {
			return nil, fmt.Errorf("the list of software, row %d (%s): %w", i+1, row.Name, err)
		}
		t.index(row)
	}
	return t, nil
}

// check parses the versions, and says what is missing.
func (r *softwareRow) check() error {
	switch {
	case r.Name == "":
		return fmt.Errorf("it has no name")
	case !strings.HasPrefix(r.Source, "https://"):
		return fmt.Errorf("it has no source that can be looked up")
	case (r.Setting != "") != strings.HasPrefix(r.SettingSource, "https://"), r.Setting == "" && r.SettingSource != "":
		return fmt.Errorf("a setting has to have a source that can be looked up")
	case len(r.UserAgents)+len(r.Packages)+len(r.Images) == 0:
		return fmt.Errorf("nothing says how it is recognised")
	case r.Never != (r.Minimum == ""):
		return fmt.Errorf("it has to have a minimum, or never")
	case r.Never && r.Setting != "":
		return fmt.Errorf("no setting helps where no version speaks version 2")
	case r.Setting == "" && r.SettingSince != "":
		return fmt.Errorf("there is no setting that it has since %s", r.SettingSince)
	case r.Never:
		return nil
	}
	var ok bool
	if r.minimum, ok = parseVersion(r.Minimum); !ok {
		return fmt.Errorf("the minimum %q is no version", r.Minimum)
	}
	if r.since, ok = parseVersion(r.SettingSince); r.SettingSince != "" && (!ok || r.since.compare(r.minimum) < 0) {
		return fmt.Errorf("%q, since which it has the setting, is no version behind the minimum", r.SettingSince)
	}
	for _, text := range r.Except {
		v, ok := parseVersion(text)
		if !ok || v.compare(r.minimum) < 0 {
			return fmt.Errorf("the exception %q is no version behind the minimum", text)
		}
		r.except = append(r.except, v)
	}
	return nil
}

func (t *softwareTable) index(row *softwareRow) {
	add := func(index map[string][]*softwareRow, key string) {
		key = strings.ToLower(key)
		index[key] = append(index[key], row)
	}
	for _, p := range row.UserAgents {
		name, _, _ := strings.Cut(p, "/")
		add(t.byProduct, name)
	}
	for _, p := range row.Packages {
		add(t.byPackage, p)
	}
	for _, image := range row.Images {
		add(t.byLastPart, image[strings.LastIndexByte(image, '/')+1:])
	}
}

// ofProduct returns the row of a product with this version in a User-Agent, nil if there
// is none.
func (t *softwareTable) ofProduct(name, version string) *softwareRow {
	for _, row := range t.byProduct[strings.ToLower(name)] {
		for _, p := range row.UserAgents {
			known, major, _ := strings.Cut(p, "/")
			if strings.EqualFold(known, name) && (major == "" || version == major || strings.HasPrefix(version, major+".")) {
				return row
			}
		}
	}
	return nil
}

func (t *softwareTable) ofPackage(name string) *softwareRow {
	if rows := t.byPackage[strings.ToLower(name)]; len(rows) > 0 {
		return rows[0]
	}
	return nil
}

// ofImage returns the row of an image, by the end of its name without the tag.
func (t *softwareTable) ofImage(name string) *softwareRow {
	name = strings.ToLower(name)
	for _, row := range t.byLastPart[name[strings.LastIndexByte(name, '/')+1:]] {
		for _, image := range row.Images {
			if before, ok := strings.CutSuffix("/"+name, "/"+image); ok && !strings.HasSuffix(before, "/") {
				return row
			}
		}
	}
	return nil
}
