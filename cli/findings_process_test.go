package cli_test

import (
	"fmt"
	"testing"
	"time"
)

// Which calls are the same client's, where the capture says who sent them.

// process is a comment as it is saved with a packet.
func process(pid int, start string, name string) string {
	return fmt.Sprintf(`imds-analyzer: {"imds":{"attribution":{"status":"resolved"}},"process":{"pid":%d,"name":%q,"start":%q}}`, pid, name, start)
}

const (
	morning = "2026-01-02T01:00:00Z"
	noon    = "2026-01-02T12:00:00Z"
)

// child is a tool's process that another one has started.
func child(pid int, tool string, parent int, runs string) string {
	return fmt.Sprintf(`imds-analyzer: {"imds":{"attribution":{"status":"resolved"},"ancestors":[%s,{"pid":1,"name":"systemd"}]},`+
		`"process":{"pid":%d,"name":%q,"executable":"/usr/bin/%s","start":%q}}`,
		fmt.Sprintf(`{"pid":%d,%s}`, parent, runs), pid, tool, tool, noon)
}

const (
	runsScript   = `"name":"sh","executable":"/usr/bin/dash","command_line":"sh /opt/app/tags.sh","script":"/opt/app/tags.sh"`
	runsNothing  = `"name":"bash","executable":"/usr/bin/bash","command_line":"-bash"`
	runsCommands = `"name":"sh","executable":"/usr/bin/dash","command_line":"sh -c 'curl x'","script":"with commands"`
)

// by is who sends what the client sends from now on.
func (c *client) by(says string) *client {
	c.says = says
	return c
}

func TestCallsOfOneProcess(t *testing.T) {
	const refused = "fallback-token-refused"
	runScenarios(t, []scenario{
		{"long after", func(s *stage) {
			c := s.open(from(40001), goV2).by(process(71, morning, "app"))
			c.put(403, "token-refused")
			c.get(refused, "refused/403/process")
			s.wait(20 * time.Hour)
			c.again(from(40002)).get(refused, "refused/403/process")
		}},
		{"a library's User-Agent, long after", func(s *stage) {
			c := s.open(from(40001), gohttp).by(process(71, morning, "app"))
			c.put(403, "token-refused")
			s.wait(time.Hour)
			c.again(from(40002)).get(refused, "refused/403/process")
		}},
		{"from another address of its", func(s *stage) {
			c := s.open(from(40001), goV2).by(process(71, morning, "app"))
			c.put(403, "token-refused")
			c.again("10.0.0.9:40001").get(refused, "refused/403/process")
		}},
		{"another library in it", func(s *stage) {
			c := s.open(from(40001), goV2).by(process(71, morning, "app"))
			c.put(403, "token-refused")
			other := c.again(from(40002))
			other.agent = boto3
			other.get("v2-capable", "-")
			other.agent = urllib
			other.get("script-without-token", "-")
		}},
		{"the same library in another version", func(s *stage) {
			c := s.open(from(40001), goV1).by(process(71, morning, "app"))
			c.put(403, "token-refused")
			other := c.again(from(40002))
			other.agent = "aws-sdk-go/1.55.8 (go1.26.8; linux; amd64) S3Manager"
			other.get(refused, "refused/403/process")
		}},
		{"a token request without User-Agent", func(s *stage) {
			c := s.open(from(40001), "").by(process(71, morning, "node"))
			c.put(403, "token-refused")
			s.wait(10 * time.Minute)
			next := c.again(from(40002))
			next.agent = nodeV2
			next.get(refused, "refused/403/process")
		}},
		{"two processes with one User-Agent", func(s *stage) {
			s.open(from(40001), goV2).by(process(71, morning, "app")).put(403, "token-refused")
			s.open(from(40002), goV2).by(process(72, morning, "app")).get("v2-capable", "-")
		}},
		{"two processes without User-Agent, at the same moment", func(s *stage) {
			s.open(from(40001), "").by(process(71, morning, "app")).put(403, "token-refused")
			s.open(from(40002), "").by(process(72, morning, "app")).get("-", "-")
		}},
		{"a success of another process", func(s *stage) {
			c := s.open(from(40001), goV2).by(process(71, morning, "app"))
			c.put(403, "token-refused")
			s.open(from(40002), goV2).by(process(72, morning, "app")).put(200, "-")
			c.get(refused, "refused/403/process")
		}},
		{"each process has its own failure", func(s *stage) {
			one := s.open(from(40001), goV2).by(process(71, morning, "app"))
			two := s.open(from(40002), goV2).by(process(72, morning, "app"))
			one.put(403, "token-refused")
			two.put(503, "token-refused")
			one.again(from(40003)).get(refused, "refused/403/process")
			two.again(from(40004)).get(refused, "refused/503/process")
		}},
		{"its success", func(s *stage) {
			c := s.open(from(40001), goV2).by(process(71, morning, "app"))
			c.put(403, "token-refused")
			c.again(from(40002)).put(200, "-")
			c.again(from(40003)).get("v2-capable", "-")
		}},
		{"another process with its pid", func(s *stage) {
			s.open(from(40001), goV2).by(process(71, morning, "app")).put(403, "token-refused")
			s.open(from(40002), goV2).by(process(71, noon, "app")).get("v2-capable", "-")
		}},
		{"known for the token request only", func(s *stage) {
			s.open(from(40001), goV2).by(process(71, morning, "app")).put(403, "token-refused")
			s.open(from(40002), goV2).get(refused, "refused/403/user_agent")
		}},
		{"known for the call only", func(s *stage) {
			s.open(from(40001), goV2).put(403, "token-refused")
			s.open(from(40002), goV2).by(process(71, morning, "app")).get(refused, "refused/403/user_agent")
		}},
	})
}

// Behind a proxy each client's process is the proxy.
func TestProcessOfProxy(t *testing.T) {
	const because = "fallback-token-refused,forwarded-for"
	runScenarios(t, []scenario{{"squid", func(s *stage) {
		c := s.open(from(40001), boto3).by(process(71, morning, "squid")).with("X-Forwarded-For: 10.0.5.1")
		c.put(403, "token-refused,forwarded-for")
		c = c.again(from(40002))
		c.get(because, "refused/403/process")
		c.with("X-Forwarded-For: 10.0.5.2").get("v2-capable", "-")
		c.agent = curl
		c.with("X-Forwarded-For: 10.0.5.1").get("script-without-token", "-")
	}}})
}

// A script goes on without a token where one of the tools that it runs got none.
func TestCallsOfOneScript(t *testing.T) {
	runScenarios(t, []scenario{
		{"a script", func(s *stage) {
			c := s.open(from(40001), curl).by(child(81, "curl", 70, runsScript))
			c.put(403, "token-refused")
			c.close()
			s.wait(10 * time.Second)
			c.again(from(40002)).by(child(82, "curl", 70, runsScript)).get("fallback-token-refused", "refused/403/script")
		}},
		{"two runs of a script", func(s *stage) {
			c := s.open(from(40001), curl).by(child(81, "curl", 70, runsScript))
			c.put(403, "token-refused")
			c.again(from(40002)).by(child(82, "curl", 75, runsScript)).get("script-without-token", "-")
		}},
		{"commands", func(s *stage) {
			c := s.open(from(40001), curl).by(child(81, "curl", 70, runsCommands))
			c.put(403, "token-refused")
			c.again(from(40002)).by(child(82, "curl", 70, runsCommands)).get("fallback-token-refused", "refused/403/script")
		}},
		{"somebody at a terminal", func(s *stage) {
			c := s.open(from(40001), curl).by(child(81, "curl", 70, runsNothing))
			c.put(403, "token-refused")
			c.again(from(40002)).by(child(82, "curl", 70, runsNothing)).get("script-without-token", "-")
		}},
		{"the script gets a token after all", func(s *stage) {
			c := s.open(from(40001), curl).by(child(81, "curl", 70, runsScript))
			c.put(503, "token-refused")
			c.again(from(40002)).by(child(82, "curl", 70, runsScript)).put(200, "-")
			c.again(from(40003)).by(child(83, "curl", 70, runsScript)).get("script-without-token", "-")
		}},
		{"a tool of no script beside it", func(s *stage) {
			c := s.open(from(40001), curl).by(child(81, "curl", 70, runsScript))
			c.put(403, "token-refused")
			c.again(from(40002)).by(process(90, morning, "curl")).get("script-without-token", "-")
		}},
	})
}
