package imds

import "testing"

func TestIncompleteIsReadAsWritten(t *testing.T) {
	seen := make(map[string]bool)
	for reason := Whole; reason < OtherReason; reason++ {
		text := reason.String()
		if got := ParseIncomplete(text); got != reason || seen[text] || text == "" != (reason == Whole) {
			t.Errorf("%d is %q, which is %d", reason, text, got)
		}
		seen[text] = true
	}
	if got := ParseIncomplete("bad_luck"); got != OtherReason || seen[got.String()] {
		t.Errorf("an unknown reason is %d, %q", got, got)
	}
}
