package diagnosis

import (
	"testing"

	"imds-analyzer/imds"
)

func TestOtherCloud(t *testing.T) {
	others := []string{
		"/computeMetadata/v1/", "/computeMetadata/v1/instance/id?alt=json", "/computeMetadata", "//computeMetadata//v1", "/compute%4Detadata/v1/", "/./computeMetadata/v1",
		"http://169.254.169.254/computeMetadata/v1/", "/metadata/identity/oauth2/token?api-version=2018-02-01", "/metadata/instance?api-version=2021-02-01",
		"/metadata/v1.json", "/metadata/v1/id", "/hetzner/v1/metadata", "/openstack", "/openstack/latest/meta_data.json", "/opc/v1/instance/", "/opc/v2/instance/",
		"/v1.json", "/v1/token", "/instance_identity/v1/token?version=2022-03-01", "/x/../opc/v2/",
	}
	amazons := []string{
		"", "/", "*", "/latest", "/latest/", "/latest/meta-data/instance-id", "/latest/api/token", "/latest/computeMetadata/", "/1.0/meta-data/", "/2009-04-04/meta-data/instance-id",
		"/latest/dynamic/instance-identity/document", "/opcx", "/v10/", "/v1.jsonx", "/metadatax", "/meta-data/", "/computeMetadata2", "/%zz", "/2021-01-03/api/token",
	}
	for _, target := range others {
		if !isOtherCloud(&imds.Request{Target: target}) {
			t.Errorf("%q is said to be meant for Amazon's", target)
		}
	}
	for _, target := range amazons {
		if isOtherCloud(&imds.Request{Target: target}) {
			t.Errorf("%q is said to be meant for another cloud's", target)
		}
	}
}

// FuzzOtherCloud: whatever is asked for below Amazon's own path is meant for it, and a
// query changes nothing.
func FuzzOtherCloud(f *testing.F) {
	for _, s := range []string{"/computeMetadata/v1/", "/opc/v2", "//v1//", "/%6fpc/", "x", "/..", "%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, target string) {
		if isOtherCloud(&imds.Request{Target: "/latest/" + target}) {
			t.Errorf("/latest/%s", target)
		}
		without := imds.Request{Target: target}
		without.Target = without.Path()
		if with := (imds.Request{Target: without.Target + "?x=/opc/"}); without.Target != "" && without.Target[0] == '/' && isOtherCloud(&with) != isOtherCloud(&without) {
			t.Errorf("%q and %q", without.Target, with.Target)
		}
	})
}
