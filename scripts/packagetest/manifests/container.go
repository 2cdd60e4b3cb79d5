package main

import (
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// container is what a manifest says of its one container.
type container struct {
	args, env       []string
	capabilities    []string // with CAP_
	readOnlyRoot    bool
	noNewPrivileges bool
	mounts          []mount
	// filter is the default one of the runtime that is meant, for what the spec has.
	filter func(*specs.Spec) (*specs.LinuxSeccomp, error)
}

// mount is a path of the host, or files that the manifest has.
type mount struct {
	host, path  string
	readOnly    bool
	propagation string // of mount(8), such as rslave
}

// host is what stands for the machine in a test.
type host struct {
	rootfs, netns, cgroup string
	at                    places
}

// spec is what a runtime makes of the container (OCI runtime specification): the host's
// pid namespace and the network namespace given, and around that what containerd's CRI
// plugin and Docker have for every container.
func (c container) spec(h host) (*specs.Spec, error) {
	s := &specs.Spec{
		Version: "1.0.2",
		Root:    &specs.Root{Path: h.rootfs, Readonly: c.readOnlyRoot},
		Process: &specs.Process{
			Args: append([]string{"/usr/bin/imds-analyzer"}, c.args...),
			Env:  c.env, Cwd: "/", NoNewPrivileges: c.noNewPrivileges,
			// None is ambient or inheritable: neither runtime gives that.
			Capabilities: &specs.LinuxCapabilities{Bounding: c.capabilities, Effective: c.capabilities, Permitted: c.capabilities},
		},
		Mounts: usualMounts(),
		Linux: &specs.Linux{
			CgroupsPath: h.cgroup,
			Namespaces: []specs.LinuxNamespace{
				{Type: specs.MountNamespace}, {Type: specs.IPCNamespace}, {Type: specs.NetworkNamespace, Path: h.netns},
			},
			MaskedPaths: []string{
				"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
				"/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
			},
			ReadonlyPaths: []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"},
		},
	}
	for _, m := range c.mounts {
		made, err := m.spec(h.at)
		if err != nil {
			return nil, err
		}
		s.Mounts = append(s.Mounts, made)
	}
	var err error
	s.Linux.Seccomp, err = c.filter(s)
	return s, err
}

func usualMounts() []specs.Mount {
	return []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
		{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}},
	}
}

func (m mount) spec(at places) (specs.Mount, error) {
	source := m.host
	if other, ok := at[m.host]; ok {
		source = other
	}
	if source == "" || source[0] != '/' {
		return specs.Mount{}, fmt.Errorf("what is %s? Name it with -at %s=DIR", m.path, m.host)
	}
	propagation := m.propagation
	if propagation == "" {
		propagation = "rprivate"
	}
	options := []string{"rbind", propagation, "rw"}
	if m.readOnly {
		options[2] = "ro"
	}
	return specs.Mount{Destination: m.path, Type: "bind", Source: source, Options: options}, nil
}
