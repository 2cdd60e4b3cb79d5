package instances

import "testing"

func TestParseGrouping(t *testing.T) {
	for text, right := range map[string]bool{
		"image": true, "asg": true, "tag:Team": true, "tag:a:b": true,
		"": false, "tag:": false, "tag": false, "Team": false, "ASG": false, "image ": false,
	} {
		if got, err := ParseGrouping(text); (err == nil) != right || right && string(got) != text {
			t.Errorf("%q is %q, %v", text, got, err)
		}
	}
}

func TestGroups(t *testing.T) {
	const tagged = `{"InstanceId":"i-1","ImageId":"ami-1","Tags":[{"Key":"Team","Value":"shop"},{"Key":"aws:autoscaling:groupName","Value":"web"}]}`
	const bare = `{"InstanceId":"i-1","ImageId":"ami-1","Tags":[{"Key":"team","Value":"shop"}]}`
	tests := []struct {
		by   Grouping
		text string
		want Group
	}{
		{"", tagged, Group{"asg", "web"}},
		{"", bare, Group{"image", "ami-1"}},
		{"asg", tagged, Group{"asg", "web"}},
		{"asg", bare, Group{"asg", ""}},
		{"image", tagged, Group{"image", "ami-1"}},
		{"image", `{"InstanceId":"i-1"}`, Group{"image", ""}},
		{"tag:Team", tagged, Group{"tag:Team", "shop"}},
		{"tag:Team", bare, Group{"tag:Team", ""}},
		{"tag:Team", `{"InstanceId":"i-1"}`, Group{"tag:Team", ""}},
	}
	for _, tt := range tests {
		if i, _ := read(t, tt.by, tt.text).Get("i-1"); i.Group != tt.want {
			t.Errorf("by %q: %q, want %q", tt.by, i.Group, tt.want)
		}
	}
}
