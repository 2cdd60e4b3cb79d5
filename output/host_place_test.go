package output

import (
	"strings"
	"testing"
	"testing/fstest"
)

// instanceData is what cloud-init writes on an instance of EC2, cut to its
// standardized keys.
const instanceData = `{
 "base64_encoded_keys": [],
 "ds": {"dynamic": {"instance-identity": {"document": {"region": "us-west-2"}}}, "meta_data": {"placement": {"region": "us-west-2"}}},
 "merged_cfg": "redacted for non-root user",
 "sensitive_keys": ["ds/meta_data/iam/security-credentials", "ds/user_data"],
 "v1": {
  "_beta_keys": ["subplatform"],
  "availability-zone": "us-west-2b",
  "availability_zone": "us-west-2b",
  "cloud_name": "aws",
  "instance_id": "i-0123456789abcdef0",
  "platform": "ec2",
  "region": "us-west-2",
  "subplatform": "metadata (http://169.254.169.254)"
 }
}`

func TestPlace(t *testing.T) {
	v1 := func(keys string) *fstest.MapFile { return file(`{"v1":{` + keys + `}}`) }
	tests := []struct {
		name         string
		hostname     string
		instance     *fstest.MapFile
		region, zone string
	}{
		{"by cloud-init", "web-1", file(instanceData), "us-west-2", "us-west-2b"},
		{"by the name", "ip-10-0-0-1.us-west-2.compute.internal", nil, "us-west-2", ""},
		{"by the name in the first region", "ip-10-0-0-1.ec2.internal", nil, "us-east-1", ""},
		{"by a name with the id", "i-0123456789abcdef0.eu-central-2.compute.internal", nil, "eu-central-2", ""},
		{"cloud-init knows better", "ip-10-0-0-1.ec2.internal", file(instanceData), "us-west-2", "us-west-2b"},
		{"local zone", "", v1(`"cloud_name":"aws","region":"us-west-2","availability_zone":"us-west-2-lax-1a"`), "us-west-2", "us-west-2-lax-1a"},
		{"four words", "", v1(`"cloud_name":"aws","region":"us-gov-west-1","availability_zone":"us-gov-west-1a"`), "us-gov-west-1", "us-gov-west-1a"},
		{"no zone", "", v1(`"cloud_name":"aws","region":"us-west-2"`), "us-west-2", ""},
		{"zone of elsewhere", "", v1(`"cloud_name":"aws","region":"us-west-2","availability_zone":"eu-west-2a"`), "us-west-2", ""},
		{"zone that is the region", "", v1(`"cloud_name":"aws","region":"us-west-2","availability_zone":"us-west-2"`), "us-west-2", ""},
		{"zone with more in it", "", v1(`"cloud_name":"aws","region":"us-west-2","availability_zone":"us-west-2a;x"`), "us-west-2", ""},
		{"another cloud", "", v1(`"cloud_name":"openstack","region":"us-west-2","availability_zone":"us-west-2a"`), "", ""},
		{"region with more in it", "", v1(`"cloud_name":"aws","region":"us-west-2 $(x)","availability_zone":"us-west-2a"`), "", ""},
		{"no text", "", v1(`"cloud_name":"aws","region":7`), "", ""},
		{"null", "", v1(`"cloud_name":"aws","region":null`), "", ""},
		{"cut off", "", file(instanceData[:len(instanceData)-3]), "", ""},
		{"longer than is read", "", file(instanceData + strings.Repeat(" ", maxInstanceData) + "}"), "us-west-2", "us-west-2b"},
		{"short name", "ip-10-0-0-1", nil, "", ""},
		{"no region in the name", "web.compute.internal", nil, "", ""},
		{"another's name", "us-west-2.compute.internal.example.com", nil, "", ""},
		{"region alone", "us-west-2.compute.internal", nil, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := fstest.MapFS{hostnameFile: file(tt.hostname + "\n")}
			if tt.instance != nil {
				root[instanceDataFile] = tt.instance
			}
			if h := ReadHost(root); h.Region != tt.region || h.AvailabilityZone != tt.zone {
				t.Errorf("%q and %q, want %q and %q", h.Region, h.AvailabilityZone, tt.region, tt.zone)
			}
		})
	}
}

// While a machine boots its name and its place come to be known, and stay.
func TestRefresh(t *testing.T) {
	root := fstest.MapFS{hostnameFile: file("localhost\n"), machineIDFile: file("0123\n")}
	h := ReadHost(root)
	steps := []struct {
		name   string
		change func()
		want   Host
	}{
		{"nothing new", func() {}, Host{Hostname: "localhost", ID: "0123"}},
		{"named", func() { root[hostnameFile] = file("ip-10-0-0-1.us-west-2.compute.internal") },
			Host{Hostname: "ip-10-0-0-1.us-west-2.compute.internal", ID: "0123", Region: "us-west-2"}},
		{"named anew", func() { root[hostnameFile] = file("web-1") }, Host{Hostname: "web-1", ID: "0123", Region: "us-west-2"}},
		{"cloud-init has run", func() { root[instanceDataFile] = file(instanceData) },
			Host{Hostname: "web-1", ID: "0123", Region: "us-west-2", AvailabilityZone: "us-west-2b"}},
		{"all files gone", func() { clear(root) }, Host{Hostname: "web-1", ID: "0123", Region: "us-west-2", AvailabilityZone: "us-west-2b"}},
	}
	for _, step := range steps {
		step.change()
		if h.Refresh(root); h != step.want {
			t.Errorf("%s: %+v, want %+v", step.name, h, step.want)
		}
	}
}

func TestIsRegion(t *testing.T) {
	tests := map[string]bool{
		"us-east-1": true, "us-gov-west-1": true, "us-isob-east-1": true, "eusc-de-east-1": true, "ap-southeast-12": true,
		"": false, "us": false, "us-1": false, "us-east": false, "us-east-1a": false, "us-east-": false, "-east-1": false, "us--1": false,
		"US-east-1": false, "us-east-1\n": false, "us-east-1 x": false, "us-éast-1": false, "us-east-1;x": false, "$(x)-a-1": false,
		strings.Repeat("a", 70) + "-east-1": false,
	}
	for text, want := range tests {
		if got := IsRegion(text); got != want {
			t.Errorf("IsRegion(%q) = %v", text, got)
		}
	}
}

// Whatever is in the file, what is taken from it are names of places.
func FuzzInstanceData(f *testing.F) {
	f.Add([]byte(instanceData))
	f.Add([]byte(`{"v1":{"cloud_name":"aws","region":"us-gov-west-1","availability_zone":"us-gov-west-1-x-1a"}}`))
	f.Add([]byte(`{"v1":{"cloud_name":"aws","region":"us-east-1\u001b","availability_zone":[]}}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		region, zone := placeOfInstanceData(data)
		if region != "" && !IsRegion(region) || zone != "" && !strings.HasPrefix(zone, region) || region == "" && zone != "" {
			t.Errorf("%q and %q", region, zone)
		}
		if s := region + zone; Sanitize(s) != s || strings.ContainsAny(s, " $;&|<>()'\"`\\\n") {
			t.Errorf("%q and %q", region, zone)
		}
	})
}
