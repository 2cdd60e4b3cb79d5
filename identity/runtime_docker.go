package identity

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
)

// errOther is a state file of another container than it is named after.
var errOther = errors.New("of another container")

// docker reads what docker keeps of a container (moby: container/container.go,
// ToDisk).
func (s *states) docker(id string) (Workload, error) {
	b, err := s.dockerConfig(id)
	if err != nil {
		return Workload{}, err
	}
	w, err := parseDocker(b)
	if err == nil && w.Container.ID != id {
		return Workload{}, fmt.Errorf("%s: %w", id, errOther)
	}
	return w, err
}

// maxDockerNames bounds the names in docker's directory that are looked through. There are
// some 12.
const maxDockerNames = 64

// dockerConfig reads a container's config.v2.json.
func (s *states) dockerConfig(id string) (b []byte, err error) {
	err = os.ErrNotExist
	for _, data := range s.dockerData {
		if b, err = data.dockerConfig(id); err == nil {
			return b, nil
		}
	}
	return nil, err
}

// dockerConfig reads it from a daemon's directory. One that gives its containers user
// ids of their own has all its files in a directory that is named after the first of them
// and of the group's, as "231072.231072" (dockerd(8), --userns-remap; moby:
// daemon/daemon_unix.go, setupDaemonRoot).
func (t tree) dockerConfig(id string) ([]byte, error) {
	b, err := t.read(maxState, "containers", id, "config.v2.json")
	if err == nil {
		return b, nil
	}
	names, _ := t.list(maxDockerNames)
	for _, name := range names {
		if !isRemapped(name) {
			continue
		}
		if b, err := t.read(maxState, name, "containers", id, "config.v2.json"); err == nil {
			return b, nil
		}
	}
	return nil, err
}

func isRemapped(name string) bool {
	user, group, _ := strings.Cut(name, ".")
	return isDecimal(user) && isDecimal(group)
}

// parseDocker reads a config.v2.json.
func parseDocker(b []byte) (Workload, error) {
	var c struct {
		ID, Name string
		Config   struct {
			Image  string
			Labels map[string]string
		}
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return Workload{}, fmt.Errorf("docker's config.v2.json: %w", err)
	}
	name := strings.TrimPrefix(c.Name, "/")
	labels := labelsOf(name, c.Config.Labels)
	return Workload{
		Container: Container{
			ID:      c.ID,
			Runtime: Docker,
			Name:    cmp.Or(labels["io.kubernetes.container.name"], labels["com.amazonaws.ecs.container-name"], name),
			Image:   dockerImage(c.Config.Image),
		},
		Pod:  kubernetesPod(labels),
		Task: ecsTask(labels),
	}, nil
}

// labelsOf returns the labels of a container if the kubelet or the agent of ECS
// runs it, by the name that they give it (kubernetes: pkg/kubelet/dockershim/naming.go;
// amazon-ecs-agent: agent/engine/docker_task_engine.go). An image has labels, too,
// which become those of its containers: it does not choose their names.
func labelsOf(name string, labels map[string]string) map[string]string {
	if strings.HasPrefix(name, "k8s_") || strings.HasPrefix(name, "ecs-") {
		return labels
	}
	return nil
}

// dockerImage leaves out the id of an image, by which the kubelet names it.
func dockerImage(name string) string {
	if strings.HasPrefix(name, "sha256:") {
		return ""
	}
	return name
}

// kubernetesPod reads the kubelet's labels, which cri-o has as annotations
// (kubernetes: staging/src/k8s.io/kubelet/pkg/types/labels.go).
func kubernetesPod(labels map[string]string) Pod {
	uid := labels["io.kubernetes.pod.uid"]
	if uid == "" {
		return Pod{}
	}
	return Pod{UID: uid, Name: labels["io.kubernetes.pod.name"], Namespace: labels["io.kubernetes.pod.namespace"]}
}

// ecsTask reads the labels of the ECS agent (amazon-ecs-agent:
// agent/engine/docker_task_engine.go). The cluster is named by its ARN, too.
func ecsTask(labels map[string]string) Task {
	const prefix = "com.amazonaws.ecs."
	arn := labels[prefix+"task-arn"]
	id := arn[strings.LastIndexByte(arn, '/')+1:]
	if !strings.HasPrefix(arn, "arn:") || !isUUID(id) {
		return Task{}
	}
	t := Task{ID: id, ARN: arn, Family: labels[prefix+"task-definition-family"]}
	if version := labels[prefix+"task-definition-version"]; t.Family != "" && version != "" {
		t.Family += ":" + version
	}
	cluster := labels[prefix+"cluster"]
	t.Cluster = cluster[strings.LastIndexByte(cluster, '/')+1:]
	return t
}

// parseDataRoot reads where docker keeps its data out of its daemon.json
// (dockerd(8)), empty if that does not tell.
func parseDataRoot(b []byte) string {
	var c struct {
		DataRoot string `json:"data-root"`
		Graph    string `json:"graph"` // before Docker 17.05
	}
	if json.Unmarshal(b, &c) != nil {
		return ""
	}
	if dir := cmp.Or(c.DataRoot, c.Graph); path.IsAbs(dir) {
		return path.Clean(dir)
	}
	return ""
}
