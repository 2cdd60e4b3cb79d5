package imds

import "testing"

func TestVersion(t *testing.T) {
	tests := []struct {
		name    string
		request Request
		want    Version
		token   bool
	}{
		{"GET", Request{Method: "GET", Target: "/latest/meta-data/"}, V1, false},
		{"GET with a token", Request{Method: "GET", Target: "/latest/meta-data/", TokenHeader: true}, V2, false},
		{"GET of the token's path", Request{Method: "GET", Target: "/latest/api/token"}, V1, false},
		{"GET with a TTL", Request{Method: "GET", Target: "/latest/meta-data/", TTLHeader: true}, V1, false},
		{"any method without a token", Request{Method: "PROPFIND", Target: "/latest/meta-data/"}, V1, false},
		{"no method", Request{}, V1, false},
		{"token request", Request{Method: "PUT", Target: "/latest/api/token", TTLHeader: true, TTLSeconds: 60}, V2, true},
		{"token request without a TTL", Request{Method: "PUT", Target: "/latest/api/token"}, V2, true},
		{"token request to a dated path", Request{Method: "PUT", Target: "/2021-01-03/api/token", TTLHeader: true}, V2, true},
		{"PUT to a dated path without a TTL", Request{Method: "PUT", Target: "/2021-01-03/api/token"}, V1, false},
		{"PUT elsewhere", Request{Method: "PUT", Target: "/latest/meta-data/"}, V1, false},
		{"methods are case-sensitive", Request{Method: "put", Target: "/latest/api/token"}, V1, false},
		{"encoded token path", Request{Method: "PUT", Target: "/latest/%61pi/token"}, V2, true},
		{"absolute form", Request{Method: "PUT", Target: "http://169.254.169.254/latest/api/token"}, V2, true},
		{"token path with a query", Request{Method: "PUT", Target: "/latest/api/token?a=b"}, V2, true},
		{"token path with a trailing slash", Request{Method: "PUT", Target: "/latest/api/token/"}, V1, false},
		{"head cut off", Request{Method: "GET", Target: "/latest/meta-data/", Incomplete: Snaplen}, VersionUnknown, false},
		{"head cut off after the token", Request{Method: "GET", Target: "/", TokenHeader: true, Incomplete: LostSegment}, V2, false},
		{"head cut off after the TTL", Request{Method: "PUT", Target: "/x", TTLHeader: true, Incomplete: Snaplen}, V2, true},
		{"token request cut off", Request{Method: "PUT", Target: "/latest/api/token", Incomplete: CaptureEnd}, V2, true},
		{"PUT cut off", Request{Method: "PUT", Target: "/x", Incomplete: CaptureEnd}, VersionUnknown, false},
		{"TTL only, beginning lost", Request{TTLHeader: true, Incomplete: CaptureStart}, VersionUnknown, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.request.Version(); got != tt.want {
				t.Errorf("version %v, want %v", got, tt.want)
			}
			if got := tt.request.IsTokenRequest(); got != tt.token {
				t.Errorf("token request %v, want %v", got, tt.token)
			}
		})
	}
}

func TestVersionString(t *testing.T) {
	for v, want := range map[Version]string{VersionUnknown: "unknown", V1: "v1", V2: "v2", 9: "unknown"} {
		if got := v.String(); got != want {
			t.Errorf("%d is %q, want %q", v, got, want)
		}
	}
}

func TestPathAndQuery(t *testing.T) {
	tests := []struct{ target, path, query string }{
		{"", "", ""},
		{"/", "/", ""},
		{"/latest/meta-data/", "/latest/meta-data/", ""},
		{"/a?b=c&d", "/a", "b=c&d"},
		{"/a?b?c", "/a", "b?c"},
		{"/a?", "/a", ""},
		{"/a#b?c", "/a", ""},
		{"/a?b#c", "/a", "b"},
		{"/a%20b?c%20d", "/a%20b", "c%20d"},
		{"//latest/meta-data", "//latest/meta-data", ""},
		{"/x://y", "/x://y", ""},
		{"/latest/api%2ftoken", "/latest/api/token", ""},
		{"/latest/api/token%", "/latest/api/token%", ""},
		{"http://169.254.169.254", "/", ""},
		{"http://169.254.169.254/a?b", "/a", "b"},
		{"HTTP://[fd00:ec2::254]:80/a", "/a", ""},
	}
	for _, tt := range tests {
		r := Request{Target: tt.target}
		if r.Path() != tt.path || r.Query() != tt.query {
			t.Errorf("%q: path %q query %q, want %q and %q", tt.target, r.Path(), r.Query(), tt.path, tt.query)
		}
	}
}

func TestDeliversCredentials(t *testing.T) {
	for target, want := range map[string]bool{
		"/latest/meta-data/iam/security-credentials/my-role":                           true,
		"/2021-03-23/meta-data/iam/security-credentials/my-role?x=1":                   true,
		"/latest/meta-data/iam/security-credentials/my-role/":                          true,
		"/latest/meta-data/iam/security%2dcredentials/my-role":                         true,
		"http://169.254.169.254/latest/meta-data/iam/security-credentials/my-role":     true,
		"/latest/meta-data/identity-credentials/ec2/security-credentials/ec2-instance": true,
		"/latest/meta-data/iam/security-credentials/":                                  false,
		"/latest/meta-data/iam/security-credentials//":                                 false,
		"/latest/meta-data/iam/security-credentials":                                   false,
		"/latest/meta-data/iam/info":                                                   false,
		"/latest/meta-data/identity-credentials/ec2/info":                              false,
		"/latest/user-data/iam/security-credentials/x":                                 false,
		"/latest/meta-data/?x=/meta-data/iam/security-credentials/x":                   false,
		"/latest/meta-data/iam/security-credentials/%":                                 false,
		"": false,
	} {
		if got := (&Request{Target: target}).DeliversCredentials(); got != want {
			t.Errorf("%q: %v, want %v", target, got, want)
		}
	}
}

// However a target looks, a request is v1 only if its head was seen whole.
func FuzzVersion(f *testing.F) {
	f.Add("GET", "/latest/meta-data/", false, false, true)
	f.Add("PUT", "http://h/latest/api/token?x", true, true, false)
	f.Add("PUT", "/latest/%61pi/token#", false, false, false)
	f.Fuzz(func(t *testing.T, method, target string, token, ttl, whole bool) {
		r := Request{Method: method, Target: target, TokenHeader: token, TTLHeader: ttl}
		if !whole {
			r.Incomplete = LostSegment
		}
		switch v := r.Version(); {
		case v == V1 && (!whole || token):
			t.Errorf("%+v is v1", r)
		case v == VersionUnknown && (whole || token):
			t.Errorf("%+v is unknown", r)
		case token && v != V2:
			t.Errorf("%+v is not v2", r)
		}
		_, _, _ = r.Path(), r.Query(), r.DeliversCredentials()
	})
}
