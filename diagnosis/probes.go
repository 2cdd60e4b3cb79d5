package diagnosis

import (
	"net/url"
	"path"
	"strings"

	"imds-analyzer/imds"
)

// otherClouds are the paths of metadata services on the same address that are not
// Amazon's, in lower case, with all that is below them. Programs that run in many clouds
// ask there to find out in which one they are. Amazon's own paths begin with a version
// (EC2 user guide, "Instance metadata categories").
var otherClouds = [...]string{
	"/computemetadata",   // Google, and Yandex: cloud.google.com/compute/docs/metadata/querying-metadata
	"/metadata",          // Azure: learn.microsoft.com/azure/virtual-machines/instance-metadata-service; DigitalOcean: docs.digitalocean.com/reference/api/metadata; IBM: cloud.ibm.com/apidocs/vpc-metadata
	"/instance_identity", // IBM, for its token
	"/hetzner",           // Hetzner: docs.hetzner.cloud/reference/cloud#server-metadata
	"/openstack",         // OpenStack, and Huawei: docs.openstack.org/nova/latest/user/metadata.html
	"/opc",               // Oracle: docs.oracle.com/iaas/Content/Compute/Tasks/gettingmetadata.htm
	"/v1", "/v1.json",    // Vultr: docs.vultr.com, "Metadata API"; Akamai's Linode: techdocs.akamai.com/cloud-computing/docs/metadata-service-api
}

// isOtherCloud reports whether a request is meant for another cloud's service.
func isOtherCloud(r *imds.Request) bool {
	target := r.Path()
	if strings.HasPrefix(target, "/latest/") {
		return false // as nearly all do
	}
	target = plainPath(target)
	for _, other := range otherClouds {
		if below, ok := strings.CutPrefix(target, other); ok && (below == "" || below[0] == '/') {
			return true
		}
	}
	return false
}

// plainPath is a path in the one way in which it can be compared: decoded, in lower
// case, without empty and dot segments.
func plainPath(target string) string {
	if decoded, err := url.PathUnescape(target); err == nil {
		target = decoded
	}
	if target == "" {
		return ""
	}
	return strings.ToLower(path.Clean("/" + target))
}
