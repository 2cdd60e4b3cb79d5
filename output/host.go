package output

import (
	"cmp"
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
	Region     string // of AWS, such as eu-central-1
	// AvailabilityZone is within the Region; empty if that is.
	AvailabilityZone string
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
	h := Host{ID: readLine(root, machineIDFile)}
	if h.ID == "uninitialized" { // machine-id(5), "First boot semantics"
		h.ID = ""
	}
	instanceID := regexp.MustCompile(`^i-[0-9a-f]{8,17}$`)
	if tag := readLine(root, assetTagFile); instanceID.MatchString(tag) {
		h.InstanceID = tag
	}
	h.Refresh(root)
	return h
}

// Refresh reads what is not there yet, or not final, when a machine has just begun to
// boot: its name and, until they are known, its region and zone.
func (h *Host) Refresh(root fs.FS) {
	h.Hostname = cmp.Or(readLine(root, hostnameFile), h.Hostname)
	if h.AvailabilityZone == "" {
		h.readPlace(root)
	}
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

func (h *Host) fields() HostFields {
	f := HostFields{Host: HostField{Hostname: h.Hostname, ID: h.ID}}
	if h.InstanceID != "" || h.Region != "" {
		f.Cloud = Cloud{
			Provider:         "aws",
			Region:           h.Region,
			AvailabilityZone: h.AvailabilityZone,
			Instance:         Instance{ID: h.InstanceID},
		}
	}
	return f
}
