package diagnosis

import (
	"strings"

	"imds-analyzer/imds"
)

func softwareFinding(e *Evidence) (Finding, bool) { return "", false }
func scriptFinding(e *Evidence) bool              { return false }

func isOtherCloud(r *imds.Request) bool {
	return strings.HasPrefix(r.Target, "/computeMetadata/") || strings.HasPrefix(r.Target, "/metadata/identity")
}

var stubGeneric = []string{"curl", "Wget", "Python-urllib", "python-requests", "python-urllib3", "Go-http-client", "Java", "okhttp", "axios", "node"}

func isGenericAgent(userAgent string) bool {
	p := product(userAgent)
	for _, g := range stubGeneric {
		if p == g {
			return true
		}
	}
	return false
}

func product(userAgent string) string {
	first, _, _ := strings.Cut(userAgent, " ")
	name, _, _ := strings.Cut(first, "/")
	return name
}
