package identity

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

// maxNamespaces bounds the namespaces of containerd that are looked through. Docker,
// the kubelet and nerdctl have one each.
const maxNamespaces = 64

// dockerNamespace is docker's in containerd (moby: daemon/config, the default of
// --containerd-namespace).
const dockerNamespace = "moby"

// containerd reads the bundle that containerd has made for a container's task
// (containerd: core/runtime/v2/bundle.go).
func (s *states) containerd(id string) (Workload, error) {
	for _, tasks := range s.containerdTasks {
		namespaces, err := tasks.list(maxNamespaces)
		if err != nil {
			continue // there is no such containerd here
		}
		slices.Sort(namespaces)
		for _, namespace := range namespaces {
			b, err := tasks.read(maxState, namespace, id, "config.json")
			if err != nil {
				continue
			}
			w, err := parseOCI(b)
			w.Container.Runtime = Containerd
			if namespace == dockerNamespace {
				w.Container.Runtime = Docker
			}
			return w, err
		}
	}
	return Workload{}, os.ErrNotExist
}

// crio reads the bundle that cri-o has made for a container, of which it has one
// copy that does not survive the boot, and one that does (cri-o:
// server/container_create.go).
func (s *states) crio(id string) (Workload, error) {
	for _, storage := range []tree{s.storageRun, s.storage} {
		for _, driver := range storageDrivers {
			b, err := storage.read(maxState, driver+"-containers", id, "userdata", "config.json")
			if err != nil {
				continue
			}
			w, err := parseOCI(b)
			w.Container.Runtime = CRIO
			return w, err
		}
	}
	return Workload{}, os.ErrNotExist
}

// parseOCI reads the annotations of a container's config.json (OCI runtime
// specification, config.md): those of containerd for the kubelet (containerd:
// internal/cri/annotations/annotations.go), of nerdctl (pkg/labels/labels.go) and
// of cri-o (internal/annotations/annotations.go).
func parseOCI(b []byte) (Workload, error) {
	var c struct {
		Annotations map[string]string `json:"annotations"`
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return Workload{}, fmt.Errorf("config.json: %w", err)
	}
	a := c.Annotations
	w := Workload{
		Container: Container{
			Name:  cmp.Or(a["io.kubernetes.cri.container-name"], a["io.kubernetes.container.name"], a["nerdctl/name"]),
			Image: cmp.Or(a["io.kubernetes.cri.image-name"], a["io.kubernetes.cri-o.ImageName"]),
		},
		Pod: kubernetesPod(a),
	}
	if uid := a["io.kubernetes.cri.sandbox-uid"]; uid != "" {
		w.Pod = Pod{UID: uid, Name: a["io.kubernetes.cri.sandbox-name"], Namespace: a["io.kubernetes.cri.sandbox-namespace"]}
	}
	return w, nil
}
