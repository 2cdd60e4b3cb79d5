package page

import (
	"reflect"
	"strings"
	"testing"
)

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
