package diagnosis

import (
	"slices"
	"strings"
	"testing"
)

// Every row of the list can be read, and is found by each of its names.
func TestSoftwareList(t *testing.T) {
	table, err := readSoftware(softwareFile)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range table.rows {
		row := &table.rows[i]
		names = append(names, row.Name)
		for _, p := range row.UserAgents {
			name, major, _ := strings.Cut(p, "/")
			if table.ofProduct(name, major) != row {
				t.Errorf("%s is not found by the User-Agent %s", row.Name, p)
			}
		}
		for _, p := range row.Packages {
			if table.ofPackage(p) != row {
				t.Errorf("%s is not found by the package %s", row.Name, p)
			}
		}
		for _, image := range row.Images {
			if table.ofImage("registry.example/"+image) != row {
				t.Errorf("%s is not found by the image %s", row.Name, image)
			}
		}
		checkRow(t, table, row)
	}
	slices.Sort(names)
	if len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("a name is there twice: %q", names)
	}
}

// checkRow: a row judges its own versions right, and has no name that makes it generic.
func checkRow(t *testing.T, table *softwareTable, row *softwareRow) {
	t.Helper()
	for _, p := range row.UserAgents {
		if isGenericAgent(p) {
			t.Errorf("%s: any program can call itself %s", row.Name, p)
		}
	}
	for _, p := range row.Uses {
		if table.ofProduct(p, "") == nil {
			t.Errorf("%s uses %s, which has no row", row.Name, p)
		}
	}
	if row.Never {
		return
	}
	if s := row.software(row.Minimum); !s.Capable || s.Old {
		t.Errorf("%s %s: %+v", row.Name, row.Minimum, s)
	}
	if s := row.software("0.0.1"); !s.Old || s.Capable {
		t.Errorf("%s 0.0.1: %+v", row.Name, s)
	}
	for _, e := range row.Except {
		if s := row.software(e); !s.Old {
			t.Errorf("%s %s: %+v", row.Name, e, s)
		}
	}
}

// AWS's own table, as the user guide has it.
func TestSoftwareListHasAWSTable(t *testing.T) {
	minimum := map[string]string{}
	for _, row := range knownSoftware().rows {
		minimum[row.Name] = row.Minimum
	}
	for name, want := range map[string]string{
		"AWS CLI": "1.16.289", "AWS Tools for PowerShell": "4.0.1.0", "AWS SDK for C++": "1.7.229", "AWS SDK for Go": "1.25.38", "AWS SDK for Go v2": "0.19.0",
		"AWS SDK for Java": "1.11.678", "AWS SDK for Java 2.x": "2.10.21", "AWS SDK for JavaScript in Node.js": "2.722.0", "AWS SDK for Kotlin": "1.1.4",
		"AWS SDK for PHP": "3.147.7", "AWS SDK for Python (Botocore)": "1.13.25", "AWS SDK for Python (Boto3)": "1.12.6", "AWS SDK for Ruby": "3.79.0",
	} {
		if minimum[name] != want {
			t.Errorf("%s: %q, want %q", name, minimum[name], want)
		}
	}
}

// The settings of AWS's SDKs, as their reference guide has them.
func TestSoftwareListHasSettings(t *testing.T) {
	const env, file = "AWS_EC2_METADATA_V1_DISABLED=true", "ec2_metadata_v1_disabled = true"
	for name, want := range map[string][]string{
		"AWS CLI": {env, file}, "AWS Tools for PowerShell": {env, "[Amazon.Util.EC2InstanceMetadata]::EC2MetadataV1Disabled = $true"},
		"AWS SDK for .NET": {env, file}, "AWS SDK for C++": {env, file}, "AWS SDK for Go": {env, file}, "AWS SDK for Go v2": {env, file},
		"AWS SDK for Java":     {env, file, "com.amazonaws.sdk.disableEc2MetadataV1=true"},
		"AWS SDK for Java 2.x": {env, file, " aws.disableEc2MetadataV1=true"}, "AWS SDK for JavaScript in Node.js": {env, file},
		"AWS SDK for Kotlin": nil, // does not fall back
		"AWS SDK for PHP":    {env, file}, "AWS SDK for Python (Botocore)": {env, file}, "AWS SDK for Python (Boto3)": {env, file},
		"AWS SDK for Ruby": {env, file}, "boto 2": nil,
	} {
		s := settingOf(name)
		if (s.Setting == "") != (want == nil) || (s.Setting == "") != (s.SettingSource == "") {
			t.Errorf("%s: %q, want %q", name, s.Setting, want)
		}
		for _, part := range want {
			if !strings.Contains(s.Setting, part) {
				t.Errorf("%s: %q is not in %q", name, part, s.Setting)
			}
		}
	}
}

// What has them ask for a token, as they do by default, and go on without one all the same
// is no setting against the fallback: their calls do not fail with it.
func TestSoftwareListHasNoOtherSettings(t *testing.T) {
	for _, name := range []string{"amazon-efs-utils", "Datadog Agent", "s3fs"} {
		if s := settingOf(name); s.Name == "" || s.Setting != "" {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func settingOf(name string) Software {
	for _, row := range knownSoftware().rows {
		if row.Name == name {
			return row.software("")
		}
	}
	return Software{}
}

func TestReadSoftwareRefuses(t *testing.T) {
	row := func(fields string) string { return `[{"name":"x","source":"https://x",` + fields + `}]` }
	for _, file := range []string{row(`"packages":["x"],"minimum":"1.2","except":["1.3"]`), row(`"packages":["x"],"minimum":"1.2","setting":"x","setting_source":"https://x"`),
		row(`"packages":["x"],"minimum":"1.2","setting":"x","setting_source":"https://x","setting_since":"1.2"`)} {
		if _, err := readSoftware([]byte(file)); err != nil {
			t.Fatal(err)
		}
	}
	for file, want := range map[string]string{
		``:                                     "cannot be read",
		`{}`:                                   "cannot be read",
		row(`"package":["x"],"minimum":"1.2"`): "unknown field",
		`[{"source":"https://x","packages":["x"]}]`:              "no name",
		`[{"name":"x","packages":["x"],"minimum":"1"}]`:          "no source",
		row(`"minimum":"1.2"`):                                   "recognised",
		row(`"packages":["x"]`):                                  "never",
		row(`"packages":["x"],"minimum":"1.2","never":true`):     "never",
		row(`"packages":["x"],"minimum":"new"`):                  "no version",
		row(`"packages":["x"],"minimum":"1.2","except":["1.1"]`): "exception",
		row(`"packages":["x"],"minimum":"1.2","except":["new"]`): "exception",

		row(`"packages":["x"],"minimum":"1.2","setting":"x"`):                                                        "setting",
		row(`"packages":["x"],"minimum":"1.2","setting_source":"https://x"`):                                         "setting",
		row(`"packages":["x"],"minimum":"1.2","setting":"x","setting_source":"http://x"`):                            "setting",
		row(`"packages":["x"],"minimum":"1.2","setting_source":"x"`):                                                 "setting",
		row(`"packages":["x"],"minimum":"1.2","setting_since":"1.3"`):                                                "no setting",
		row(`"packages":["x"],"minimum":"1.2","setting":"x","setting_source":"https://x","setting_since":"1.1"`):     "since which",
		row(`"packages":["x"],"minimum":"1.2","setting":"x","setting_source":"https://x","setting_since":"the new"`): "since which",
		row(`"packages":["x"],"never":true,"setting":"x","setting_source":"https://x"`):                              "no version",
	} {
		if _, err := readSoftware([]byte(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", file, err, want)
		}
	}
}

// Which versions have the setting is looked up in lists of changes.
func TestSettingSince(t *testing.T) {
	tests := []struct {
		name, before, since string
	}{
		{"AWS SDK for .NET", "3.7.302.10", "3.7.302.11"},
		{"AWS SDK for Go", "1.47.1", "1.47.2"},
		{"AWS SDK for Go v2", "1.22.0", "1.22.1"}, // which config v1.22.0 requires
		{"AWS SDK for Java 2.x", "2.23.16", "2.23.17"},
		{"AWS SDK for JavaScript in Node.js", "2.1487.0", "2.1488.0"},
		{"AWS SDK for Python (Botocore)", "1.32.3", "1.32.4"},
		{"AWS SDK for Python (Boto3)", "1.29.3", "1.29.4"},
		{"AWS SDK for Ruby", "3.185.2", "3.186.0"},
		{"AWS CodeDeploy agent", "1.6.0-49", "1.7.0"},
	}
	for _, tt := range tests {
		for _, row := range knownSoftware().rows {
			if row.Name != tt.name {
				continue
			}
			if s := row.software(tt.before); !s.BeforeSetting || s.SettingSince != tt.since {
				t.Errorf("%s %s: %+v", tt.name, tt.before, s)
			}
			if s := row.software(tt.since); s.BeforeSetting {
				t.Errorf("%s %s: %+v", tt.name, tt.since, s)
			}
			if s := row.software(""); s.BeforeSetting {
				t.Errorf("%s of no known version: %+v", tt.name, s)
			}
		}
	}
}
