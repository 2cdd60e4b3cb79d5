package output

import (
	"io/fs"
	"regexp"
	"strconv"
	"strings"
)

// Host is the machine that entries are written on. Fields whose value is not
// known are empty, as all are for captures of other machines.
type Host struct {
	Hostname   string
	ID         string // of machine-id(5)
	InstanceID string // of EC2
}

// Files that name the machine, below the root of its file system.
const (
	hostnameFile  = "proc/sys/kernel/hostname"
	machineIDFile = "etc/machine-id"
	// Instances on the Nitro system have their id here (EC2 user guide,
	// "Identify EC2 instances").
	assetTagFile = "sys/class/dmi/id/board_asset_tag"
	bootIDFile   = "proc/sys/kernel/random/boot_id"
	uptimeFile   = "proc/uptime"
)

// ReadHost learns what the machine itself knows, without asking the metadata
// service. The root is that of its file system, os.DirFS("/").
func ReadHost(root fs.FS) Host {
	h := Host{Hostname: readLine(root, hostnameFile), ID: readLine(root, machineIDFile)}
	if h.ID == "uninitialized" { // machine-id(5), "First boot semantics"
		h.ID = ""
	}
	instanceID := regexp.MustCompile(`^i-[0-9a-f]{8,17}$`)
	if tag := readLine(root, assetTagFile); instanceID.MatchString(tag) {
		h.InstanceID = tag
	}
	return h
}

// ReadBootID returns the id of the machine's current boot, empty if it is not
// known (random(4), boot_id).
func ReadBootID(root fs.FS) string { return readLine(root, bootIDFile) }

// ReadUptime returns for how many whole seconds the machine has been up, 0 if that is
// not known (proc_uptime(5)).
func ReadUptime(root fs.FS) uint64 {
	seconds, _, _ := strings.Cut(readLine(root, uptimeFile), ".")
	uptime, err := strconv.ParseUint(seconds, 10, 64)
	if err != nil {
		return 0
	}
	return uptime
}

// readLine returns a file's first line, empty if it cannot be read.
func readLine(root fs.FS, name string) string {
	data, err := fs.ReadFile(root, name)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return strings.TrimSpace(line)
}

func (h Host) fields() HostFields {
	f := HostFields{Host: HostField{Hostname: h.Hostname, ID: h.ID}}
	if h.InstanceID != "" {
		f.Cloud = Cloud{Provider: "aws", Instance: Instance{ID: h.InstanceID}}
	}
	return f
}
