package output

import (
	"testing"

	"imds-analyzer/identity"
)

func TestOwners(t *testing.T) {
	const uid = "6e5a3a8e-2f0d-4b8e-9c1a-0d9f8b7c6a54"
	docker := func(name string) identity.Container {
		return identity.Container{ID: testContainer, Runtime: identity.Docker, Name: name}
	}
	onlyID := identity.Container{ID: testContainer}
	tests := []struct {
		name            string
		workload        identity.Workload
		sentence, place string
	}{
		{"nothing", identity.Workload{}, "", ""},
		{"unit", identity.Workload{Unit: "nginx.service"}, " of unit nginx.service", "nginx.service"},
		{"user's unit", identity.Workload{Unit: "user@1000.service", UserUnit: "sync.service"},
			" of unit user@1000.service/sync.service", "user@1000.service/sync.service"},
		{"a login by its name", identity.Workload{Unit: "user@1000.service", UserUnit: "session-3.scope"},
			" of unit user@1000.service/session-3.scope", "user@1000.service/session-3.scope"},
		{"login", identity.Workload{Unit: "session-3.scope"}, "", ""},
		{"container", identity.Workload{Container: docker("web-1"), Unit: "docker.service"}, " in container web-1", "web-1 (docker)"},
		{"container without name", identity.Workload{Container: onlyID}, " in container 4c5f9a6d3b2e", "4c5f9a6d3b2e (container)"},
		{"pod", identity.Workload{
			Container: identity.Container{ID: testContainer, Runtime: identity.CRIO, Name: "app"},
			Pod:       identity.Pod{UID: uid, Name: "a-x8x7f", Namespace: "jobs"}, Unit: "kubelet.service",
		}, " in pod jobs/a-x8x7f/app", "app (cri-o)"},
		{"pod without names", identity.Workload{Container: onlyID, Pod: identity.Pod{UID: uid}},
			" in pod 6e5a3a8e-2f0/4c5f9a6d3b2e", "4c5f9a6d3b2e (container)"},
		{"pod without container", identity.Workload{Pod: identity.Pod{UID: uid, Name: "a"}}, " in pod a", "a"},
		{"task", identity.Workload{
			Container: docker("ecs-web-7-front-end-90f7d0b1c2e3"), Task: identity.Task{ID: "0a1b", Family: "web:7"},
		}, " in task web:7/front-end", "front-end (docker)"},
		{"task, a name of its own", identity.Workload{
			Container: docker("ecs-web-7-front"), Task: identity.Task{ID: "0a1b", Family: "web:7"},
		}, " in task web:7/ecs-web-7-front", "ecs-web-7-front (docker)"},
		{"task by its ARN", identity.Workload{
			Container: docker("web"), Task: identity.Task{ID: "0a1b", ARN: "arn:aws:ecs:eu-west-1:111122223333:task/prod/0a1b2c"},
		}, " in task 0a1b2c/web", "web (docker)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := workload(&tt.workload)
			if got := ownerOf(&w).in(); got != tt.sentence {
				t.Errorf("got %q, want %q", got, tt.sentence)
			}
			if got := place(&w); got != tt.place {
				t.Errorf("got %q, want %q", got, tt.place)
			}
		})
	}
}

func TestProgramNames(t *testing.T) {
	file := func(name string) Script { return Script{Kind: "file", Name: name, Path: "/a/" + name} }
	tests := []struct {
		name, executable string
		script           Script
		want             string
	}{
		{"curl", "/usr/bin/curl", Script{}, "curl"},
		{"", "/usr/bin/curl", Script{}, "curl"},
		{"", "", Script{}, "process"},
		{"python3", "/usr/bin/python3.11", file("/opt/app/sync.py"), "python3 sync.py"},
		{"python3", "/usr/bin/python3.11", Script{Kind: "module", Name: "http.server"}, "python3 -m http.server"},
		{"java", "/usr/bin/java", Script{Kind: "jar", Name: "lib/app.jar"}, "java app.jar"},
		{"sh", "/usr/bin/dash", Script{Kind: "commands"}, "sh"},
		{"cloud-init", "/usr/bin/python3.11", file("/usr/bin/cloud-init"), "python3.11 cloud-init"},
		{"a-long-script-n", "/usr/bin/bash", file("./a-long-script-name.sh"), "bash a-long-script-name.sh"},
		{"cloud-init", "", file("cloud-init"), "cloud-init cloud-init"},
	}
	for _, tt := range tests {
		e := Entry{Process: Process{Name: tt.name, Executable: tt.executable}, IMDS: IMDS{Script: tt.script}}
		if got := programName(&e); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt, got, tt.want)
		}
	}
}

func TestPackages(t *testing.T) {
	curl := Package{Name: "curl", Version: "7.88.1-10", Type: "deb"}
	bash := Package{Name: "bash", Type: "rpm"}
	for _, tt := range []struct {
		script, executable Package
		want               string
	}{
		{Package{}, Package{}, ""},
		{Package{}, curl, "curl 7.88.1-10 (deb)"},
		{curl, bash, "curl 7.88.1-10 (deb), bash (rpm)"},
		{curl, curl, "curl 7.88.1-10 (deb)"},
		{Package{Name: "x", Version: "1"}, Package{}, "x 1"},
	} {
		e := Entry{Package: tt.executable, IMDS: IMDS{Script: Script{Package: tt.script}}}
		if got := packages(&e); got != tt.want {
			t.Errorf("%+v: got %q", tt, got)
		}
	}
}
