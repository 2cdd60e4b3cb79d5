package page

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"imds-analyzer/report"
	"imds-analyzer/report/steps"
)

// stepsFor are the next steps for so many instances, of which version 2 can be required.
func stepsFor(n int) []steps.Step {
	s := steps.Situation{Ready: true}
	for i := range n {
		s.Instances = append(s.Instances, steps.Instance{ID: fmt.Sprintf("i-%017x", i), Region: "eu-central-1", Ready: true})
	}
	return steps.For(s)
}

// However many instances commands name, each step is shown, and those with commands
// that are too long say so. No command is shown in part.
func TestStepsOfManyInstances(t *testing.T) {
	for n, tooLong := range map[int][]string{1: nil, 600: nil, 1200: nil, 1800: {"require-many"}, 4096: {"require-many", "systems-manager"}} {
		all := stepsFor(n)
		text := strings.Join(look(t, written(t, &report.Report{Steps: all})).texts, "")
		for _, s := range all {
			if !strings.Contains(text, s.Title) || !strings.Contains(text, s.Text) || !strings.Contains(text, s.Warning) {
				t.Errorf("%d instances: %s is not on the page", n, s.ID)
			}
			for _, w := range slices.Concat(s.Ways, s.Undo) {
				if whole := strings.Contains(text, w.Text); whole == slices.Contains(tooLong, s.ID) {
					t.Errorf("%d instances: that %s has its %s is %v", n, s.ID, w.Name, whole)
				}
			}
		}
		if told := strings.Count(text, "The commands for "+number(n)+" instances are too long for this page"); told != len(tooLong) {
			t.Errorf("%d instances: it says of %d steps that their commands are too long", n, told)
		}
		if strings.Contains(text, "There is no room here for") {
			t.Errorf("%d instances: a step is left out", n)
		}
	}
}

func TestInstancesIn(t *testing.T) {
	ways := []steps.Way{{Text: "a i-0123456789abcdef0 i-01234567\\\n'i-0123456789abcdef1',i-0123456789abcdef0"}, {Text: "i-012345678 ai-01234567 éi-01234568"}}
	if got := instancesIn(ways); got != 4 {
		t.Errorf("there are %d", got)
	}
}

func TestMarked(t *testing.T) {
	tests := map[string]struct {
		text         string
		placeholders []string
		want         []piece
	}{
		"none":    {"aws ec2", nil, []piece{{"aws ec2", false}}},
		"nothing": {"", []string{"ID"}, nil},
		"one":     {"--id ID\n", []string{"ID"}, []piece{{"--id ", false}, {"ID", true}, {"\n", false}}},
		"all":     {"ID", []string{"ID"}, []piece{{"ID", true}}},
		"words":   {"AWS_REGION REGIONS REGION", []string{"REGION"}, []piece{{"AWS_REGION REGIONS ", false}, {"REGION", true}}},
		"longest": {"IMAGE_ID,ID", []string{"ID", "IMAGE", "IMAGE_ID"}, []piece{{"IMAGE_ID", true}, {",", false}, {"ID", true}}},
		"in text": {`{"arn:REGION:ACCOUNT"}`, []string{"REGION", "ACCOUNT"}, []piece{{`{"arn:`, false}, {"REGION", true}, {":", false}, {"ACCOUNT", true}, {`"}`, false}}},
		"empty":   {"a", []string{""}, []piece{{"a", false}}},
	}
	for name, tt := range tests {
		if got := marked(tt.text, tt.placeholders); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}

// Nothing of a command is lost by marking it.
func FuzzMarked(f *testing.F) {
	f.Add("aws --region REGION", "REGION", "ID")
	f.Add("ID_ID ID", "ID", "ID_ID")
	f.Fuzz(func(t *testing.T, text, one, other string) {
		var whole strings.Builder
		for _, p := range marked(text, []string{one, other}) {
			if p.Text == "" || p.Placeholder && p.Text != one && p.Text != other {
				t.Errorf("there is a piece %q", p.Text)
			}
			whole.WriteString(p.Text)
		}
		if whole.String() != text {
			t.Errorf("the pieces are %q, want %q", whole.String(), text)
		}
	})
}
