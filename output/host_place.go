package output

import (
	"cmp"
	"encoding/json"
	"io"
	"io/fs"
	"strings"
)

// instanceDataFile is what cloud-init has learnt of the instance, without what is
// secret (cloud-init documentation, "Instance-data": instance-data.json is readable
// by all, instance-data-sensitive.json is not). It is of the current boot, and there
// once cloud-init has asked the metadata service.
const instanceDataFile = "run/cloud-init/instance-data.json"

// maxInstanceData bounds what is read of it, in bytes. It has the metadata and
// cloud-init's own settings: some ten KiB.
const maxInstanceData = 4 << 20

// readPlace learns where the instance is from cloud-init, or else from its name.
func (h *Host) readPlace(root fs.FS) {
	if region, zone := placeByCloudInit(root); region != "" {
		h.Region, h.AvailabilityZone = region, zone
		return
	}
	h.Region = cmp.Or(RegionOf(h.Hostname), h.Region)
}

// placeByCloudInit returns nothing on other clouds than AWS.
func placeByCloudInit(root fs.FS) (region, zone string) {
	file, err := root.Open(instanceDataFile)
	if err != nil {
		return "", ""
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxInstanceData))
	if err != nil {
		return "", ""
	}
	return placeOfInstanceData(data)
}

// placeOfInstanceData reads the standardized keys of instance-data.json.
func placeOfInstanceData(data []byte) (region, zone string) {
	var instance struct {
		V1 struct {
			CloudName string `json:"cloud_name"`
			Region    string `json:"region"`
			Zone      string `json:"availability_zone"`
		} `json:"v1"`
	}
	v1 := &instance.V1
	if json.Unmarshal(data, &instance) != nil || v1.CloudName != "aws" || !IsRegion(v1.Region) {
		return "", ""
	}
	if !isZone(v1.Zone, v1.Region) {
		return v1.Region, ""
	}
	return v1.Region, v1.Zone
}

// RegionOf is the region that the name which EC2 has given to an instance tells, empty
// if it is another name (EC2 user guide, "EC2 instance hostname types"): it ends with
// REGION.compute.internal, in us-east-1 with ec2.internal.
func RegionOf(hostname string) string {
	if strings.HasSuffix(hostname, ".ec2.internal") {
		return "us-east-1"
	}
	rest, ok := strings.CutSuffix(hostname, ".compute.internal")
	if at := strings.LastIndexByte(rest, '.'); ok && at >= 0 && IsRegion(rest[at+1:]) {
		return rest[at+1:]
	}
	return ""
}

// maxPlace bounds the names of regions and zones in bytes; the longest there are have
// some 30.
const maxPlace = 64

// IsRegion says whether a text looks like the name of a region: two or more words of
// small letters and a number, as in us-gov-west-1. It has nothing in it that means
// something to a shell.
func IsRegion(s string) bool {
	words := strings.Split(s, "-")
	last := len(words) - 1
	if last < 2 || len(s) > maxPlace || !onlyBetween(words[last], '0', '9') {
		return false
	}
	for _, word := range words[:last] {
		if !onlyBetween(word, 'a', 'z') {
			return false
		}
	}
	return true
}

// isZone says whether a text looks like the name of a zone of the region: that, and a
// letter, or more for local zones, as in us-west-2-lax-1a.
func isZone(s, region string) bool {
	rest, ok := strings.CutPrefix(s, region)
	return ok && rest != "" && len(s) <= maxPlace && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// onlyBetween says that a text is not empty, and which characters it is of.
func onlyBetween(s string, first, last rune) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < first || r > last }) < 0
}
