package main

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// tree is what the service tells of an instance: texts by their paths below the
// version of the interface, without a leading slash.
type tree map[string]string

// instance is the tree of the machine under test. cloud-init asks for all of it.
func instance(mac, userData string) tree {
	network := "meta-data/network/interfaces/macs/" + mac + "/"
	return tree{
		"user-data":                                    userData,
		"in-flight":                                    "late",
		"dynamic/instance-identity/document":           `{"instanceId":"i-0123456789abcdef0","region":"eu-north-1","accountId":"123456789012"}`,
		"meta-data/ami-id":                             "ami-0123456789abcdef0",
		"meta-data/hostname":                           "ip-10-0-0-10.eu-north-1.compute.internal",
		"meta-data/instance-action":                    "none",
		"meta-data/instance-id":                        "i-0123456789abcdef0",
		"meta-data/instance-type":                      "t3.micro",
		"meta-data/local-hostname":                     "ip-10-0-0-10.eu-north-1.compute.internal",
		"meta-data/local-ipv4":                         "10.0.0.10",
		"meta-data/mac":                                mac,
		"meta-data/placement/availability-zone":        "eu-north-1a",
		"meta-data/placement/region":                   "eu-north-1",
		"meta-data/services/domain":                    "amazonaws.com",
		"meta-data/services/partition":                 "aws",
		network + "device-number":                      "0",
		network + "interface-id":                       "eni-0123456789abcdef0",
		network + "local-ipv4s":                        "10.0.0.10",
		network + "mac":                                mac,
		network + "subnet-ipv4-cidr-block":             "10.0.0.0/24",
		"meta-data/tags/instance/Name":                 "boot test",
		"meta-data/reservation-id":                     "r-0123456789abcdef0",
		"meta-data/security-groups":                    "default",
		"meta-data/block-device-mapping/ami":           "/dev/xvda",
		"meta-data/block-device-mapping/root":          "/dev/xvda",
		"meta-data/instance-life-cycle":                "on-demand",
		"meta-data/system":                             "nitro",
		"meta-data/events/maintenance/history":         "[]",
		"meta-data/iam/info":                           `{"Code":"Success"}`,
		"meta-data/metrics/vhostmd":                    `<?xml version="1.0" encoding="UTF-8"?>`,
		"meta-data/autoscaling/target-lifecycle-state": "InService",
	}
}

// get returns what is at a path such as /latest/meta-data/: a text, or the names
// below it, with a slash behind those that have names below them. The first element
// is the version of the interface: all are the same here.
func (t tree) get(asked string) (body string, ok bool) {
	_, asked, _ = strings.Cut(strings.TrimPrefix(path.Clean("/"+asked), "/"), "/")
	if body, ok = t[asked]; ok {
		return body, true
	}
	names := t.below(asked)
	return strings.Join(names, "\n"), len(names) > 0
}

// below lists the names in a directory of the tree.
func (t tree) below(directory string) []string {
	found := map[string]bool{}
	for full := range t {
		rest, ok := strings.CutPrefix(full, directory+"/")
		if directory == "" {
			rest, ok = full, true
		}
		if name, _, deeper := strings.Cut(rest, "/"); ok && deeper {
			found[name+"/"] = true
		} else if ok {
			found[name] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
