package diagnosis

import (
	"testing"

	"imds-analyzer/attribution"
	"imds-analyzer/identity"
)

// A User-Agent is believed as far as the packages let it be so.
func TestClaims(t *testing.T) {
	const cli, botocore = "aws-cli/1.10.0 Python/2.7 SDK", "Boto3/1.9.0 Botocore/1.12.0"
	for _, tt := range []struct {
		userAgent, executable, script string // packages
		want                          string
	}{
		{cli, "", "", "AWS CLI 1.10.0 old"},
		{cli, "python3.11-minimal", "", "AWS CLI 1.10.0 old"},
		{cli, "platform-python", "", "AWS CLI 1.10.0 old"},
		{cli, "python39", "awscli", "AWS CLI 1.10.0 old"},
		{cli, "rh-python36-python", "", "AWS CLI 1.10.0 old"},
		{cli, "php82-php-cli", "", "AWS CLI 1.10.0 old"},
		{cli, "AWSCLI", "", "AWS CLI 1.10.0 old"},
		{cli, "curl", "", "not known"},
		{cli, "curl-minimal", "", "not known"},
		{cli, "wget2", "", "not known"},
		{cli, "bash", "", "not known"},
		{cli, "bash", "awscli", "AWS CLI 1.10.0 old"},
		{cli, "coreutils", "", "not known"},
		{cli, "nodejs", "", "not known"},
		{cli, "amazon-ssm-agent", "", "Amazon SSM Agent 1.0-1 old"},
		{"Cloud-Init/19.1", "python3.6", "cloud-init", "cloud-init 19.1 old"},
		{"Cloud-Init/19.1", "datadog-agent", "", "Datadog Agent 1.0-1 old"},
		{"s3fs/1.80", "s3fs-fuse", "", "s3fs 1.80 old"},
		{"s3fs/1.80", "s3fs-tools", "", "not known"},

		{botocore, "", "", "AWS SDK for Python (Botocore) 1.12.0 old"},
		{botocore, "python3.11", "", "AWS SDK for Python (Botocore) 1.12.0 old"},
		{botocore, "datadog-agent", "", "AWS SDK for Python (Botocore) 1.12.0 old"}, // has a Python within it
		{botocore, "curl", "", "not known"},
		{botocore, "dash", "", "not known"},
		{"aws-sdk-java/1.11.0", "openjdk-17-jre-headless", "", "AWS SDK for Java 1.11.0 old"},
		{"aws-sdk-go/1.20.0 aws-cli/9.9", "tool", "", "AWS SDK for Go 1.20.0 old"},
		{"curl/7.61.1", "curl", "", "not known"},
	} {
		var i identity.Identity
		if tt.executable != "" {
			i.Package = identity.Package{Name: tt.executable, Version: "1.0-1", Type: "deb"}
		}
		i.Script.Package.Name = tt.script
		if got := judged(Recognise(tt.userAgent, &i)); got != tt.want {
			t.Errorf("%s by %q %q: %s, want %s", tt.userAgent, tt.executable, tt.script, got, tt.want)
		}
	}
}

func TestContradicts(t *testing.T) {
	curl, python := &identity.Identity{}, &identity.Identity{}
	curl.Package.Name, python.Package.Name = "curl", "python3"
	for _, tt := range []struct {
		userAgent string
		i         *identity.Identity
		want      bool
	}{
		{"aws-cli/1.10", curl, true},
		{"x/1 Botocore/1.12.0", curl, true},
		{"aws-cli/1.10", python, false},
		{"aws-cli/1.10", nil, false},
		{"aws-cli/1.10", &identity.Identity{}, false},
		{"curl/7.61.1", curl, false},
		{"wget/1.0", curl, false}, // is nothing that would be known to be old
		{"", curl, false},
	} {
		if got := Contradicts(tt.userAgent, tt.i); got != tt.want {
			t.Errorf("%q: %v", tt.userAgent, got)
		}
	}
}

// What curl is told to say it is does not hide that a script has called it.
func TestPretendedAgentIsAScript(t *testing.T) {
	var e Evidence
	e.Call.Request.Method, e.Call.Request.Target, e.Call.Request.UserAgent = "GET", "/latest/meta-data/", "aws-cli/2.15.0 Botocore/2.4.0"
	e.Answer.Process = &attribution.Process{PID: 7, Executable: "/usr/bin/curl", Name: "curl"}
	e.Identity.Package.Name = "curl"
	if found := New().Call(&e).Findings; len(found) != 1 || found[0] != Script {
		t.Errorf("%v", found)
	}
}
