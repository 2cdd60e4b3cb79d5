package output

import "testing"

// What the controllers of Kubernetes add to names is taken off, and nothing else is.
func TestPodWorkload(t *testing.T) {
	tests := []struct{ name, hostname, want string }{
		{"web-7d4b9c6f5d-x2x8z", "", "web"}, // Deployment
		{"web-frontend-68bb7f4c4-9kq4v", "", "web-frontend"},
		{"aws-node-5x9kd", "", "aws-node"},      // DaemonSet
		{"report-28361025-hk6vs", "", "report"}, // CronJob
		{"postgres-0", "", "postgres"},          // StatefulSet
		{"kube-proxy-ip-10-0-1-23.ec2.internal", "ip-10-0-1-23", "kube-proxy"},
		{"my-state", "", "my-state"}, // a word
		{"lonely", "", "lonely"},
		{"x2x8z", "", "x2x8z"},
		{"0", "", "0"},
		{"-0", "", "-0"},
		{"", "", ""},
	}
	for _, tt := range tests {
		if got := podWorkload(tt.name, tt.hostname); got != tt.want {
			t.Errorf("podWorkload(%q, %q) = %q, want %q", tt.name, tt.hostname, got, tt.want)
		}
	}
}

func TestWorkload(t *testing.T) {
	pod := WorkloadFields{Kubernetes: Kubernetes{Namespace: "jobs", Pod: Pod{Name: "report-9v5kd", UID: "1"}}, Container: Container{Name: "main", ID: "aa"}}
	nameless := WorkloadFields{Kubernetes: Kubernetes{Pod: Pod{UID: "1-2-3"}}, Container: Container{ID: "0123456789abcdef", Image: Image{"web:1"}}}
	tests := []struct {
		name       string
		of         WorkloadFields
		kind, want string
	}{
		{"pod", pod, "pod", "jobs/report/main"},
		{"pod without a name", nameless, "container", "web:1"},
		{"task", WorkloadFields{Orchestrator: Orchestrator{Resource: Resource{Name: "api:7", ID: "arn/1"}}, Container: Container{Name: "ecs-api-7-app-aeb1c2"}}, "task", "api:7/app"},
		{"container with an image", WorkloadFields{Container: Container{Name: "angry_euler", Image: Image{"web:3.1"}}}, "container", "web:3.1"},
		{"container without", WorkloadFields{Container: Container{Name: "web-1"}}, "container", "web-1"},
		{"unit", WorkloadFields{Systemd: Systemd{Unit: "sync@a.service"}}, "unit", "sync@a.service"},
		{"transient", WorkloadFields{Systemd: Systemd{Unit: "run-r4e5bc00fbe6f4ea8ad3bd4a44b2d6e3c.scope"}}, "unit", "run-*.scope"},
		{"transient, numbered", WorkloadFields{Systemd: Systemd{Unit: "run-p12-i34.service"}}, "unit", "run-*.service"},
		{"named like one", WorkloadFields{Systemd: Systemd{Unit: "run-backups.service"}}, "unit", "run-backups.service"},
		{"login", WorkloadFields{Systemd: Systemd{Unit: "session-4.scope"}}, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := Entry{WorkloadFields: tt.of}
			if kind, name := e.Workload(); kind != tt.kind || name != tt.want {
				t.Errorf("%q %q, want %q %q", kind, name, tt.kind, tt.want)
			}
		})
	}
}
