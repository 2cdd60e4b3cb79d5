package steps

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write golden files anew")

const (
	one   = "i-0123456789abcdef0"
	two   = "i-0123456789abcdef1"
	three = "i-0123456789abcdef2"
	old   = "i-01234567" // of before 2016
)

func ready(id, region string) Instance { return Instance{ID: id, Region: region, Ready: true} }

// always are the steps that each situation has, in their order.
var always = []string{
	"launch", "launch-template", "image", "account-defaults", "cloudformation", "cdk", "terraform", "systems-manager", "scp", "iam", "watch",
}

func TestWhichSteps(t *testing.T) {
	tests := []struct {
		name      string
		situation Situation
		before    []string // the steps before those of always; * marks those that can be done at once
		contains  string   // is in the command of the last of these
	}{
		{"one is ready", Situation{Ready: true, Instances: []Instance{ready(one, "eu-west-1")}},
			[]string{"require-running*"}, "--region eu-west-1 \\\n  --instance-id " + one + " --http-tokens required"},
		{"an id of before 2016", Situation{Ready: true, Instances: []Instance{ready(old, "us-gov-west-1")}},
			[]string{"require-running*"}, "--region us-gov-west-1 \\\n  --instance-id " + old},
		{"one is not", Situation{InTheWay: []string{"calls"}, Instances: []Instance{{ID: one}}},
			[]string{"first*", "require-running"}, "--region REGION \\\n  --instance-id " + one},
		{"too little is known", Situation{Missing: []string{"no boot"}, Instances: []Instance{{ID: one}}},
			[]string{"first*", "require-running"}, one},
		{"ready, but which instance it is is not known", Situation{Ready: true, Unknown: 1},
			[]string{"require-running*"}, "--instance-id INSTANCE_ID"},
		{"several are ready", Situation{Ready: true, Instances: []Instance{ready(one, "eu-west-1"), ready(two, "eu-west-1")}},
			[]string{"require-many*"}, "\n" + one + " eu-west-1\n" + two + " eu-west-1\nEND\n"},
		{"in a region that is not known", Situation{Ready: true, Instances: []Instance{ready(one, "us-east-1"), ready(two, "")}},
			[]string{"require-many*"}, "\n" + two + " REGION\n" + one + " us-east-1\nEND\n"},
		{"several are ready, one is not", Situation{Instances: []Instance{ready(one, ""), ready(two, ""), {ID: three}}},
			[]string{"first*", "require-running", "require-many*"}, two},
		{"one of two is ready", Situation{Instances: []Instance{ready(one, ""), {ID: three}}},
			[]string{"first*", "require-running*"}, one},
		{"it is required already", Situation{Ready: true, Instances: []Instance{{ID: one, Ready: true, Required: true}}}, nil, ""},
		{"the hop limit is too low", Situation{HopLimitTooLow: true, HopLimit: 3, Instances: []Instance{{ID: one, HopLimitTooLow: true, HopLimit: 3}, {ID: two}}},
			[]string{"first*", "require-running", "hop-limit*"}, "--instance-id " + one + " --http-put-response-hop-limit 3"},
		{"of several", Situation{HopLimitTooLow: true, HopLimit: 3, Instances: []Instance{{ID: one, HopLimitTooLow: true, HopLimit: 3}, {ID: two, HopLimitTooLow: true, HopLimit: 2}}},
			[]string{"first*", "require-running", "hop-limit*"}, one + " REGION 3\n" + two + " REGION 2\n"},
		{"by how much is not known", Situation{HopLimitTooLow: true, HopLimitUnknown: true, Unknown: 1},
			[]string{"first*", "require-running", "hop-limit*"}, "--instance-id INSTANCE_ID --http-put-response-hop-limit HOP_LIMIT"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all := For(tt.situation)
			if got := idsOf(all[:len(all)-len(always)]); !slices.Equal(got, tt.before) {
				t.Fatalf("the steps before the others are %q, want %q", got, tt.before)
			}
			for i, s := range all[len(tt.before):] {
				if s.ID != always[i] {
					t.Errorf("%s is in the place of %s", s.ID, always[i])
				}
			}
			if tt.contains != "" && !strings.Contains(all[len(tt.before)-1].Ways[0].Text, tt.contains) {
				t.Errorf("%q is not in %s", tt.contains, all[len(tt.before)-1].Ways[0].Text)
			}
		})
	}
}

func idsOf(all []Step) (ids []string) {
	for _, s := range all {
		id := s.ID
		if !strings.HasSuffix(s.Title, " (when ready)") {
			id += "*"
		}
		ids = append(ids, id)
	}
	return ids
}

// What would break programs waits; the rest need not.
func TestWhenReady(t *testing.T) {
	atOnce := idsOf(For(Situation{Unknown: 1, HopLimitTooLow: true, HopLimitUnknown: true}))
	atOnce = slices.DeleteFunc(atOnce, func(id string) bool { return !strings.HasSuffix(id, "*") })
	if want := []string{"first*", "hop-limit*", "watch*"}; !slices.Equal(atOnce, want) {
		t.Errorf("while it is not ready %q can be done, want %q", atOnce, want)
	}
	for _, id := range idsOf(For(Situation{Ready: true, Unknown: 1})) {
		if !strings.HasSuffix(id, "*") {
			t.Errorf("%s waits for something although all is ready", id)
		}
	}
}

// Where there is but one instance to do something to, all commands for one name it.
func TestOnly(t *testing.T) {
	tests := []struct {
		name      string
		situation Situation
		want      string
	}{
		{"one is ready", Situation{Unknown: 1, Instances: []Instance{ready(one, ""), {ID: two}}}, one},
		{"one is not ready", Situation{Instances: []Instance{{ID: one}, {ID: two, Required: true}}}, one},
		{"one is not ready, and others are not known", Situation{Unknown: 1, Instances: []Instance{{ID: one}}}, "INSTANCE_ID"},
		{"two are not ready", Situation{Instances: []Instance{{ID: one}, {ID: two}}}, "INSTANCE_ID"},
	}
	for _, tt := range tests {
		for _, s := range For(tt.situation) {
			if slices.Contains([]string{"require-running", "systems-manager"}, s.ID) && !strings.Contains(s.Ways[0].Text, tt.want) {
				t.Errorf("%s: %s is for %s", tt.name, s.ID, s.Ways[0].Text)
			}
		}
	}
}

// What a step does not do is said, and its ways are in their order.
func TestToldAndDone(t *testing.T) {
	tests := []struct{ id, way, text string }{
		{"cloudformation", "Version: !GetAtt LaunchTemplate.LatestVersionNumber", "leaves its default version as it is"},
		{"cdk", "ec2.LaunchTemplate", "its default version stays as it is"},
		{"terraform", "update_default_version = true", "only with update_default_version"},
		{"launch-template", "create-launch-template-version", "$Latest launch by it from the first command on"},
		{"account-defaults", "get-instance-metadata-defaults", "restores none that was there before"},
		{"scp", "ec2:MetadataHttpPutResponseHopLimit", "more hops at launch"},
		{"scp", "ec2:MetadataHttpTokens", "whose launch configuration or template does not require it"},
		{"image", "--imds-support v2.0", "neither the boot mode nor the TPM support"},
	}
	all := For(Situation{Unknown: 1})
	for _, tt := range tests {
		s := all[slices.IndexFunc(all, func(s Step) bool { return s.ID == tt.id })]
		if !strings.Contains(s.Ways[0].Text, tt.way) {
			t.Errorf("%s: %q is not in %s", tt.id, tt.way, s.Ways[0].Text)
		}
		if !strings.Contains(s.Text+s.Warning, tt.text) {
			t.Errorf("%s: %q is not in %s", tt.id, tt.text, s.Text+s.Warning)
		}
	}
}

// The way back has to reach groups that use $Latest, and a refresh that is going on.
func TestLaunchTemplateUndo(t *testing.T) {
	all := For(Situation{Unknown: 1})
	undo := all[slices.IndexFunc(all, func(s Step) bool { return s.ID == "launch-template" })].Undo
	for i, want := range [][]string{
		{"--default-version PREVIOUS_VERSION", "delete-launch-template-versions", "--versions NEW_VERSION"},
		{"--source-version PREVIOUS_VERSION", `"HttpTokens":"optional"`, "--default-version NEW_VERSION"},
		{"cancel-instance-refresh"},
		{"rollback-instance-refresh"},
	} {
		at := 0
		for _, part := range want {
			found := strings.Index(undo[i].Text[at:], part)
			if found < 0 {
				t.Fatalf("%q is not in its place in %s", part, undo[i].Text)
			}
			at += found
		}
	}
}

// What is launched gets what programs need, in each form, and the policy refuses no less.
func TestLaunchHops(t *testing.T) {
	tests := map[string]Situation{
		"7":         {HopLimitTooLow: true, HopLimit: 3, LaunchHopLimit: 7, Instances: []Instance{{ID: one, HopLimitTooLow: true, HopLimit: 3}}},
		"5":         {LaunchHopLimit: 5, Instances: []Instance{{ID: one}}},
		"HOP_LIMIT": {HopLimitTooLow: true, HopLimitUnknown: true, LaunchHopLimit: 1, Instances: []Instance{{ID: one, HopLimitTooLow: true}}},
	}
	limit := regexp.MustCompile(`(?i)hop_?-?limit"?[ :=]*"?(\w+)`)
	for want, situation := range tests {
		for _, s := range For(situation) {
			if !slices.Contains([]string{"launch", "launch-template", "account-defaults", "cloudformation", "cdk", "terraform", "scp"}, s.ID) {
				continue
			}
			var text string
			for _, w := range s.Ways {
				text += w.Text
			}
			found := limit.FindAllStringSubmatch(text, -1)
			for _, f := range found {
				if f[1] != want {
					t.Errorf("%s has a hop limit of %s, want %s", s.ID, f[1], want)
				}
			}
			if len(found) == 0 {
				t.Errorf("%s has no hop limit of %s:\n%s", s.ID, want, text)
			}
		}
	}
	for _, s := range For(Situation{Unknown: 1}) {
		for i, w := range s.Ways {
			if found := limit.FindString(w.Text); (found != "") != (s.ID == "scp" && i == 0) {
				t.Errorf("nothing is known, and %s has %q", s.ID, found)
			}
		}
	}
}

// fleet is a situation with all there is.
func fleet() Situation {
	s := Situation{
		InTheWay:       []string{"39 calls on 3 hosts succeeded without a token, or would have"},
		Missing:        []string{"no boot was observed"},
		Unknown:        1,
		HopLimitTooLow: true,
		HopLimit:       3,
		LaunchHopLimit: 4,
		Instances:      []Instance{{ID: three, Region: "eu-west-1", HopLimitTooLow: true, HopLimit: 2}, {ID: old, Region: "us-east-1", HopLimitTooLow: true, HopLimit: 3}},
	}
	for n := range maxTargets + 2 {
		s.Instances = append(s.Instances, ready(fmt.Sprintf("i-%017x", n), "eu-central-1"))
	}
	s.Instances = append(s.Instances, ready(one, "eu-west-1"))
	return s
}

func TestGolden(t *testing.T) {
	tests := map[string]Situation{
		"ready": {Ready: true, Instances: []Instance{ready(one, "eu-west-1")}},
		"fleet": fleet(),
	}
	for name, situation := range tests {
		t.Run(name, func(t *testing.T) {
			golden(t, "testdata/"+name+".golden.txt", asText(For(situation)))
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got:\n%s", file, got)
	}
}

func asText(all []Step) string {
	var b strings.Builder
	for _, s := range all {
		fmt.Fprintf(&b, "# %s: %s\n%s\n", s.ID, s.Title, s.Text)
		if s.Warning != "" {
			fmt.Fprintf(&b, "WARNING: %s\n", s.Warning)
		}
		fmt.Fprintf(&b, "placeholders: %s\nsource: %s\n\n", strings.Join(s.Placeholders, " "), s.Source)
		for _, w := range s.Ways {
			fmt.Fprintf(&b, "-- %s (%s)\n%s\n", w.Name, w.Language, w.Text)
		}
		for _, w := range s.Undo {
			fmt.Fprintf(&b, "-- undo: %s (%s)\n%s\n", w.Name, w.Language, w.Text)
		}
	}
	return b.String()
}

// situations are such that each template is used.
func situations() []Situation {
	return []Situation{fleet(), {Ready: true, Unknown: 1}, {HopLimitTooLow: true, Instances: []Instance{{ID: one, HopLimitTooLow: true, HopLimit: 2}}}}
}

func eachWay(do func(*Step, *Way)) {
	for _, s := range situations() {
		for _, step := range For(s) {
			for _, w := range slices.Concat(step.Ways, step.Undo) {
				do(&step, &w)
			}
		}
	}
}

func TestWays(t *testing.T) {
	const widest = 100
	upper := regexp.MustCompile(`\b[A-Z]+(_[A-Z]+)+\b`)
	words := regexp.MustCompile(`\w+`)
	used := map[string]bool{}
	eachWay(func(s *Step, w *Way) {
		if !slices.Contains([]string{"sh", "yaml", "json", "hcl", "typescript"}, w.Language) {
			t.Errorf("%s: there is no language %s", s.ID, w.Language)
		}
		if !strings.HasSuffix(w.Text, "\n") || strings.Contains(w.Text, "\n\n\n") || strings.Contains(w.Text, "<no value>") {
			t.Errorf("%s: the text is %q", s.ID, w.Text)
		}
		for line := range strings.Lines(w.Text) {
			if len(line) > widest+1 && w.Language == "sh" && !strings.Contains(line, "Values=") && !strings.Contains(line, "launch-template-data") {
				t.Errorf("%s: a line is wider than %d columns: %s", s.ID, widest, line)
			}
		}
		if w.Language == "json" && !json.Valid([]byte(w.Text)) {
			t.Errorf("%s: this is not JSON: %s", s.ID, w.Text)
		}
		for _, word := range words.FindAllString(w.Text, -1) {
			if slices.Contains(placeholders(), word) {
				used[word] = true
				if !slices.Contains(s.Placeholders, word) {
					t.Errorf("%s: the placeholder %s is not told", s.ID, word)
				}
			}
		}
		for _, word := range upper.FindAllString(w.Text, -1) {
			if word != "SERVICE_CONTROL_POLICY" && !used[word] {
				t.Errorf("%s: %s looks like a placeholder", s.ID, word)
			}
		}
	})
	for _, p := range placeholders() {
		if !used[p] {
			t.Errorf("%s is in no step", p)
		}
	}
}

// Each template is used, and a step has what the report promises.
func TestComplete(t *testing.T) {
	used := map[string]bool{}
	eachWay(func(s *Step, w *Way) { used[w.Text] = true })
	if entries, err := templates.ReadDir("templates"); err != nil || len(used) < len(entries) {
		t.Errorf("%d texts of %d templates (%v)", len(used), len(entries), err)
	}
	for _, s := range situations() {
		for _, step := range For(s) {
			if step.Title == "" || step.Text == "" || step.Ways == nil || !strings.HasPrefix(step.Source, "https://") {
				t.Errorf("%s lacks something: %+v", step.ID, step)
			}
			if step.ID != "first" && (len(step.Ways) == 0 || len(step.Undo) == 0) {
				t.Errorf("%s has no way, or none back", step.ID)
			}
		}
	}
}

// Who has ids of instances in a log has them in commands that people paste.
func TestHostile(t *testing.T) {
	hostile := []string{
		"i-0123456789abcdef0; reboot", "$(reboot)", "i-0123456789abcdef0\nreboot", "i-0123456789ABCDEF0", "i-0123456789abcdef0\n", "-i", "END", "{{.Region}}", "",
	}
	want := asText(For(Situation{Unknown: 1}))
	for _, id := range hostile {
		if got := asText(For(Situation{Instances: []Instance{{ID: id}}})); got != want {
			t.Errorf("with the id %q the steps are\n%s", id, got)
		}
	}
	want = asText(For(Situation{Instances: []Instance{{ID: one}}}))
	for _, region := range append(hostile, "eu west-1", "eu-west-1'", "EU-WEST-1", "eu-west-1\n") {
		if got := asText(For(Situation{Instances: []Instance{{ID: one, Region: region}}})); got != want {
			t.Errorf("with the region %q the steps are\n%s", region, got)
		}
	}
}

func FuzzTrusted(f *testing.F) {
	f.Add(one, "eu-west-1", 2)
	f.Add("i-01234567\n", "us-gov-east-1;", -1)
	plain := regexp.MustCompile(`^[a-z0-9-]*\z`)
	f.Fuzz(func(t *testing.T, id, region string, hops int) {
		s := Situation{Instances: []Instance{{ID: id, Region: region, HopLimit: hops}}}.trusted()
		if len(s.Instances)+s.Unknown != 1 {
			t.Errorf("of 1 host %d are left", len(s.Instances)+s.Unknown)
		}
		for _, i := range s.Instances {
			if !plain.MatchString(i.ID) || !plain.MatchString(i.Region) || i.HopLimit < 0 || i.HopLimit > maxHopLimit {
				t.Errorf("this is trusted: %+v", i)
			}
		}
	})
}

func TestBatches(t *testing.T) {
	tests := []struct {
		regions []int // instances of each
		want    []int
	}{
		{nil, nil},
		{[]int{1}, []int{1}},
		{[]int{50}, []int{50}},
		{[]int{51}, []int{50, 1}},
		{[]int{2, 101}, []int{2, 50, 50, 1}},
	}
	for _, tt := range tests {
		var all []Instance
		for region, n := range tt.regions {
			for range n {
				all = append(all, Instance{Region: fmt.Sprintf("eu-west-%d", region)})
			}
		}
		var got []int
		for _, part := range batches(all) {
			got = append(got, len(part))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%v instances are in batches of %v, want %v", tt.regions, got, tt.want)
		}
	}
}
