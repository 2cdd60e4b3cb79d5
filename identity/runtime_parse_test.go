package identity

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

func TestECSTask(t *testing.T) {
	const prefix = "com.amazonaws.ecs."
	oldARN := "arn:aws:ecs:eu-west-1:123456789012:task/" + podA // before 2018
	tests := []struct {
		name   string
		labels map[string]string
		want   Task
	}{
		{"no labels", nil, Task{}},
		{"all, the cluster by its ARN", map[string]string{
			prefix + "task-arn": shopTask.ARN, prefix + "cluster": "arn:aws:ecs:eu-west-1:123456789012:cluster/shop",
			prefix + "task-definition-family": "web", prefix + "task-definition-version": "7"}, shopTask},
		{"an ARN of the old form", map[string]string{prefix + "task-arn": oldARN}, Task{ID: podA, ARN: oldARN}},
		{"no version", map[string]string{prefix + "task-arn": oldARN, prefix + "task-definition-family": "web"}, Task{ID: podA, ARN: oldARN, Family: "web"}},
		{"no family", map[string]string{prefix + "task-arn": oldARN, prefix + "task-definition-version": "7"}, Task{ID: podA, ARN: oldARN}},
		{"no ARN", map[string]string{prefix + "task-arn": "task/" + taskA, prefix + "cluster": "shop"}, Task{}},
		{"an ARN of no task", map[string]string{prefix + "task-arn": "arn:aws:ecs:eu-west-1:123456789012:task/shop/x"}, Task{}},
	}
	for _, tt := range tests {
		if got := ecsTask(tt.labels); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestKubernetesPod(t *testing.T) {
	labels := map[string]string{"io.kubernetes.pod.name": web.Name, "io.kubernetes.pod.namespace": web.Namespace}
	if got := kubernetesPod(labels); got != (Pod{}) {
		t.Errorf("without a UID: %+v", got)
	}
	labels["io.kubernetes.pod.uid"] = web.UID
	if got := kubernetesPod(labels); got != web {
		t.Errorf("%+v", got)
	}
}

// What an image has for labels makes its containers no pod's and no task's.
func TestDockerLabels(t *testing.T) {
	const labels = `"Config":{"Image":"x:1","Labels":{"io.kubernetes.container.name":"pay","io.kubernetes.pod.uid":"` + podA + `",
		"com.amazonaws.ecs.container-name":"pay","com.amazonaws.ecs.task-arn":"arn:aws:ecs:eu-west-1:1:task/` + podA + `"}}`
	for name, want := range map[string]struct {
		name   string
		agents bool
	}{
		"/web":                           {"web", false},
		"/x-ecs-web-7-pay":               {"x-ecs-web-7-pay", false},
		"/k8s_pay_a_shop_" + podA + "_0": {"pay", true},
		"/ecs-web-7-pay-d8e0f0":          {"pay", true},
	} {
		w, err := parseDocker([]byte(`{"ID":"` + idA + `","Name":"` + name + `",` + labels + `}`))
		if err != nil || w.Container.Name != want.name || (w.Pod != Pod{}) != want.agents || (w.Task != Task{}) != want.agents {
			t.Errorf("%s: %+v, %v", name, w, err)
		}
	}
}

func TestParseDataRoot(t *testing.T) {
	for in, want := range map[string]string{
		`{"data-root":"/mnt/docker/"}`:    "/mnt/docker",
		`{"graph":"/mnt/docker"}`:         "/mnt/docker",
		`{"data-root":"/a","graph":"/b"}`: "/a",
		`{"data-root":"/../../etc"}`:      "/etc",
		`{"data-root":"relative"}`:        "",
		`{"data-root":7}`:                 "",
		`{"log-driver":"json-file"}`:      "",
		`{`:                               "",
		``:                                "",
	} {
		if got := parseDataRoot([]byte(in)); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestParseHome(t *testing.T) {
	const passwd = "root:x:0:0:root:/root:/bin/sh\n+::::::\nshort:x:1000:1000\napp:x:1000:1000::/home/./app:/bin/sh\nnone:x:1001:1001:::\nlast:x:1002:1002::/home/last:"
	for id, want := range map[string]string{"0": "/root", "1000": "/home/app", "1001": "", "1002": "/home/last", "1003": "", "": ""} {
		if got := parseHome([]byte(passwd), id); got != want {
			t.Errorf("%q: %q, want %q", id, got, want)
		}
	}
}

func TestStorageImage(t *testing.T) {
	for in, want := range map[string]string{`{"image-name":"a:1"}`: "a:1", `{}`: "", `7`: "", ``: ""} {
		if got := storageImage(in); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

// addFiles adds the fixtures of that name, and texts that are damaged.
func addFiles(f *testing.F, name string) {
	f.Helper()
	found := 0
	err := filepath.Walk("testdata", func(file string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() || info.Name() != name {
			return err
		}
		b, err := os.ReadFile(file)
		f.Add(b)
		f.Add(b[:len(b)/2])
		found++
		return err
	})
	if err != nil || found == 0 {
		f.Fatalf("%d fixtures are called %s: %v", found, name, err)
	}
	for _, text := range []string{"", "null", "[]", "{}", `{"Config":null}`, `{"annotations":{"io.kubernetes.pod.uid":null}}`, `[{"names":[]}]`, "[null]"} {
		f.Add([]byte(text))
	}
}

func checkNames(t *testing.T, w Workload, err error) {
	t.Helper()
	if err != nil && w.Container.Name+w.Pod.UID+w.Task.ID != "" {
		t.Errorf("with %v: %+v", err, w)
	}
	if w.Pod.UID == "" && w.Pod != (Pod{}) || w.Task.ID == "" && w.Task != (Task{}) {
		t.Errorf("names of nothing: %+v", w)
	}
	if w.Task.ID != "" && (!isUUID(w.Task.ID) || !strings.HasSuffix(w.Task.ARN, "/"+w.Task.ID)) {
		t.Errorf("%+v", w.Task)
	}
	w.bound()
	if n := len(w.Container.Name) + len(w.Container.Image) + len(w.Pod.Name) + len(w.Task.Family); n > 4*maxName {
		t.Errorf("%d bytes of names", n)
	}
}

func FuzzParseDocker(f *testing.F) {
	addFiles(f, "config.v2.json")
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := parseDocker(b)
		checkNames(t, w, err)
	})
}

func FuzzParseOCI(f *testing.F) {
	addFiles(f, "config.json")
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := parseOCI(b)
		checkNames(t, w, err)
	})
}

func FuzzParseStorage(f *testing.F) {
	addFiles(f, "containers.json")
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := parseStorage(b, idA)
		checkNames(t, w, err)
		if (w.Container.ID == idA) != (err == nil) {
			t.Errorf("%+v, %v", w, err)
		}
	})
}

func FuzzParseDataRoot(f *testing.F) {
	addFiles(f, "daemon.json")
	f.Fuzz(func(t *testing.T, b []byte) {
		if dir := parseDataRoot(b); dir != "" && (!path.IsAbs(dir) || dir != path.Clean(dir)) {
			t.Errorf("%q: %q", b, dir)
		}
	})
}

func FuzzParseHome(f *testing.F) {
	addFiles(f, "passwd")
	f.Fuzz(func(t *testing.T, b []byte) {
		if home := parseHome(b, "1000"); home != "" && (!path.IsAbs(home) || home != path.Clean(home)) {
			t.Errorf("%q: %q", b, home)
		}
	})
}
