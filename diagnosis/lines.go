package diagnosis

// Lines are those that a script needs to call the service with a token, for the tool
// that it uses; empty for a tool of which there are none. They can be pasted as they
// are, and ask for the id of the instance.
func Lines(tool string) string {
	switch tool {
	case Curl, Shell:
		return curlLines
	case Wget:
		return wgetLines
	case Python:
		return pythonLines
	case PowerShell:
		return powerShellLines
	}
	return ""
}

// They stop where there is no token. GNU Wget has --method since 1.15; that of busybox
// has not.
const (
	curlLines = `token=$(curl -sSf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' http://169.254.169.254/latest/api/token) || exit 1
curl -sSf -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/instance-id
`
	wgetLines = `token=$(wget -q -O - --method=PUT --header='X-aws-ec2-metadata-token-ttl-seconds: 300' http://169.254.169.254/latest/api/token) || exit 1
wget -q -O - --header="X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/instance-id
`
	pythonLines = `from urllib.request import Request, urlopen

def imds(path, method="GET", **headers):
    headers = {"X-aws-ec2-metadata-" + name.replace("_", "-"): value for name, value in headers.items()}
    return urlopen(Request("http://169.254.169.254/latest/" + path, method=method, headers=headers), timeout=5).read().decode()

token = imds("api/token", "PUT", token_ttl_seconds="300")
print(imds("meta-data/instance-id", token=token))
`
	powerShellLines = `$token = Invoke-RestMethod -Method PUT -Headers @{'X-aws-ec2-metadata-token-ttl-seconds' = '300'} -Uri http://169.254.169.254/latest/api/token -ErrorAction Stop
Invoke-RestMethod -Headers @{'X-aws-ec2-metadata-token' = $token} -Uri http://169.254.169.254/latest/meta-data/instance-id
`
)
