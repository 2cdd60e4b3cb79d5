package steps

import (
	"cmp"
	"embed"
	"path"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"unicode"
)

// templates are the commands, templates and policies, each a file.
//
//go:embed templates
var templates embed.FS

// page is what templates are filled in with; what is not known is a placeholder.
type page struct {
	Region   string
	Instance string
	Tokens   string // required, or to undo that optional
	HopLimit string // empty if nothing is known of it
	// Instances are for loops, Batches the same in parts.
	Instances []Instance
	Batches   [][]Instance
}

func (s *Situation) page() page {
	return page{Region: cmp.Or(s.region(), "REGION"), Instance: "INSTANCE_ID", Tokens: "required", HopLimit: s.launchHops()}
}

// launchHops is the hop limit of what is launched, which has to be enough for all that is
// known to run: a policy that refuses more would refuse that.
func (s *Situation) launchHops() string {
	switch {
	case s.HopLimitTooLow && s.HopLimitUnknown:
		return hops(0)
	case s.LaunchHopLimit > 0:
		return hops(s.LaunchHopLimit)
	}
	return ""
}

func hops(n int) string {
	if n == 0 {
		return "HOP_LIMIT"
	}
	return strconv.Itoa(n)
}

// of is the page for one instance, or with nil for one that is not known.
func (p page) of(i *Instance) page {
	if i == nil {
		p.Instance = "INSTANCE_ID"
		return p
	}
	p.Instance, p.Region = i.ID, cmp.Or(i.Region, "REGION")
	return p
}

// optional is the page for the way back.
func (p page) optional() page {
	p.Tokens = "optional"
	return p
}

// Required tells apart what is and what undoes it.
func (p page) Required() bool { return p.Tokens == "required" }

// RegionOf is for lists of instances.
func (p page) RegionOf(i Instance) string { return cmp.Or(i.Region, "REGION") }

func (p page) way(name, file string) Way {
	return Way{Name: name, Language: languageOf(file), Text: p.fill(file)}
}

func languageOf(file string) string {
	switch ending := path.Ext(file); ending {
	case ".ts":
		return "typescript"
	case ".tf":
		return "hcl"
	default:
		return ending[1:]
	}
}

// fill panics if a template is broken, which a test would have found.
func (p page) fill(file string) string {
	functions := template.FuncMap{"upper": strings.ToUpper, "ids": ids, "hops": hops}
	t := template.Must(template.New(file).Funcs(functions).ParseFS(templates, "templates/"+file))
	var text strings.Builder
	if err := t.Execute(&text, p); err != nil {
		panic(err)
	}
	return text.String()
}

func ids(all []Instance) string {
	var list []string
	for _, i := range all {
		list = append(list, i.ID)
	}
	return strings.Join(list, ",")
}

// placeholders are the words that people have to replace. They have nothing in them that
// a shell, JSON or YAML would take for its own.
func placeholders() []string {
	return []string{
		"REGION", "INSTANCE_ID", "HOP_LIMIT", "PREVIOUS_HOP_LIMIT", "IMAGE_ID", "IMAGE_NAME", "INSTANCE_TYPE", "SNAPSHOT_ID", "ROOT_DEVICE_NAME", "ARCHITECTURE",
		"LAUNCH_TEMPLATE_ID", "NEW_VERSION", "PREVIOUS_VERSION", "AUTO_SCALING_GROUP_NAME", "POLICY_ID", "TARGET_ID", "ROLE_NAME", "TOPIC_ARN",
	}
}

// placeholdersIn are those of a step, in order.
func placeholdersIn(s *Step) (found []string) {
	for _, w := range slices.Concat(s.Ways, s.Undo) {
		for _, word := range strings.FieldsFunc(w.Text, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			if slices.Contains(placeholders(), word) && !slices.Contains(found, word) {
				found = append(found, word)
			}
		}
	}
	return found
}
