package imds

import (
	"net/url"
	"strings"
)

// Version is the version of the metadata service's protocol that a call uses.
type Version uint8

// The versions. The zero value is VersionUnknown: what was seen of the request
// proves neither of the others.
const (
	VersionUnknown Version = iota
	V1
	V2
)

// String returns the version as the log entry writes it.
func (v Version) String() string {
	switch v {
	case V1:
		return "v1"
	case V2:
		return "v2"
	}
	return "unknown"
}

// Header fields of version 2 in lower case, as compared (EC2 user guide, "Use
// the Instance Metadata Service to access instance metadata").
const (
	TokenField    = "x-aws-ec2-metadata-token"
	TokenTTLField = "x-aws-ec2-metadata-token-ttl-seconds"
)

// tokenPath is where a session token is asked for.
const tokenPath = "/latest/api/token"

// Version classifies the request. Presence of the token decides, not its
// value, as it does for the service's own counts (EC2 user guide). A request
// is v1 only if its whole head was seen: the missing part may hold the token.
func (r *Request) Version() Version {
	switch {
	case r.TokenHeader || r.IsTokenRequest():
		return V2
	case r.Incomplete == Whole:
		return V1
	}
	return VersionUnknown
}

// IsTokenRequest reports whether the request asks for a session token.
func (r *Request) IsTokenRequest() bool {
	return r.Method == "PUT" && (r.TTLHeader || r.Path() == tokenPath)
}

// Path returns the target's path with percent-encoding kept, except that
// the token's own path is recognised however it is encoded.
func (r *Request) Path() string {
	path, _ := r.splitTarget()
	if strings.IndexByte(path, '%') < 0 {
		return path
	}
	if decoded, err := url.PathUnescape(path); err == nil && decoded == tokenPath {
		return tokenPath
	}
	return path
}

// Query returns the target's query without the question mark.
func (r *Request) Query() string {
	_, query := r.splitTarget()
	return query
}

// splitTarget splits a target in origin form or absolute form (RFC 9112,
// section 3.2) into path and query. The other forms have no path.
func (r *Request) splitTarget() (path, query string) {
	rest := r.Target
	if after, ok := absolute(rest); ok {
		slash := strings.IndexAny(after, "/?")
		if slash < 0 {
			return "/", ""
		}
		rest = after[slash:]
	}
	if end := strings.IndexByte(rest, '#'); end >= 0 {
		rest = rest[:end]
	}
	if end := strings.IndexByte(rest, '?'); end >= 0 {
		return rest[:end], rest[end+1:]
	}
	return rest, ""
}

// absolute returns what stands behind the scheme of a target in absolute form.
func absolute(target string) (after string, ok bool) {
	if strings.HasPrefix(target, "/") {
		return "", false
	}
	_, after, ok = strings.Cut(target, "://")
	return after, ok
}

// credentialPaths are the categories under meta-data/ whose children deliver
// credentials (EC2 user guide, "Instance metadata categories").
var credentialPaths = [...]string{
	"iam/security-credentials/",
	"identity-credentials/ec2/security-credentials/",
}

// DeliversCredentials reports whether the request's path is one from which
// the service delivers role credentials, as against the list of roles.
func (r *Request) DeliversCredentials() bool {
	path := r.Path()
	if strings.IndexByte(path, '%') >= 0 {
		var err error
		if path, err = url.PathUnescape(path); err != nil {
			return false
		}
	}
	_, category, ok := strings.Cut(path, "/meta-data/")
	if !ok {
		return false
	}
	for _, prefix := range credentialPaths {
		if role, ok := strings.CutPrefix(category, prefix); ok && strings.Trim(role, "/") != "" {
			return true
		}
	}
	return false
}
