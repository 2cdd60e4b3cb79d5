package identity

import (
	"bytes"
	"encoding/json"
	"errors"
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

var errNotList = errors.New("not a list")

// storedContainer is what a list has on a container. Podman keeps the image's name in
// metadata of its own (podman: libpod/storage.go).
type storedContainer struct {
	ID       string   `json:"id"`
	Names    []string `json:"names"`
	Metadata string   `json:"metadata"`
}

// parseStorage reads what a list of containers has on one of them. The others, of which
// there can be thousands, are not kept.
func parseStorage(b []byte, id string) (Workload, error) {
	list := json.NewDecoder(bytes.NewReader(b))
	begin, err := list.Token()
	if err == nil && begin != json.Delim('[') {
		err = errNotList
	}
	if err != nil {
		return Workload{}, fmt.Errorf("list of containers: %w", err)
	}
	for list.More() {
		var c storedContainer
		if err := list.Decode(&c); err != nil {
			return Workload{}, fmt.Errorf("list of containers: %w", err)
		}
		if c.ID == id {
			return c.workload(), nil
		}
	}
	return Workload{}, os.ErrNotExist
}

func (c *storedContainer) workload() Workload {
	w := Workload{Container: Container{ID: c.ID, Runtime: Podman, Image: storageImage(c.Metadata)}}
	if len(c.Names) > 0 {
		w.Container.Name = c.Names[0]
	}
	return w
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
