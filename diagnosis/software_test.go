package diagnosis

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"imds-analyzer/identity"
	"imds-analyzer/imds"
)

// judged is the software of a User-Agent as one line.
func judged(s Software, ok bool) string {
	switch {
	case !ok:
		return "not known"
	case s.Old:
		return s.Name + " " + s.Version + " old"
	case s.Capable:
		return s.Name + " " + s.Version + " capable"
	}
	return s.Name + " unknown"
}

func TestRecogniseUserAgent(t *testing.T) {
	for userAgent, want := range map[string]string{
		"":                            "not known",
		"curl/7.88.1":                 "not known",
		"aws-sdk-crt/aws-imds-client": "not known",

		"Botocore/1.13.24 Python/3.7.4 Linux/4.14":                               "AWS SDK for Python (Botocore) 1.13.24 old",
		"Botocore/1.13.25 Python/3.7.4 Linux/4.14":                               "AWS SDK for Python (Botocore) 1.13.25 capable",
		"botocore/1.12.0":                                                        "AWS SDK for Python (Botocore) 1.12.0 old",
		"Boto3/1.9.0 Python/3.6 Linux/4.14 Botocore/1.12.0":                      "AWS SDK for Python (Botocore) 1.12.0 old",
		"Boto3/1.26.27 Python/3.11.2 Linux/6 awscrt/1.0.0.dev0 Botocore/1.29.27": "AWS SDK for Python (Botocore) 1.29.27 capable",
		"Boto3/1.10.40 Python/3.7 Botocore/1.13.40":                              "AWS SDK for Python (Botocore) 1.13.40 capable",
		"Boto3/1.42.1 md/Botocore#1.43.42 ua/2.1":                                "AWS SDK for Python (Botocore) 1.43.42 capable",
		"Boto3/1.9.0 md/Botocore#1.12.9":                                         "AWS SDK for Python (Botocore) 1.12.9 old",
		"Boto3/1.12.5":                                                           "AWS SDK for Python (Boto3) 1.12.5 old",
		"Boto3/1.12.6":                                                           "AWS SDK for Python (Boto3) 1.12.6 capable",
		"Boto/2.49.0 Python/3.11.2 Linux/6.1":                                    "boto 2 2.49.0 old",
		"aws-cli/1.16.200 Python/2.7.16 Linux/4.14 botocore/1.12.190":            "AWS SDK for Python (Botocore) 1.12.190 old",
		"aws-cli/1.16.288":                                                       "AWS CLI 1.16.288 old",
		"aws-cli/1.16.289":                                                       "AWS CLI 1.16.289 capable",
		"aws-cli/2.9.19":                                                         "AWS CLI 2.9.19 capable",
		"aws-cli/2.0.0dev0":                                                      "AWS CLI 2.0.0dev0 capable",
		"aws-cli/9.9.9 Python/3.7 aws-sdk-go/1.1.1":                              "AWS SDK for Go 1.1.1 old",

		"aws-sdk-go/1.25.37 (go1.13; linux; amd64)": "AWS SDK for Go 1.25.37 old",
		"aws-sdk-go/1.25.38 (go1.13; linux; amd64)": "AWS SDK for Go 1.25.38 capable",
		"aws-sdk-go/":        "AWS SDK for Go unknown",
		"aws-sdk-go/(devel)": "AWS SDK for Go unknown",
		"APN/1.0 HashiCorp/1.0 Terraform/0.11 aws-sdk-go/1.14.31 (go1.11; linux; amd64)": "AWS SDK for Go 1.14.31 old",
		"aws-sdk-go-v2/0.18.0 (go1.13; linux; amd64)":                                    "AWS SDK for Go v2 0.18.0 old",
		"aws-sdk-go-v2/1.47.4 ua/2.1 os/linux lang/go#1.26.8 ft/ec2-imds":                "AWS SDK for Go v2 1.47.4 capable",
		"aws-sdk-java/1.11.600 Linux/4.14 OpenJDK/25":                                    "AWS SDK for Java 1.11.600 old",
		"aws-sdk-java/1.12.1":                                        "AWS SDK for Java 1.12.1 capable",
		"aws-sdk-java/2.10.20 Linux/4.14":                            "AWS SDK for Java 2.x 2.10.20 old",
		"aws-sdk-java/2.20.162 Linux/5.10":                           "AWS SDK for Java 2.x 2.20.162 capable",
		"aws-sdk-java/unknown-version":                               "not known",
		"aws-sdk-nodejs/2.721.0 linux/v12.18.3":                      "AWS SDK for JavaScript in Node.js 2.721.0 old",
		"aws-sdk-nodejs/2.1692.0 linux/v20.20.2":                     "AWS SDK for JavaScript in Node.js 2.1692.0 capable",
		"aws-sdk-ruby3/3.78.0":                                       "AWS SDK for Ruby 3.78.0 old",
		"aws-sdk-ruby3/3.168.1":                                      "AWS SDK for Ruby 3.168.1 capable",
		"aws-sdk-ruby/2.11.400":                                      "AWS SDK for Ruby 2 2.11.400 old",
		"aws-sdk-php/3.147.6 GuzzleHttp/6.5.5 curl/7.68.0 PHP/7.4.3": "AWS SDK for PHP 3.147.6 old",
		"aws-sdk-php/3.257.0":                                        "AWS SDK for PHP 3.257.0 capable",
		"aws-sdk-cpp/1.7.228 Linux/4.14 x86_64":                      "AWS SDK for C++ 1.7.228 old",
		"aws-sdk-kotlin/1.1.3":                                       "AWS SDK for Kotlin 1.1.3 old",
		"aws-sdk-dotnet-coreclr/3.3.5.0 aws-sdk-dotnet-core/3.3.17.4 .NET_Core/4.6 ClientAsync": "AWS SDK for .NET 3.3.17.4 old",
		"aws-sdk-dotnet-coreclr/3.3.5.0 aws-sdk-dotnet-core/3.5.2.9 .NET_Core/3.1.12":           "AWS SDK for .NET 3.5.2.9 capable",
		"aws-sdk-dotnet-45/3.3.200.1":              "not known",
		"AWSPowerShell/3.3.590.0 .NET_Runtime/4.0": "AWS Tools for PowerShell 3.3.590.0 old",

		"Cloud-Init/19.3": "cloud-init 19.3 old",
		"Cloud-Init/19.4-33-gbb4131a2-0ubuntu1~18.04.1":   "cloud-init 19.4-33-gbb4131a2-0ubuntu1~18.04.1 capable",
		"Cloud-Init/20.1-10-g71af48df-0ubuntu5~20.04.2":   "cloud-init 20.1-10-g71af48df-0ubuntu5~20.04.2 capable",
		"Cloud-Init/22.4.2":                               "cloud-init 22.4.2 capable",
		"Cloud-Init/":                                     "cloud-init unknown",
		"s3fs/1.90 (commit hash unknown; GnuTLS(gcrypt))": "s3fs 1.90 old",
		"s3fs/1.91 (commit hash 5213b40; OpenSSL)":        "s3fs 1.91 capable",
	} {
		if got := judged(Recognise(userAgent, nil)); got != want {
			t.Errorf("%q: %s, want %s", userAgent, got, want)
		}
	}
}

func TestRecogniseIdentity(t *testing.T) {
	deb := func(name, version string) identity.Package {
		return identity.Package{Name: name, Version: version, Type: "deb"}
	}
	pkg := func(name, version string) (i identity.Identity) {
		i.Package = deb(name, version)
		return i
	}
	image := func(name string) (i identity.Identity) {
		i.Container.Image = name
		return i
	}
	python := pkg("python3.11-minimal", "3.11.2-6")
	python.Script.Package = deb("cloud-init", "19.3-41-gc4735dd3-0ubuntu1")
	replaced := pkg("datadog-agent", "")
	byScript := func(name, version string) (i identity.Identity) {
		i.Package, i.Caller.Package = deb("curl", "7.88.1-10"), deb(name, version)
		return i
	}
	for _, tt := range []struct {
		name, userAgent string
		identity        identity.Identity
		want            string
	}{
		{"nothing", "", identity.Identity{}, "not known"},
		{"another package", "", pkg("curl", "7.88.1-10"), "not known"},
		{"old package", "Go-http-client/1.1", pkg("datadog-agent", "1:7.63.3-1"), "Datadog Agent 1:7.63.3-1 old"},
		{"first version that does", "Go-http-client/1.1", pkg("datadog-agent", "1:7.64.0-1"), "Datadog Agent 1:7.64.0-1 capable"},
		{"its release candidate", "", pkg("datadog-agent", "1:7.64.0~rc.1-1"), "Datadog Agent unknown"},
		{"package of unknown version", "", replaced, "Datadog Agent unknown"},
		{"agent", "", pkg("amazon-ssm-agent", "3.0.413.0-1"), "Amazon SSM Agent 3.0.413.0-1 old"},
		{"agent with a library", "aws-sdk-go/1.55.8", pkg("amazon-ssm-agent", "3.0.413.0-1"), "AWS SDK for Go 1.55.8 capable"},
		{"package of the script", "python-requests/2.22.0", python, "cloud-init 19.3-41-gc4735dd3-0ubuntu1 old"},
		{"script with a version of its own", "Cloud-Init/22.4.2", python, "cloud-init 22.4.2 capable"},
		{"package of an old one", "", pkg("pgbackrest", "2.38-1.pgdg22.04+1"), "pgBackRest 2.38-1.pgdg22.04+1 old"},
		{"package of its first one", "", pkg("pgbackrest", "2.39-1.pgdg22.04+1"), "pgBackRest 2.39-1.pgdg22.04+1 capable"},
		{"rpm", "", pkg("ec2-net-utils", "1.2-2.1.amzn2"), "ec2-net-utils 1.2-2.1.amzn2 old"},

		{"script of it", "curl/7.61.1", byScript("ec2-net-utils", "1.2-2.1.amzn2"), "ec2-net-utils 1.2-2.1.amzn2 old"},
		{"newer script of it", "curl/7.61.1", byScript("ec2-net-utils", "1.3-1.amzn2"), "ec2-net-utils 1.3-1.amzn2 capable"},
		{"started by a program that calls by itself", "curl/7.61.1", byScript("datadog-agent", "1:7.50.0-1"), "not known"},

		{"image", "Go-http-client/1.1", image("public.ecr.aws/datadog/agent:7.50.1"), "Datadog Agent 7.50.1 old"},
		{"image, by digest too", "", image("gcr.io/datadoghq/agent:7.64.1@sha256:0a1b"), "Datadog Agent 7.64.1 capable"},
		{"another's agent", "", image("example.com/other/agent:1.0.0"), "not known"},
		{"another's name", "", image("example.com/xdatadog/agent:1.0.0"), "not known"},
		{"tag that moves", "", image("datadog/agent:7"), "Datadog Agent unknown"},
		{"tag that moves in old ones", "", image("datadog/agent:6"), "Datadog Agent 6 old"},
		{"tag that moves to the minimum", "", image("fluent/fluent-bit:1.8"), "Fluent Bit unknown"},
		{"tag without a version", "", image("fluent/fluent-bit:latest"), "Fluent Bit unknown"},
		{"no tag", "", image("localhost:5000/fluent-bit"), "Fluent Bit unknown"},
		{"suffix", "", image("bitnami/fluent-bit:1.8.7-debian-10-r3"), "Fluent Bit 1.8.7-debian-10-r3 old"},
		{"curl in it", "curl/7.88.1", image("fluent/fluent-bit:1.8.7"), "not known"},
		{"curl that belongs to it", "curl/7.61.1", image("602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon-k8s-cni:v1.10.0-eksbuild.1"), "Amazon VPC CNI v1.10.0-eksbuild.1 old"},
		{"tag that moves beyond an exception", "", image("amazon-k8s-cni:v1.10"), "Amazon VPC CNI unknown"},
		{"the version before", "", image("amazon-k8s-cni:v1.9.3"), "Amazon VPC CNI v1.9.3 capable"},
		{"the version after", "", image("amazon-k8s-cni:v1.10.1-eksbuild.1"), "Amazon VPC CNI v1.10.1-eksbuild.1 capable"},
		{"long before", "", image("amazon-k8s-cni:v1.5.7"), "Amazon VPC CNI v1.5.7 old"},
		{"AWS's build", "", image("amazon/aws-for-fluent-bit:2.20.0"), "AWS for Fluent Bit 2.20.0 old"},
	} {
		if got := judged(Recognise(tt.userAgent, &tt.identity)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// What is said with the judgement comes from the row.
func TestRecogniseTellsMore(t *testing.T) {
	s, ok := Recognise("aws-sdk-nodejs/2.721.0", nil)
	if !ok || s.Minimum != "2.722.0" || !s.Mixed || s.Note == "" || !strings.HasPrefix(s.Source, "https://") {
		t.Errorf("%v, %+v", ok, s)
	}
	if s, _ = Recognise("Boto/2.49.0", nil); s.Minimum != "" || s.Mixed || !s.Old {
		t.Errorf("%+v", s)
	}
}

func TestCallerFindingOfSoftware(t *testing.T) {
	for userAgent, want := range map[string]Finding{
		"aws-sdk-go/1.25.37": OldSoftware, "aws-sdk-go/1.25.38": V2Capable, "aws-sdk-go/": "", "curl/7.88.1": Script, "": "", "s3fs/1.90": OldSoftware,
	} {
		e := &Evidence{Call: imds.Call{Request: imds.Request{UserAgent: userAgent}}}
		if got, ok := callerFinding(e); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", userAgent, got, ok)
		}
	}
}

// What real clients call themselves is recognised or not, as the truth of the captures
// has it: by it, no client in them but s3fs is too old.
func TestRecogniseCaptures(t *testing.T) {
	names, err := filepath.Glob("../testdata/captures/*.truth.jsonl")
	if err != nil || len(names) == 0 {
		t.Fatal(len(names), err)
	}
	want := map[string]string{
		"Boto3": "AWS SDK for Python (Botocore) 1.29.27 capable", "aws-cli": "AWS CLI 2.9.19 capable", "Cloud-Init": "cloud-init 22.4.2 capable",
		"aws-sdk-nodejs": "AWS SDK for JavaScript in Node.js 2.1692.0 capable", "aws-sdk-ruby3": "AWS SDK for Ruby 3.168.1 capable", "s3fs": "s3fs 1.90 old",
	}
	found := map[string]bool{}
	for _, name := range names {
		for _, userAgent := range agentsIn(t, name) {
			first := product(userAgent)
			got := judged(Recognise(userAgent, nil))
			found[first] = true
			switch {
			case strings.HasPrefix(first, "aws-sdk-go"):
				if !strings.HasPrefix(got, "AWS SDK for Go") || !strings.HasSuffix(got, " capable") {
					t.Errorf("%q: %s", userAgent, got)
				}
			case want[first] == "" && got != "not known", want[first] != "" && got != want[first]:
				t.Errorf("%q: %s", userAgent, got)
			}
		}
	}
	for first := range want {
		if !found[first] {
			t.Errorf("no capture has %s", first)
		}
	}
}

// agentsIn are the User-Agents in a file of truth.
func agentsIn(t *testing.T, name string) (agents []string) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			UserAgent string `json:"user_agent"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(name, err)
		}
		agents = append(agents, line.UserAgent)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(name, err)
	}
	return agents
}

func BenchmarkRecognise(b *testing.B) {
	i := &identity.Identity{}
	for _, userAgent := range []string{"", "python-requests/2.28.1", "aws-sdk-go/1.55.8 (go1.26.8; linux; amd64)"} {
		b.Run(product(userAgent), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Recognise(userAgent, i)
			}
		})
	}
}
