package identity

import (
	"encoding/json"
	"fmt"
	"os"
)

// storageDrivers name the directories of containers/storage
// (containers-storage.conf(5)), the most common first.
var storageDrivers = []string{"overlay", "vfs", "btrfs", "zfs"}

// podman looks a container up in the lists of containers/storage (its
// containers.go, newContainerStore). Those that are removed when they end (podman
// run --rm) are in one of their own.
func (s *states) podman(id string) (Workload, error) {
	for _, driver := range storageDrivers {
		dir := driver + "-containers"
		for _, list := range []struct {
			tree tree
			name string
		}{
			{s.storage, "containers.json"},
			{s.storage, "volatile-containers.json"},
			{s.storageRun, "volatile-containers.json"},
		} {
			b, err := list.tree.read(maxList, dir, list.name)
			if err != nil {
				continue
			}
			if w, err := parseStorage(b, id); err == nil {
				return w, nil
			}
		}
	}
	return Workload{}, os.ErrNotExist
}

// parseStorage reads what a list of containers has on one of them. Podman keeps the
// image's name in metadata of its own (podman: libpod/storage.go).
func parseStorage(b []byte, id string) (Workload, error) {
	var list []struct {
		ID       string   `json:"id"`
		Names    []string `json:"names"`
		Metadata string   `json:"metadata"`
	}
	if err := json.Unmarshal(b, &list); err != nil {
		return Workload{}, fmt.Errorf("list of containers: %w", err)
	}
	for _, c := range list {
		if c.ID != id {
			continue
		}
		w := Workload{Container: Container{ID: id, Runtime: Podman, Image: storageImage(c.Metadata)}}
		if len(c.Names) > 0 {
			w.Container.Name = c.Names[0]
		}
		return w, nil
	}
	return Workload{}, os.ErrNotExist
}

func storageImage(metadata string) string {
	var m struct {
		ImageName string `json:"image-name"`
	}
	if json.Unmarshal([]byte(metadata), &m) != nil {
		return ""
	}
	return m.ImageName
}
