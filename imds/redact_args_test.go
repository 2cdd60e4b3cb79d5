package imds

import (
	"slices"
	"testing"
)

func TestRedactArgs(t *testing.T) {
	tests := []struct {
		name     string
		in, want []string
	}{
		{"none", nil, nil},
		{"nothing secret", []string{"curl", "-s", "http://169.254.169.254/latest/api/token"}, []string{"curl", "-s", "http://169.254.169.254/latest/api/token"}},
		{"header", []string{"curl", "-H", "X-aws-ec2-metadata-token: a b", "http://h/"}, []string{"curl", "-H", "X-aws-ec2-metadata-token: REDACTED", "http://h/"}},
		{"header in the flag's element", []string{"wget", "--header=X-aws-ec2-metadata-token: abc"}, []string{"wget", "--header=X-aws-ec2-metadata-token: REDACTED"}},
		{"short flag and header", []string{"curl", "-HX-aws-ec2-metadata-token:abc"}, []string{"curl", "-HX-aws-ec2-metadata-token:REDACTED"}},
		{"TTL", []string{"curl", "-X", "PUT", "-H", "X-aws-ec2-metadata-token-ttl-seconds: 21600"}, []string{"curl", "-X", "PUT", "-H", "X-aws-ec2-metadata-token-ttl-seconds: 21600"}},
		{"flag and value", []string{"app", "--token", "abc", "x"}, []string{"app", "--token", "REDACTED", "x"}},
		{"flag and value that starts with a hyphen", []string{"app", "--token", "-Abc9"}, []string{"app", "--token", "REDACTED"}},
		{"flag without value", []string{"app", "--no-password", "--verbose", "x"}, []string{"app", "--no-password", "--verbose", "x"}},
		{"flag for a file", []string{"app", "--token-file", "/run/token"}, []string{"app", "--token-file", "/run/token"}},
		{"assignment", []string{"app", "--db-password=a b&c"}, []string{"app", "--db-password=REDACTED"}},
		{"environment", []string{"env", "AWS_SECRET_ACCESS_KEY=a;b c", "app"}, []string{"env", "AWS_SECRET_ACCESS_KEY=REDACTED", "app"}},
		{"name and separator, then value", []string{"app", "X-Token:", "abc"}, []string{"app", "X-Token:", "REDACTED"}},
		{"name and value", []string{"aws", "configure", "set", "aws_session_token", "abc"}, []string{"aws", "configure", "set", "aws_session_token", "REDACTED"}},
		{"script", []string{"sh", "-c", "TOKEN=abc curl http://h/"}, []string{"sh", "-c", "TOKEN=REDACTED curl http://h/"}},
		{"login shell's script", []string{"bash", "-lc", "PASSWORD=abc run me"}, []string{"bash", "-lc", "PASSWORD=REDACTED run me"}},
		{"curl's user", []string{"/usr/bin/curl", "-u", "me:hunter2"}, []string{"/usr/bin/curl", "-u", "me:REDACTED"}},
		{"user of a curl that another starts", []string{"sudo", "-n", "curl", "-sSfu", "me:hunter2", "h:80"}, []string{"sudo", "-n", "curl", "-sSfu", "me:REDACTED", "h:80"}},
		{"user in the flag", []string{"curl", "-sume:hunter2", "--proxy-user", ":x"}, []string{"curl", "-sume:REDACTED", "--proxy-user", ":REDACTED"}},
		{"no user in the flag", []string{"curl", "-ou:x", "-XPUT", "-su", "me"}, []string{"curl", "-ou:x", "-XPUT", "-su", "me"}},
		{"certificate", []string{"curl", "-E", "/c.pem:hunter2", "--cert", "/c.pem"}, []string{"curl", "-E", "/c.pem:REDACTED", "--cert", "/c.pem"}},
		{"curl's script", []string{"sh", "-c", "curl -u me:hunter2 h"}, []string{"sh", "-c", "curl -u me:REDACTED h"}},
		{"proxy's user", []string{"curl", "-x", "me:hunter2@proxy:3128", "--proxy", "me:hunter2@proxy", "-U", "me:hunter2"},
			[]string{"curl", "-x", "me:REDACTED@proxy:3128", "--proxy", "me:REDACTED@proxy", "-U", "me:REDACTED"}},
		{"docker's user", []string{"docker", "run", "-u", "1000:1000"}, []string{"docker", "run", "-u", "1000:1000"}},
		{"shape", []string{"app", testToken}, []string{"app", "REDACTED"}},
		{"shape with padding", []string{"app", "x", testSession}, []string{"app", "x", "REDACTED"}},
		{"URL", []string{"curl", "http://h/?token=abc&x=1"}, []string{"curl", "http://h/?token=REDACTED&x=1"}},
		{"empty elements", []string{"", "--token", "", "x"}, []string{"", "--token", "", "x"}},
		{"class path", []string{"java", "-cp", "/opt/a.jar:/opt/b.jar", "com.example.TokenServiceMain"}, []string{"java", "-cp", "/opt/a.jar:/opt/b.jar", "com.example.TokenServiceMain"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := slices.Clone(tt.in)
			got := RedactArgs(tt.in)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			if !slices.Equal(in, tt.in) {
				t.Errorf("the arguments were changed: %q", tt.in)
			}
			if again := RedactArgs(got); !slices.Equal(again, got) {
				t.Errorf("not idempotent: %q, then %q", got, again)
			}
		})
	}
}
