package imds

import (
	"strings"
	"testing"
)

// Secrets that were never valid, in the shapes of real ones.
const (
	testKeyID   = "ASIAIOSFODNN7EXAMPLE"
	testKey     = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	testToken   = "AQAEAHxT8b_q0ZcK5nYwPm3RfVdLgXoE7sUiJtB2-hN9yCqWkA4vzQ=="
	testSession = "IQoJb3JpZ2luX2VjEPL//////////wEaCXVzLWVhc3QtMSJHMEUCIQDxV4nUq8Zb1tKk0fYwT7" +
		"hLr+2JmPzQvGdXc9sA3NiWnEyBgIgR5oS6uHjCl/0aDk8MfTqVbZxYw1eIpK7Lr4tUvG2n=="
)

func TestRedactByName(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"query", "/latest/meta-data/?token=abc&x=1", "/latest/meta-data/?token=REDACTED&x=1"},
		{"query, last", "/?a=b&X-Amz-Security-Token=abc", "/?a=b&X-Amz-Security-Token=REDACTED"},
		{"signed URL", "/k?X-Amz-Credential=me%2F20260101&X-Amz-Signature=0a1b&v=2", "/k?X-Amz-Credential=REDACTED&X-Amz-Signature=REDACTED&v=2"},
		{"encoded separator", "/?token%3Dabc&x=1", "/?token%3DREDACTED&x=1"},
		{"encoded name", "/?t%6Fken=abc&x=1", "/?t%6Fken=REDACTED&x=1"},
		{"encoded twice", "/?u=http%253A%252F%252Fh%252F%253Ftoken%253Dabc&x=1", "/?u=http%253A%252F%252Fh%252F%253Ftoken%253DREDACTED&x=1"},
		{"encoded delimiter is part of the value", "/?password=a%26b&x=1", "/?password=REDACTED&x=1"},
		{"blanks", "password : hunter2 rest", "password : REDACTED rest"},
		{"encoded blanks", "/?password%20=%20hunter2&x=1", "/?password%20=%20REDACTED&x=1"},
		{"plus for blank", "/?password+=+hunter2&x=1", "/?password+=REDACTED&x=1"},
		{"flag", "mysql --password hunter2 -h db", "mysql --password REDACTED -h db"},
		{"flag in a script", "sh -c 'app -token  abc && app --secret-key \"a b\" x'", "sh -c 'app -token  REDACTED && app --secret-key \"REDACTED\" x'"},
		{"flag, last", "(app --password hunter2", "(app --password REDACTED"},
		{"flag without a value", "app --password --verbose -x --token", "app --password --verbose -x --token"},
		{"flag that names a file", "app --token-file /etc/token", "app --token-file /etc/token"},
		{"no flag", "the token is x, a-token y, -", "the token is x, a-token y, -"},
		{"header", "X-aws-ec2-metadata-token: abc", "X-aws-ec2-metadata-token: REDACTED"},
		{"header without blank", "x-AWS-ec2-metadata-TOKEN:abc", "x-AWS-ec2-metadata-TOKEN:REDACTED"},
		{"header in a script", `curl -H "X-aws-ec2-metadata-token: abc" http://h/p`, `curl -H "X-aws-ec2-metadata-token: REDACTED" http://h/p`},
		{"scheme", "X-Token: Bearer abc rest", "X-Token: REDACTED rest"},
		{"authorization has blanks", "Authorization: AWS4-HMAC-SHA256 Credential=a, Signature=b\nHost: h", "Authorization: REDACTED\nHost: h"},
		{"authorization has quotes", `Authorization: Digest username="a", response="b"`, "Authorization: REDACTED"},
		{"cookie has quotes, in apostrophes", `wget --header='Cookie: a="b"; c=d' http://h`, `wget --header='Cookie: REDACTED' http://h`},
		{"cookie in quotes", `wget --header="Cookie: a=b; c='d'" http://h`, `wget --header="Cookie: REDACTED" http://h`},
		{"JSON", `{"SecretAccessKey" : "a b\"c", "Code":"Success"}`, `{"SecretAccessKey" : "REDACTED", "Code":"Success"}`},
		{"escaped JSON", `"{\"Token\":\"a b\",\"Code\":1}"`, `"{\"Token\":\"REDACTED\",\"Code\":1}"`},
		{"JSON within JSON, with quotes", `{"m":"{\"password\":\"a\\\"b c\",\"x\":1}"}`, `{"m":"{\"password\":\"REDACTED\",\"x\":1}"}`},
		{"JSON within that", `{\\\"password\\\":\\\"a b\\\",\\\"x\\\":1}`, `{\\\"password\\\":\\\"REDACTED\\\",\\\"x\\\":1}`},
		{"JSON, backslash at the end", `{"password":"abc\\","user":"me"}`, `{"password":"REDACTED","user":"me"}`},
		{"apostrophe, as for a shell", `PASSWORD='it'\''s 2' run`, `PASSWORD=REDACTED run`},
		{"joined by a shell", `app --password "a"'b c'd -h db`, `app --password REDACTED -h db`},
		{"joined by a shell, first without quotes", `PASSWORD=a"$B c"d run`, `PASSWORD=REDACTED run`},
		{"quotes around that end there", `sh -c 'PASSWORD="a b"' && f("token=x","y")`, `sh -c 'PASSWORD="REDACTED"' && f("token=REDACTED","y")`},
		{"redacted, and quoted for a shell", `sh -c 'PASSWORD='\''REDACTED'\'' run'`, `sh -c 'PASSWORD='\''REDACTED'\'' run'`},
		{"quote without end", `token="abc def`, `token="REDACTED`},
		{"brackets", "/?auth[token]=abc&x=1", "/?auth[token]=REDACTED&x=1"},
		{"camel case", "sessionToken=abc", "sessionToken=REDACTED"},
		{"property", "-Djavax.net.ssl.keyStorePassword=abc", "-Djavax.net.ssl.keyStorePassword=REDACTED"},
		{"several separators", "token := abc", "token := REDACTED"},
		{"password in a URL", "http://user:hunter2@proxy:3128/", "http://user:REDACTED@proxy:3128/"},
		{"encoded password in a URL", "http://user:hunter%2Ftwo%23%3F%20x@proxy:3128/", "http://user:REDACTED@proxy:3128/"},
		{"encoded URL", "/?u=http%3A%2F%2Fme%3Ahunter2%40h%2Fa%40b", "/?u=http%3A%2F%2Fme%3AREDACTED%40h%2Fa%40b"},
		{"encoded URL with an encoded password", "/?u=http%3A%2F%2Fme%3Ahunter%252F2%40h%2Fa%40b", "/?u=http%3A%2F%2Fme%3AREDACTED%40h%2Fa%40b"},
		{"URL without a password", "http://h:80/a%40b?c:d@e", "http://h:80/a%40b?c:d@e"},
		{"password of a proxy without a scheme", "curl -x me:hunter2@proxy:3128 http://h/", "curl -x me:REDACTED@proxy:3128 http://h/"},
		{"of one in the flag", "sh -c 'curl -xme:hunter2@proxy h && pip --proxy=me:hunter2@proxy'", "sh -c 'curl -xme:REDACTED@proxy h && pip --proxy=me:REDACTED@proxy'"},
		{"of one in the environment", `http_proxy="CORP\me:a@b/c=d@proxy" run`, `http_proxy="CORP\me:REDACTED@proxy" run`},
		{"of a database", "app me:hun/ter2@tcp(db:3306)/x", "app me:REDACTED@tcp(db:3306)/x"},
		{"of a variable's user", "curl ${ME}:hunter2@h/", "curl ${ME}:REDACTED@h/"},
		{"of one that is encoded", "/?u=me%3Ahunter2%40h&x=1", "/?u=me%3AREDACTED%40h&x=1"},
		{"apostrophe in a URL's password", "http://user:it's@proxy/", "http://user:REDACTED@proxy/"},
		{"apostrophe behind a URL", "get('http://h:80', 'a@b')", "get('http://h:80', 'a@b')"},
		{"apostrophe in a value", "/?password=it's2&token=x'y&x=1", "/?password=REDACTED&token=REDACTED&x=1"},
		{"apostrophes around it", "curl -H 'X-Token: abc' -d 'password=def' http://h/", "curl -H 'X-Token: REDACTED' -d 'password=REDACTED' http://h/"},
		{"curl's user in a script", "sh -c 'curl -sSu me:hunter2 http://h:80/ && curl --user \"a b:c d\" x'", "sh -c 'curl -sSu me:REDACTED http://h:80/ && curl --user \"a b:REDACTED\" x'"},
		{"curl's user in the flag", "curl -s -ume:hunter2 h; curl -u'me:x y' h; curl -u :z h", "curl -s -ume:REDACTED h; curl -u'me:REDACTED' h; curl -u :REDACTED h"},
		{"curl's user without a password", "curl -u me http://h:80/ -u", "curl -u me http://h:80/ -u"},
		{"another's user", "docker run -u 1000:1000 curl", "docker run -u 1000:1000 curl"},
		{"curl's token", "curl --oauth2-bearer abc h", "curl --oauth2-bearer REDACTED h"},
		{"arrow", `php -r '["password" => "hunter2", "a" => 1]'`, `php -r '["password" => "REDACTED", "a" => 1]'`},
		{"arrow and symbol", "ruby -e 'f(:token=>x)'", "ruby -e 'f(:token=>REDACTED'"},
		{"several lines", "token:\n  abc\nx", "token:\n  REDACTED\nx"},
		{"key and secret", "aws_access_key_id=abc aws_secret_access_key=def", "aws_access_key_id=REDACTED aws_secret_access_key=REDACTED"},
		{"short names", "pass=a pwd=b sig=c api-key=d", "pass=REDACTED pwd=REDACTED sig=REDACTED api-key=REDACTED"},
		{"no text", "token=\xff\xfe&x=1", "token=REDACTED&x=1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { checkRedact(t, tt.in, tt.want) })
	}
}

func TestRedactByShape(t *testing.T) {
	secrets := map[string]string{
		"access key id": testKeyID, "secret key": testKey, "token": testToken, "session token": testSession,
	}
	for name, secret := range secrets {
		t.Run(name, func(t *testing.T) {
			checkRedact(t, secret, Redacted)
			checkRedact(t, "curl/7.88 ("+secret+")", "curl/7.88 (REDACTED)")
			checkRedact(t, "/latest/meta-data/x/"+secret+"/y", "/latest/meta-data/x/REDACTED/y")
			checkRedact(t, "/?"+secret, "/?REDACTED")
			checkRedact(t, "/?x="+secret+"&y=1", "/?x=REDACTED&y=1")
			checkRedact(t, "/?x="+percentEncode(secret, 1)+"&y=1", "/?x=REDACTED&y=1")
			checkRedact(t, "/?x="+percentEncode(secret, 2)+"&y=1", "/?x=REDACTED&y=1")
			checkRedact(t, "a "+secret+" b "+secret, "a REDACTED b REDACTED")
		})
	}
}

func TestRedactKeeps(t *testing.T) {
	kept := []string{
		"", "/", "%", "%%", "%2", "=", ":", "token", "token=", "token: ", "?", "REDACTED", "token=REDACTED",
		"/latest/api/token", "/latest/api/token?", "http://169.254.169.254/latest/api/token",
		"X-aws-ec2-metadata-token-ttl-seconds: 21600", "x-aws-ec2-metadata-token-ttl-seconds:60",
		"AWS_WEB_IDENTITY_TOKEN_FILE=/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
		"/latest/meta-data/iam/security-credentials/my-role",
		"/latest/meta-data/iam/security-credentials/eksctl-prod-nodegroup-ng1-NodeInstanceRole-1ABCDEFGHIJKL",
		"/latest/meta-data/iam/security-credentials/prod-app-stack-EC2InstanceRole-VqJ7nTzkL3Wb",
		"/latest/meta-data/iam/security-credentials/AWSReservedSSO_AdministratorAccess_1a2b3c4d5e6f7a8b",
		"/latest/meta-data/iam/security-credentials/AmazonEKSAutoClusterRole2InUsEast1Prod01",
		"/latest/meta-data/iam/security-credentials/EC2SSMRoleForRDSVPCK8s",
		"/latest/meta-data/iam/security-credentials/aws-elasticbeanstalk-ec2-role",
		"/latest/meta-data/network/interfaces/macs/0e:49:61:0f:c3:11/vpc-id",
		"/latest/meta-data/elastic-inference/associations/eia-bfa21c7904f64a82a21b9f4540169ce1",
		"/latest/meta-data/managed-ssh-keys/signer-ocsp/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		"i-0123456789abcdef0", "ami-0a887e401f7654935", "123E4567-E89B-12D3-A456-426614174000",
		"docker-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.scope",
		"DA39A3EE5E6B4B0D3255BFEF95601890AFD80709",
		strings.Repeat("x", 4000), strings.Repeat("X", 4000), strings.Repeat("a/", 2000),
		"/usr/lib/jvm/java-17-amazon-corretto.x86_64/bin/java",
		"/opt/app/lib/spring-boot-starter-web-3.2.1.RELEASE.jar:/opt/app/lib/HikariCP-5.1.0.jar",
		"org.springframework.boot.autoconfigure.SpringBootApplicationContextInitializer",
		"org/apache/catalina/startup/BootstrapClassLoaderFactory$RepositoryType",
		"-XX:+UseG1GC", "-Xmx512m", "-agentlib:jdwp=transport=dt_socket,server=y",
		"arn:aws:iam::123456789012:instance-profile/WebServerInstanceProfile",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
		"aws-sdk-java/2.20.1 Linux/5.10 OpenJDK_64-Bit_Server_VM/17.0.6+10-LTS Java/17.0.6 vendor/Amazon.com_Inc. io/sync http/UNKNOWN cfg/retry-mode/legacy",
		"/var/log/token.pcap: permission denied", "open token.pcapng.gz: no such file", "password-app.log: not a capture file", "password-app.log.zst: no such file",
		"git@github.com:me/app@v1", "me@h:/etc/x", "curl localhost:4873/@me/app", "/a:b@c", "a: b@c", "a:b@", "a:@b",
		"registry.example:5000/app@sha256:0a1b2c", "app:3@sha256:0a1b2c", "jdbc:postgresql://db@h/x",
		"user@1000.service", "lvm2-pvscan@253:0.service", "Mozilla/5.0 (me@example.com)",
		"Go-http-client/1.1", "kube2iam/0.10.11", "libcurl-agent/1.0 \xff\xfe",
	}
	for _, s := range kept {
		checkRedact(t, s, s)
	}
}

func checkRedact(t *testing.T, in, want string) {
	t.Helper()
	got := Redact(in)
	if got != want {
		t.Errorf("Redact(%q)\n got %q\nwant %q", in, got, want)
	}
	if again := Redact(got); again != got {
		t.Errorf("not idempotent: %q, then %q", got, again)
	}
}

// percentEncode encodes every byte, times over.
func percentEncode(s string, times int) string {
	for range times {
		var b strings.Builder
		for i := range len(s) {
			const digits = "0123456789aBcDeF"
			b.WriteByte('%')
			b.WriteByte(digits[s[i]>>4])
			b.WriteByte(digits[s[i]&0xf])
		}
		s = b.String()
	}
	return s
}

// Nothing to redact is by far the most frequent case.
func TestRedactAllocatesNothing(t *testing.T) {
	for _, s := range []string{
		"/2021-03-23/meta-data/network/interfaces/macs/0e:49:61:0f:c3:11/subnet-ipv4-cidr-block",
		"Boto3/1.26.27 Python/3.11.2 Linux/6.18.44-fc-v769 awscrt/1.0.0.dev0 Botocore/1.29.27",
		"--config=/etc/app/AbstractSingletonProxyFactoryBean.yaml",
	} {
		if n := testing.AllocsPerRun(100, func() { Redact(s) }); n != 0 {
			t.Errorf("%v allocations for %q", n, s)
		}
	}
}

func BenchmarkRedact(b *testing.B) {
	for name, s := range map[string]string{
		"path":      "/2021-03-23/meta-data/network/interfaces/macs/0e:49:61:0f:c3:11/subnet-ipv4-cidr-block",
		"UserAgent": "Boto3/1.26.27 Python/3.11.2 Linux/6.18.44-fc-v769 awscrt/1.0.0.dev0 Botocore/1.29.27",
		"class":     "org/apache/catalina/startup/BootstrapClassLoaderFactory$RepositoryType",
		"secret":    "/latest/meta-data/?token=" + testToken,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Redact(s)
			}
		})
	}
}
