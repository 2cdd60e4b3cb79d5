package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const examples = "../../../examples/"

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.FromSlash(examples + name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What is misspelt or not allowed is found, in each of the files.
func TestFaultsAreFound(t *testing.T) {
	for _, tt := range []struct{ file, old, new, want string }{
		{"kubernetes/daemonset.yaml", "hostPID:", "hostPid:", "unknown field"},
		{"kubernetes/daemonset.yaml", "appArmorProfile:", "apparmorProfile:", "unknown field"},
		{"kubernetes/daemonset.yaml", "NET_RAW, PERFMON", "NET_RAW, CAP_SYS_ADMIN", "CAP_SYS_ADMIN"},
		{"kubernetes/daemonset.yaml", "memory: 192Mi\n", "memory: 192Mi\n          ports: [{containerPort: 80, hostPort: 81}]\n", "must match `containerPort`"},
		{"kubernetes/daemonset.yaml", "type: Unconfined", "type: Default", "supported values"},
		{"kubernetes/daemonset.yaml", "name: machine-id\n          hostPath", "name: machineid\n          hostPath", "Not found"},
		{"kubernetes/daemonset.yaml", "HostToContainer", "HostToAll", "Unsupported value"},
		{"kubernetes/daemonset.yaml", "memory: 64Mi", "memory: 640Mi", "must be less than or equal to memory limit"},
		{"kubernetes/daemonset.yaml", "matchLabels:\n      app.kubernetes.io/name: imds-analyzer", "matchLabels:\n      app.kubernetes.io/name: another", "does not match template"},
		{"ecs/task-definition.json", `"pidMode"`, `"PidMode"`, "has no PidMode"},
		{"ecs/task-definition.json", `"pidMode": "host"`, `"pidMode": "hosts"`, "is none of"},
		{"ecs/task-definition.json", `"SYS_ADMIN"`, `"PERFMON"`, "no capability PERFMON"},
		{"ecs/task-definition.json", `"readonlyRootFilesystem"`, `"readOnlyRootFilesystem"`, "has no readOnlyRootFilesystem"},
		{"ecs/task-definition.json", `"family": "imds-analyzer",`, ``, "Family"},
		{"ecs/task-definition.json", `"logDriver": "awslogs"`, `"logDriver": "awslog"`, "is none of"},
		{"ecs/task-definition.json", `{"name": "tracing"`, `{"name": "traces"`, "mounts of"},
		{"ecs/service.json", `"DAEMON"`, `"DEMON"`, "is none of"},
		{"ecs/service.json", `"serviceName": "imds-analyzer",`, ``, "ServiceName"},
	} {
		t.Run(tt.file+" "+tt.new, func(t *testing.T) {
			text := read(t, tt.file)
			if tt.want != "" && !strings.Contains(text, tt.old) {
				t.Fatalf("there is no %q", tt.old)
			}
			name := filepath.Join(t.TempDir(), filepath.Base(tt.file))
			if err := os.WriteFile(name, []byte(strings.Replace(text, tt.old, tt.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := check(name)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, and not %q", err, tt.want)
			}
		})
	}
}

// Of what the runtimes' filters allow, opening kernel events is what the capabilities
// of the manifests are needed for.
func TestFiltersAllowEvents(t *testing.T) {
	for name, read := range map[string]func([]byte) (container, error){"kubernetes/daemonset.yaml": readPod, "ecs/task-definition.json": readTask} {
		for _, fewer := range []bool{false, true} {
			b, err := os.ReadFile(filepath.FromSlash(examples + name))
			if err != nil {
				t.Fatal(err)
			}
			c, err := read(b)
			if err != nil {
				t.Fatal(err)
			}
			if fewer {
				c.capabilities = []string{"CAP_NET_RAW"}
			}
			if got := allowsEvents(t, c); got == fewer {
				t.Errorf("%s with %v: events are allowed: %v", name, c.capabilities, got)
			}
		}
	}
}

func allowsEvents(t *testing.T, c container) bool {
	t.Helper()
	for i := range c.mounts {
		c.mounts[i].host = "/"
	}
	s, err := c.spec(host{rootfs: "/", netns: "/", cgroup: "/"})
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range s.Linux.Seccomp.Syscalls {
		for _, name := range rule.Names {
			if name == "perf_event_open" && rule.Action == "SCMP_ACT_ALLOW" {
				return true
			}
		}
	}
	return false
}
