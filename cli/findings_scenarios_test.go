package cli_test

import (
	"fmt"
	"testing"
	"time"

	"imds-analyzer/capture/packettest"
)

// What clients do that there are no captures of, and what has to be found of each call.

// User-Agents as they are sent.
const (
	goV1   = "aws-sdk-go/1.55.8 (go1.26.8; linux; amd64)"
	goV2   = "aws-sdk-go-v2/1.47.4 ua/2.1 os/linux lang/go#1.26.8 md/GOOS#linux md/GOARCH#amd64 ft/ec2-imds"
	boto3  = "Boto3/1.26.27 Python/3.11.2 Linux/6.1 Botocore/1.29.27"
	nodeV2 = "aws-sdk-nodejs/2.1692.0 linux/v20.20.2"
	crt    = "aws-sdk-crt/aws-imds-client"
	curl   = "curl/7.88.1"
	wget   = "Wget/1.21.3"
	urllib = "Python-urllib/3.11"
	gohttp = "Go-http-client/1.1"
)

// refusals are token requests that are refused, and what is found of them besides.
func refusals() []scenario {
	const unnamed = ""
	var list []scenario
	for _, r := range []struct {
		name, target string
		status       int
		fields       []string
		cause        string
	}{
		{"302", apiToken, 302, nil, unnamed},
		{"400", apiToken, 400, nil, unnamed},
		{"401", apiToken, 401, nil, unnamed},
		{"403", apiToken, 403, nil, unnamed},
		{"404", apiToken, 404, nil, unnamed},
		{"405", apiToken, 405, nil, unnamed},
		{"417", apiToken, 417, nil, unnamed},
		{"500", apiToken, 500, nil, unnamed},
		{"503", apiToken, 503, nil, unnamed},
		{"417 to one that expects 100", apiToken, 417, []string{"Expect: 100-continue"}, ",expect-continue"},
		{"403 to one that expects 100", apiToken, 403, []string{"Expect: 100-continue"}, unnamed},
		{"403 with X-Forwarded-For", apiToken, 403, []string{"X-Forwarded-For: 10.0.5.1"}, ",forwarded-for"},
		{"503 with X-Forwarded-For", apiToken, 503, []string{"X-Forwarded-For: 10.0.5.1"}, unnamed},
		{"403 to a dated path", "/2021-01-03/api/token", 403, nil, ",dated-token-path"},
		{"403 to the path of version 1.0", "/1.0/api/token", 403, nil, ",dated-token-path"},
		{"404 to a dated path", "/2021-01-03/api/token", 404, nil, unnamed},
	} {
		list = append(list, scenario{r.name, func(s *stage) {
			c := s.open(from(40001), goV2).with(r.fields...)
			c.ask("PUT", r.target, ttlField).answered(r.status).found("token-refused"+r.cause, "-")
			c.get("fallback-token-refused"+r.cause, fmt.Sprintf("refused/%d/connection", r.status))
			c.again(from(40002)).get("fallback-token-refused"+r.cause, fmt.Sprintf("refused/%d/user_agent", r.status))
		}})
	}
	return list
}

func TestRefusedTokenRequests(t *testing.T) { runScenarios(t, refusals()) }

func TestFailedTokenRequests(t *testing.T) {
	runScenarios(t, []scenario{
		{"reset", func(s *stage) {
			c := s.open(from(40001), goV2).asksToken()
			c.act(func() { c.talk.Reset(false) })
			c.found("token-reset", "-")
			c.again(from(40002)).get("fallback-token-reset", "reset/-/user_agent")
		}},
		{"no answer, and the client closes", func(s *stage) {
			c := s.open(from(40001), goV2).asksToken()
			s.wait(time.Second)
			c.close()
			c.found("token-unanswered", "-")
			c.again(from(40002)).get("fallback-token-unanswered", "unanswered/-/user_agent")
		}},
		{"no answer, and the client resets at once", func(s *stage) {
			c := s.open(from(40001), goV2).asksToken()
			c.act(func() { c.talk.Reset(true) })
			c.found("token-unanswered", "-")
			c.again(from(40002)).get("fallback-token-unanswered", "unanswered/-/user_agent")
		}},
		{"no answer, and the connection stays open", func(s *stage) {
			c := s.open(from(40001), goV2).asksToken()
			s.wait(time.Second)
			c.found("token-unanswered", "-")
			c.again(from(40002)).get("fallback-token-unanswered", "unanswered/-/user_agent")
		}},
		{"no answer before the capture ends", func(s *stage) {
			s.open(from(40001), goV2).asksToken().found("-", "-")
		}},
		{"the answer is slow", func(s *stage) {
			c := s.open(from(40001), goV2).asksToken()
			s.wait(700 * time.Millisecond)
			c.answered(200).found("-", "-")
			c.getV2(200, "-")
			c.again(from(40002)).get("v2-capable", "-")
		}},
		{"the answer comes after the client has given up", func(s *stage) {
			c := s.open(from(40001), goV2).asksToken()
			s.wait(time.Second)
			c.givesUp()
			c.found("token-unanswered", "-")
			next := c.again(from(40002))
			next.get("fallback-token-unanswered", "unanswered/-/user_agent")
			c.lost(64)
			c.act(func() { c.talk.Reset(true) })
			s.wait(time.Second)
			next.get("fallback-token-unanswered", "unanswered/-/user_agent")
		}},
		{"IPv6", func(s *stage) {
			c := s.open("[fd00:1::7]:40001", goV2)
			c.put(403, "token-refused")
			c.again("[fd00:1::7]:40002").get("fallback-token-refused", "refused/403/user_agent")
		}},
		{"success ends it", func(s *stage) {
			c := s.open(from(40001), goV2)
			c.put(403, "token-refused")
			c.get("fallback-token-refused", "refused/403/connection")
			c.put(200, "-")
			c.getV2(200, "-")
			c.get("v2-capable", "-")
			c.again(from(40002)).get("v2-capable", "-")
		}},
		{"the last failure counts", func(s *stage) {
			c := s.open(from(40001), goV2)
			c.put(404, "token-refused")
			s.wait(time.Minute)
			c.put(503, "token-refused")
			c.again(from(40002)).get("fallback-token-refused", "refused/503/user_agent")
		}},
	})
}

// Which calls are the same client's, where no process is known.
func TestCallsOfOneClient(t *testing.T) {
	runScenarios(t, []scenario{
		{"for hours", func(s *stage) {
			c := s.open(from(40001), goV2)
			c.put(403, "token-refused")
			c.close()
			for i := range 6 {
				s.wait(time.Hour)
				next := c.again(from(40002 + i))
				next.get("fallback-token-refused", "refused/403/user_agent")
				next.close()
			}
		}},
		{"a SDK without version in its User-Agent", func(s *stage) {
			c := s.open(from(40001), crt)
			c.put(403, "token-refused")
			c.get("fallback-token-refused", "refused/403/connection")
		}},
		{"a plain curl beside it", func(s *stage) {
			c := s.open(from(40001), goV2)
			c.put(403, "token-refused")
			s.open(from(40002), curl).get("script-without-token", "-")
			c.get("fallback-token-refused", "refused/403/connection")
			s.open(from(40003), curl).get("script-without-token", "-")
		}},
		{"a plain curl while it waits", func(s *stage) {
			c := s.open(from(40001), goV2).asksToken()
			s.wait(100 * time.Millisecond)
			s.open(from(40002), curl).get("script-without-token", "-")
			s.wait(500 * time.Millisecond)
			s.open(from(40003), curl).get("script-without-token", "-")
			s.wait(500 * time.Millisecond)
			c.close()
			c.found("token-unanswered", "-")
			s.open(from(40004), curl).get("script-without-token", "-")
			c.again(from(40005)).get("fallback-token-unanswered", "unanswered/-/user_agent")
		}},
		{"two runs of curl", func(s *stage) {
			c := s.open(from(40001), curl)
			c.put(403, "token-refused")
			c.close()
			c.again(from(40002)).get("script-without-token", "-")
		}},
		{"one run of curl", func(s *stage) {
			c := s.open(from(40001), curl)
			c.put(403, "token-refused")
			c.get("fallback-token-refused", "refused/403/connection")
		}},
		{"two SDKs, one of them failing", func(s *stage) {
			c := s.open(from(40001), goV1)
			c.put(403, "token-refused")
			s.open(from(40002), boto3).get("v2-capable", "-")
			s.open(from(40003), nodeV2).get("v2-capable", "-")
			c.again(from(40004)).get("fallback-token-refused", "refused/403/user_agent")
		}},
		{"two versions of one SDK", func(s *stage) {
			s.open(from(40001), goV1).put(403, "token-refused")
			s.open(from(40002), "aws-sdk-go/1.44.133 (go1.19.8; linux; amd64)").get("v2-capable", "-")
		}},
		{"another address", func(s *stage) {
			s.open(from(40001), goV2).put(403, "token-refused")
			s.open("10.0.0.8:40001", goV2).get("v2-capable", "-")
		}},
		{"another program on the connection", func(s *stage) {
			c := s.open(from(40001), goV2)
			c.put(403, "token-refused")
			c.agent = boto3
			c.get("v2-capable", "-")
		}},
		{"the port of another program's connection", func(s *stage) {
			c := s.open(from(40001), goV2)
			c.put(403, "token-refused")
			c.close()
			s.wait(5 * time.Minute)
			next := s.open(from(40001), "")
			next.ask("GET", idTarget).answered(200)
			next.calls = 2 // of the same port
			next.found("-", "-")
		}},
		{"AWS SDK for JavaScript 2: a token request without User-Agent", func(s *stage) {
			c := s.open(from(40001), "").with("Connection: close")
			c.put(403, "token-refused")
			c.close()
			first := c.again(from(40002))
			first.agent = nodeV2
			first.get("fallback-token-refused", "refused/403/timing")
			for i := range 3 {
				s.wait(10 * time.Second)
				first.again(from(40003+i)).get("fallback-token-refused", "refused/403/user_agent")
			}
		}},
		{"the same, and then it gets a token", func(s *stage) {
			c := s.open(from(40001), "")
			c.put(503, "token-refused")
			first := c.again(from(40002))
			first.agent = nodeV2
			first.get("fallback-token-refused", "refused/503/timing")
			s.wait(time.Minute)
			c.again(from(40003)).put(200, "-")
			first.again(from(40004)).get("v2-capable", "-")
		}},
		{"the same too late", func(s *stage) {
			s.open(from(40001), "").put(403, "token-refused")
			s.wait(2 * time.Second)
			s.open(from(40002), nodeV2).get("v2-capable", "-")
		}},
		{"another SDK after a token request without User-Agent", func(s *stage) {
			s.open(from(40001), "").put(403, "token-refused")
			s.open(from(40002), boto3).get("v2-capable", "-")
		}},
		{"AWS SDK for JavaScript 3: no User-Agent at all", func(s *stage) {
			c := s.open(from(40001), "").with("Connection: keep-alive")
			c.put(403, "token-refused")
			next := c.again(from(40002))
			next.get("fallback-token-refused", "refused/403/timing")
			s.wait(10 * time.Second)
			next.get("fallback-token-refused", "refused/403/timing") // the connection is known
			c.again(from(40003)).get("-", "-")                       // too late
		}},
		{"the same, and the token request hangs", func(s *stage) {
			c := s.open(from(40001), "").with("Connection: keep-alive").asksToken()
			s.wait(time.Second)
			c.close()
			c.found("token-unanswered", "-")
			c.again(from(40002)).get("fallback-token-unanswered", "unanswered/-/timing")
		}},
		{"no User-Agent, and other header fields", func(s *stage) {
			s.open(from(40001), "").with("Connection: keep-alive").put(403, "token-refused")
			s.open(from(40002), "").with("Accept: */*").get("-", "-")
		}},
		{"a library's User-Agent, in time", func(s *stage) {
			c := s.open(from(40001), urllib).with("Accept-Encoding: identity")
			c.put(403, "token-refused")
			c.close()
			s.wait(1300 * time.Millisecond)
			c.again(from(40002)).get("fallback-token-refused", "refused/403/timing")
		}},
		{"a library's User-Agent, too late", func(s *stage) {
			c := s.open(from(40001), gohttp).with("Accept-Encoding: gzip")
			c.put(403, "token-refused")
			c.close()
			s.wait(1700 * time.Millisecond)
			c.again(from(40002)).get("-", "-")
		}},
		{"a library's User-Agent, and other header fields", func(s *stage) {
			s.open(from(40001), urllib).with("Accept-Encoding: identity").put(403, "token-refused")
			s.open(from(40002), urllib).with("Connection: close").get("script-without-token", "-")
		}},
	})
}

// Behind a proxy the clients are those that X-Forwarded-For names.
func TestClientsOfProxies(t *testing.T) {
	const a, b = "X-Forwarded-For: 10.0.5.1", "X-Forwarded-For: 10.0.5.2"
	const because = "fallback-token-refused,forwarded-for"
	as := func(c *client, agent, of string) *client {
		c.agent = agent
		return c.with("Via: 1.1 squid (squid/5.7)", of)
	}
	runScenarios(t, []scenario{
		{"several clients on one connection", func(s *stage) {
			c := s.open(from(40001), "")
			as(c, boto3, a).put(403, "token-refused,forwarded-for")
			as(c, curl, b).get("script-without-token", "-")
			as(c, boto3, a).get(because, "refused/403/connection")
			as(c, boto3, b).get("v2-capable", "-")
			as(c, goV2, a).get("v2-capable", "-")
			as(c, curl, a).get("script-without-token", "-")
			as(c, boto3, a).get(because, "refused/403/connection")
		}},
		{"several clients on several connections", func(s *stage) {
			one, two := s.open(from(40001), ""), s.open(from(40002), "")
			as(one, boto3, a).put(403, "token-refused,forwarded-for")
			as(two, boto3, a).get(because, "refused/403/user_agent")
			as(two, boto3, b).get("v2-capable", "-")
			as(two, curl, a).get("script-without-token", "-")
			s.open(from(40003), boto3).get("v2-capable", "-") // on the proxy's host
		}},
		{"all is well", func(s *stage) {
			c := s.open(from(40001), "")
			as(c, boto3, a).put(200, "-")
			as(c, boto3, a).getV2(200, "-")
			as(c, curl, b).get("script-without-token", "-")
		}},
	})
}

func TestTokensOfCalls(t *testing.T) {
	const page = "<html><head><title>403 Forbidden</title></head></html>"
	runScenarios(t, []scenario{
		{"an error page", func(s *stage) {
			c := s.open(from(40001), curl)
			c.ask("GET", idTarget, tokenField+page).answered(401).found("token-error-page", "-") // no token was rejected
		}},
		{"an error page, where it makes no difference", func(s *stage) {
			c := s.open(from(40001), curl)
			c.ask("GET", idTarget, tokenField+page).answered(200).found("token-error-page", "-")
		}},
		{"an empty one", func(s *stage) {
			c := s.open(from(40001), curl)
			c.ask("GET", idTarget, "X-aws-ec2-metadata-token:").answered(200).found("token-empty", "-")
		}},
		{"an expired one", func(s *stage) {
			c := s.open(from(40001), goV2)
			c.put(200, "-")
			c.getV2(200, "-")
			s.wait(6 * time.Hour)
			c = c.again(from(40002))
			c.getV2(401, "token-rejected")
			c.put(200, "token-expired")
			c.getV2(200, "-")
			c.put(200, "-")
		}},
		{"one that never was accepted", func(s *stage) {
			c := s.open(from(40001), goV2)
			c.getV2(401, "token-rejected")
			c.put(200, "-")
			c.getV2(200, "-")
		}},
		{"a new one in good time", func(s *stage) {
			c := s.open(from(40001), goV2)
			c.put(200, "-")
			c.getV2(200, "-")
			s.wait(5 * time.Hour)
			c = c.again(from(40002))
			c.put(200, "-")
			c.getV2(200, "-")
		}},
		{"another program's expired", func(s *stage) {
			c := s.open(from(40001), goV2)
			c.put(200, "-")
			c.getV2(200, "-")
			s.wait(6 * time.Hour)
			c = c.again(from(40002))
			c.getV2(401, "token-rejected")
			s.open(from(40003), boto3).put(200, "-")
		}},
	})
}

// Software is judged by the version in its User-Agent.
func TestSoftwareOfCalls(t *testing.T) {
	for agent, want := range map[string]string{
		"aws-cli/1.16.288 Python/2.7.16 Linux/4.14 botocore/1.13.24": "old-software",
		"aws-cli/1.16.289 Python/2.7.16 Linux/4.14 botocore/1.13.25": "v2-capable",
		"aws-cli/2.9.19": "v2-capable",
		"Botocore/1.13.24 Python/3.7.4 Linux/4.14":                             "old-software",
		"Botocore/1.13.25 Python/3.7.4 Linux/4.14":                             "v2-capable",
		"Boto3/1.9.253 Python/3.7.4 Linux/4.14 Botocore/1.12.253":              "old-software",
		"Boto3/1.12.6 Python/3.7.4 Linux/4.14 Botocore/1.15.6":                 "v2-capable",
		"Boto3/1.43.42 md/Botocore#1.43.42 ua/2.1 os/linux lang/python#3.13.1": "v2-capable",
		"Boto/2.49.0 Python/2.7.18 Linux/4.14":                                 "old-software",
		"aws-sdk-go/1.25.37 (go1.13.4; linux; amd64)":                          "old-software",
		"aws-sdk-go/1.25.38 (go1.13.4; linux; amd64)":                          "v2-capable",
		"aws-sdk-go/1.3.0 (go1.7; linux; amd64)":                               "old-software",
		"aws-sdk-go-v2/0.18.0 (go1.13.4; linux; amd64)":                        "old-software",
		"aws-sdk-go-v2/0.19.0 (go1.13.4; linux; amd64)":                        "v2-capable",
		"aws-sdk-java/1.11.677 Linux/4.14 OpenJDK_64-Bit_Server_VM/25.222-b10": "old-software",
		"aws-sdk-java/1.11.678 Linux/4.14 OpenJDK_64-Bit_Server_VM/25.222-b10": "v2-capable",
		"aws-sdk-java/2.10.20 Linux/4.14 OpenJDK_64-Bit_Server_VM/25.222-b10":  "old-software",
		"aws-sdk-java/2.10.21 Linux/4.14 OpenJDK_64-Bit_Server_VM/25.222-b10":  "v2-capable",
		"aws-sdk-nodejs/2.721.0 linux/v12.18.4":                                "old-software",
		"aws-sdk-nodejs/2.722.0 linux/v12.18.4":                                "v2-capable",
		"aws-sdk-php/3.147.6 GuzzleHttp/6.5.5 curl/7.61.1 PHP/7.2.24":          "old-software",
		"aws-sdk-php/3.147.7 GuzzleHttp/6.5.5 curl/7.61.1 PHP/7.2.24":          "v2-capable",
		"aws-sdk-ruby3/3.78.0":                                                 "old-software",
		"aws-sdk-ruby3/3.79.0":                                                 "v2-capable",
		"aws-sdk-cpp/1.7.228 Linux/4.14 x86_64 GCC/7.3.1":                      "old-software",
		"aws-sdk-cpp/1.7.229 Linux/4.14 x86_64 GCC/7.3.1":                      "v2-capable",
		"aws-sdk-kotlin/1.1.3":                                                 "old-software",
		"aws-sdk-kotlin/1.1.4":                                                 "v2-capable",
		"Cloud-Init/19.3":                                                      "old-software",
		"Cloud-Init/19.4":                                                      "v2-capable",
		"Cloud-Init/20.1-10-g71af48df-0ubuntu5":                                "v2-capable",
		"s3fs/1.90 (commit hash unknown; GnuTLS(gcrypt))":                      "old-software",
		"s3fs/1.91 (commit hash unknown; GnuTLS(gcrypt))":                      "v2-capable",
		"python-requests/2.28.1":                                               "script-without-token",
		"python-urllib3/1.26.12":                                               "script-without-token",
		"python-httpx/0.23.3":                                                  "script-without-token",
		"PycURL/7.45.2 libcurl/7.88.1 GnuTLS/3.7.9":                            "script-without-token",
		"Python/3.11 aiohttp/3.8.4":                                            "script-without-token",
		curl:                                                                   "script-without-token",
		wget:                                                                   "script-without-token",
		urllib:                                                                 "script-without-token",
		gohttp:                                                                 "-",
		crt:                                                                    "-",
		"axios/1.21.1":                                                         "-",
		"rclone/":                                                              "-",
		"aws-sdk-go":                                                           "-",
		"aws-sdk-go/latest":                                                    "-",
		"":                                                                     "-",
		"made-up/0.1":                                                          "-",
		"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0": "-",
	} {
		t.Run(agent, func(t *testing.T) {
			t.Parallel()
			played(t, func(s *stage) {
				c := s.open(from(40001), agent)
				c.get(want, "-")
				c.getV2(200, "-")
				c.put(403, "token-refused")
				c.get("fallback-token-refused", "refused/403/connection")
			})
		})
	}
}

func TestOtherServices(t *testing.T) {
	probes := []string{
		"/computeMetadata/v1/instance/id", "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=x",
		"/metadata/instance?api-version=2021-02-01", "/metadata/v1/id", "/openstack/latest/meta_data.json", "/opc/v2/instance/",
	}
	for _, probe := range probes {
		for _, agent := range []string{curl, goV2, "aws-sdk-go/1.25.37 (go1.13.4; linux; amd64)", ""} {
			t.Run(probe+" by "+agent, func(t *testing.T) {
				t.Parallel()
				played(t, func(s *stage) {
					c := s.open(from(40001), agent)
					c.ask("GET", probe).answered(404).found("other-cloud", "-")
					c.put(403, "token-refused")
					c.ask("GET", probe).answered(404).found("other-cloud", "-")
				})
			})
		}
	}
	runScenarios(t, []scenario{
		{"a local responder", func(s *stage) {
			c := s.open(from(40001), goV1)
			c.server = "kiam"
			c.put(404, "token-refused,local-responder")
			c.get("fallback-token-refused,local-responder", "refused/404/connection")
			c.getV2(200, "local-responder")
		}},
		{"a script and a local responder", func(s *stage) {
			c := s.open(from(40001), curl)
			c.server = "kube2iam"
			c.get("script-without-token,local-responder", "-")
		}},
		{"an answer that says nothing of its server", func(s *stage) {
			c := s.open(from(40001), curl).ask("GET", idTarget)
			c.act(func() { c.talk.Server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") })
			c.found("script-without-token", "-")
		}},
	})
}

func TestCredentialsOverV1(t *testing.T) {
	runScenarios(t, []scenario{
		{"delivered", func(s *stage) {
			c := s.open(from(40001), urllib)
			c.ask("GET", rolesTarget).answered(200).found("script-without-token", "-")
			c.ask("GET", roleTarget).answered(200).found("script-without-token,credentials-over-v1", "-")
			c.ask("GET", roleTarget).answered(404).found("script-without-token", "-")
			c.ask("GET", roleTarget).answered(401).found("script-without-token,v1-refused", "-")
		}},
		{"delivered by software of which nothing is known", func(s *stage) {
			s.open(from(40001), "").ask("GET", roleTarget).answered(200).found("credentials-over-v1", "-")
		}},
		{"not answered", func(s *stage) {
			c := s.open(from(40001), urllib).ask("GET", roleTarget)
			c.close()
			c.found("script-without-token", "-")
		}},
		{"after a token request that failed", func(s *stage) {
			c := s.open(from(40001), goV2)
			c.put(403, "token-refused")
			c.ask("GET", roleTarget).answered(200).found("fallback-token-refused,credentials-over-v1", "refused/403/connection")
			c.ask("GET", roleTarget).answered(401).found("fallback-token-refused,v1-refused", "refused/403/connection")
		}},
		{"with a token", func(s *stage) {
			c := s.open(from(40001), goV2)
			c.put(200, "-")
			c.ask("GET", roleTarget, tokenField+aToken).answered(200).found("-", "-")
		}},
	})
}

// There is no way to play a scenario that is not captured as it was meant.
func TestStage(t *testing.T) {
	s := &stage{now: packettest.Start}
	one := s.open(from(40001), goV2)
	s.wait(time.Second)
	two := one.again(from(40002))
	two.put(200, "-")
	one.getV2(200, "-")
	packets := s.packets()
	for i := range packets[1:] {
		if packets[i+1].Time.Before(packets[i].Time) {
			t.Errorf("time runs back at packet %d", i+1)
		}
	}
	if got := packets[len(packets)-1].Time.Sub(packettest.Start); got != time.Second+time.Duration(len(packets)-1)*time.Millisecond {
		t.Errorf("%d packets take %v", len(packets), got)
	}
}
