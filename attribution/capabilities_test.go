package attribution

import (
	"slices"
	"testing"
)

func TestStillUsed(t *testing.T) {
	all := []string{"CAP_CHOWN", capOverride, capReadSearch, "CAP_NET_RAW", capPtrace, capAdmin}
	// container is what root has in one, by default.
	container := []string{"CAP_CHOWN", capOverride, "CAP_NET_RAW"}
	for _, test := range []struct {
		name    string
		methods []Method
		held    []string
		root    bool
		want    []string
	}{
		{"no way works", nil, all, true, nil},
		{"all", Methods(), all, true, []string{capReadSearch, capPtrace}},
		{"the tracepoint alone", []Method{Tracepoint}, all, true, []string{capPtrace}},
		{"sock_diag first", []Method{SockDiag, Proc}, all, true, []string{capReadSearch, capPtrace, capAdmin}},
		{"/proc alone", []Method{Proc}, all, true, []string{capReadSearch, capPtrace}},
		{"root in a container", []Method{SockDiag, Proc}, container, true, container},
		{"the same without root", []Method{SockDiag, Proc}, container, false, []string{capOverride}},
		{"another user", []Method{SockDiag, Proc}, []string{"CAP_NET_RAW"}, false, nil},
		{"nothing held", Methods(), nil, false, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := stillUsed(test.methods, test.held, test.root); !slices.Equal(got, test.want) {
				t.Errorf("%q, not %q", got, test.want)
			}
		})
	}
}

func TestOfflineUsesNoCapability(t *testing.T) {
	if used := NewOffline().StillUsed([]string{capPtrace}); used != nil {
		t.Errorf("%q", used)
	}
}
