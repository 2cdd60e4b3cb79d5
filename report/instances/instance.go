// Package instances reads lists of instances, as aws ec2 describe-instances writes
// them, and keeps what a report needs of each.
package instances

import "strings"

// Instance is what a list says of an instance. Texts are as they stand there, and
// empty where it does not tell.
type Instance struct {
	Zone    string // availability zone
	State   string // of InstanceState: pending, running, shutting-down, terminated, stopping or stopped
	Options Options
	Group   Group
}

// Options are those of an instance's MetadataOptions that matter.
type Options struct {
	State        string // pending or applied
	HTTPTokens   string // optional or required
	HTTPEndpoint string // enabled or disabled
	HopLimit     int
}

// Gone says that the instance is terminated, or about to be.
func (i *Instance) Gone() bool { return i.State == "terminated" || i.State == "shutting-down" }

// Stopped says that it does not run, and can be started again.
func (i *Instance) Stopped() bool { return i.State == "stopped" || i.State == "stopping" }

// Pending says that they are not in force yet.
func (o *Options) Pending() bool { return o.State == "pending" }

// Required says that version 2 is required.
func (o *Options) Required() bool { return o.HTTPTokens == "required" && !o.Pending() }

// Disabled says that the metadata service answers nobody.
func (o *Options) Disabled() bool { return o.HTTPEndpoint == "disabled" && !o.Pending() }

// Region is that of the availability zone: of us-east-1a, and of the local zone
// us-west-2-lax-1a, what ends with the first number. It is empty if that is not known.
func (i *Instance) Region() string {
	parts := strings.Split(i.Zone, "-")
	for n, part := range parts {
		digits := len(part) - len(strings.TrimLeft(part, "0123456789"))
		switch {
		case digits > 0 && n >= 2:
			return strings.Join(parts[:n], "-") + "-" + part[:digits]
		case digits > 0 || part == "" || strings.Trim(part, "abcdefghijklmnopqrstuvwxyz") != "":
			return ""
		}
	}
	return ""
}
