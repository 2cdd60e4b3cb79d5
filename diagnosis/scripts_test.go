package diagnosis

import (
	"testing"

	"imds-analyzer/attribution"
	"imds-analyzer/identity"
	"imds-analyzer/imds"
)

func TestTool(t *testing.T) {
	program := func(executable string) *attribution.Process {
		return &attribution.Process{PID: 7, Executable: executable}
	}
	for _, tt := range []struct {
		userAgent string
		process   *attribution.Process
		want      string
	}{
		{"curl/7.88.1", nil, Curl},
		{"Wget/1.21.3", nil, Wget},
		{"Wget", nil, Wget},
		{"Python-urllib/3.11", nil, Python},
		{"python-requests/2.28.1", nil, Python},
		{"Python/3.11 aiohttp/3.8.4", nil, Python},
		{"PycURL/7.45.2 libcurl/7.88.1", nil, Python},
		{"libwww-perl/6.67", nil, Perl},
		{"Ruby", nil, Ruby},
		{"Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.17763.2090", nil, PowerShell},
		{"Mozilla/5.0 (Linux; Debian) PowerShell/7.4.1", nil, PowerShell},
		{"Mozilla/5.0 (X11; Linux x86_64) Firefox/115.0", nil, ""},
		{"Go-http-client/1.1", nil, ""},
		{"Boto3/1.9.0 Python/3.6", nil, ""},
		{"", nil, ""},

		{"", program("/usr/bin/python3.11"), Python},
		{"", program("/usr/libexec/platform-python3.6"), Python},
		{"Python-urllib/3.11", program("/usr/bin/python3.11"), Python},
		{"myapp/1.0", program("/usr/bin/python3.11"), ""},
		{"Boto3/1.9.0 Python/3.6", program("/usr/bin/python3.11"), ""},
		{"myapp/1.0", program("/usr/bin/curl"), Curl},
		{"", program("/usr/bin/wget2"), Wget},
		{"", program("/usr/bin/perl5.36.0"), Perl},
		{"", program("/usr/bin/ruby3.1"), Ruby},
		{"", program("/usr/bin/ruby-mri"), Ruby},
		{"", program("/usr/bin/php8.2"), PHP},
		{"", program("/usr/sbin/php-fpm82"), PHP},
		{"", program("/usr/bin/python3.13t"), Python},
		{"", program("/usr/bin/python3.11-intel64"), Python},
		{"Wget", &attribution.Process{Executable: "/bin/busybox.static", Name: "wget"}, Wget},
		{"", program("/usr/bin/bash"), Shell},
		{"", program("/opt/microsoft/powershell/7/pwsh"), PowerShell},
		{"", program("curl.exe"), Curl},
		{"Wget", &attribution.Process{Executable: "/bin/busybox", Name: "wget"}, Wget},
		{"", &attribution.Process{Name: "python3"}, Python},
		{"", program("/usr/bin/java"), ""},
		{"", program("/opt/app/agent"), ""},
		{"curl/7.88.1", program("/opt/app/agent"), Curl}, // which uses its library
		{"Go-http-client/1.1", program("/opt/app/agent"), ""},
	} {
		if got := Tool(tt.userAgent, tt.process); got != tt.want {
			t.Errorf("%q by %+v: %q, want %q", tt.userAgent, tt.process, got, tt.want)
		}
	}
}

func TestCallerFindingOfScripts(t *testing.T) {
	evidence := func(userAgent, executable string, i identity.Identity) *Evidence {
		e := &Evidence{Call: imds.Call{Request: imds.Request{UserAgent: userAgent}}, Identity: i}
		if executable != "" {
			e.Answer.Process = &attribution.Process{Executable: executable}
		}
		return e
	}
	ofCloudInit := identity.Identity{}
	ofCloudInit.Script.Package = identity.Package{Name: "cloud-init", Type: "deb"}
	for _, tt := range []struct {
		name string
		e    *Evidence
		want bool
	}{
		{"curl", evidence("curl/7.88.1", "/usr/bin/curl", identity.Identity{}), true},
		{"offline", evidence("curl/7.88.1", "", identity.Identity{}), true},
		{"http.client", evidence("", "/usr/bin/python3.11", identity.Identity{}), true},
		{"an SDK in python", evidence("Botocore/1.12.0", "/usr/bin/python3.11", identity.Identity{}), false},
		{"an SDK offline", evidence("Boto3/1.9.0 Python/3.6", "", identity.Identity{}), false},
		{"a program of a package", evidence("python-requests/2.28.1", "/usr/bin/python3.11", ofCloudInit), false},
		{"a program", evidence("Go-http-client/1.1", "/usr/bin/agent", identity.Identity{}), false},
		{"nothing known", evidence("", "", identity.Identity{}), false},
	} {
		if got, _ := callerFinding(tt.e); (got == Script) != tt.want {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
}
