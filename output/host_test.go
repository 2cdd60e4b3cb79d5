package output

import (
	"testing"
	"testing/fstest"
)

func file(content string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(content)} }

func TestReadHost(t *testing.T) {
	tests := []struct {
		name string
		root fstest.MapFS
		want Host
	}{
		{"nothing known", fstest.MapFS{}, Host{}},
		{"instance", fstest.MapFS{
			hostnameFile:     file("web-1\n"),
			machineIDFile:    file("0123456789abcdef0123456789abcdef\n"),
			assetTagFile:     file("i-0123456789abcdef0\n"),
			instanceDataFile: file(`{"v1":{"cloud_name":"aws","region":"eu-central-1","availability_zone":"eu-central-1a"}}`),
		}, testHost},
		{"old instance id", fstest.MapFS{assetTagFile: file("i-01234567\n")}, Host{InstanceID: "i-01234567"}},
		{"other machine", fstest.MapFS{assetTagFile: file("To Be Filled By O.E.M.\n"), hostnameFile: file("pc")}, Host{Hostname: "pc"}},
		{"not quite an instance", fstest.MapFS{assetTagFile: file("i-0123456789abcdef0 \x1b[31m x\n")}, Host{}},
		{"first boot", fstest.MapFS{machineIDFile: file("uninitialized\n")}, Host{}},
		{"empty files", fstest.MapFS{machineIDFile: file(""), hostnameFile: file("\n")}, Host{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := ReadHost(tt.root); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestReadBootID(t *testing.T) {
	root := fstest.MapFS{bootIDFile: file("c3b1b2a0-7a52-4a8e-9a0d-0f4b3f0a7a11\n")}
	if got := ReadBootID(root); got != "c3b1b2a0-7a52-4a8e-9a0d-0f4b3f0a7a11" {
		t.Errorf("got %q", got)
	}
	if got := ReadBootID(fstest.MapFS{}); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestReadUptime(t *testing.T) {
	for content, want := range map[string]uint64{
		"1234.56 4321.00\n":              1234,
		"0.09 0.01\n":                    0,
		"35\n":                           35,
		"":                               0,
		"-3.00 1.00\n":                   0,
		"soon\n":                         0,
		"99999999999999999999.00 1.00\n": 0,
	} {
		if got := ReadUptime(fstest.MapFS{uptimeFile: file(content)}); got != want {
			t.Errorf("%q: %d, want %d", content, got, want)
		}
	}
	if got := ReadUptime(fstest.MapFS{}); got != 0 {
		t.Errorf("without the file: %d", got)
	}
}

func TestHostFields(t *testing.T) {
	if f := (&Host{}).fields(); f != (HostFields{}) {
		t.Errorf("%+v of a host of which nothing is known", f)
	}
	if f := (&Host{Hostname: "pc"}).fields(); f.Cloud != (Cloud{}) {
		t.Errorf("%+v on no cloud", f.Cloud)
	}
	if f := (&Host{Region: "us-east-1"}).fields(); f.Cloud.Provider != "aws" || f.Cloud.Region != "us-east-1" {
		t.Errorf("%+v of an instance whose id is not known", f.Cloud)
	}
}
