package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	docker "github.com/moby/profiles/seccomp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// capabilities are those that a task may add. The model of the API has any text for
// them (Amazon ECS API Reference, KernelCapabilities). PERFMON is none of them.
var capabilities = strings.Fields(`ALL AUDIT_CONTROL AUDIT_WRITE BLOCK_SUSPEND CHOWN DAC_OVERRIDE DAC_READ_SEARCH
	FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN
	NET_BIND_SERVICE NET_BROADCAST NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE
	SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG SYSLOG WAKE_ALARM`)

// strict reads JSON, in which every key has to be one of the value's.
func strict(b []byte, value any) error {
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(value); err != nil {
		return err
	}
	return cased(b, value)
}

// cased fails on a key that the API writes otherwise: encoding/json takes any case. The
// AWS CLI and the API do not.
func cased(b []byte, value any) error {
	var given any
	if err := json.Unmarshal(b, &given); err != nil {
		return err
	}
	return casedIn(given, reflect.TypeOf(value))
}

func casedIn(given any, of reflect.Type) error {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
		of = of.Elem()
	}
	switch given := given.(type) {
	case []any:
		for _, v := range given {
			if err := casedIn(v, of); err != nil {
				return err
			}
		}
	case map[string]any:
		if of.Kind() != reflect.Struct {
			return nil
		}
		for key, v := range given {
			f, ok := of.FieldByName(strings.ToUpper(key[:1]) + key[1:])
			if !ok || strings.ToUpper(key[:1]) == key[:1] {
				return fmt.Errorf("%s has no %s", of.Name(), key)
			}
			if err := casedIn(v, f.Type); err != nil {
				return err
			}
		}
	}
	return nil
}

// enumerated fails on a value of an enumeration that is none of its values.
func enumerated(v reflect.Value) error {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return enumerated(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			if err := enumerated(v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				continue
			}
			if err := enumerated(v.Field(i)); err != nil {
				return fmt.Errorf("%s: %w", v.Type().Field(i).Name, err)
			}
		}
	case reflect.String:
		values := v.MethodByName("Values")
		if !values.IsValid() || v.String() == "" {
			return nil
		}
		all := values.Call(nil)[0]
		for i := range all.Len() {
			if all.Index(i).String() == v.String() {
				return nil
			}
		}
		return fmt.Errorf("%q is none of %v", v.String(), all)
	}
	return nil
}

// nowhere answers requests to the API itself, with nothing.
type nowhere struct{ asked string }

func (n *nowhere) Do(r *http.Request) (*http.Response, error) {
	n.asked = r.Header.Get("X-Amz-Target")
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

// client is one that validates requests as it does before it sends them.
func client() (*ecs.Client, *nowhere) {
	n := &nowhere{}
	return ecs.New(ecs.Options{
		Region: "eu-central-1", HTTPClient: n,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "none", SecretAccessKey: "none"}, nil
		}),
	}), n
}

func checkTaskDefinition(b []byte) (string, error) {
	var in ecs.RegisterTaskDefinitionInput
	if err := errors.Join(strict(b, &in), enumerated(reflect.ValueOf(in))); err != nil {
		return "", err
	}
	if err := offered(in.ContainerDefinitions); err != nil {
		return "", err
	}
	if err := mounted(in); err != nil {
		return "", err
	}
	c, n := client()
	if _, err := c.RegisterTaskDefinition(context.Background(), &in); err != nil {
		return "", err
	}
	return fmt.Sprintf("strictly decoded, and a valid %s to the AWS SDK for Go %s", n.asked, sdkVersion()), nil
}

// offered fails on capabilities that are not documented.
func offered(containers []types.ContainerDefinition) error {
	for _, c := range containers {
		for _, capability := range slices.Concat(c.LinuxParameters.Capabilities.Add, c.LinuxParameters.Capabilities.Drop) {
			if !slices.Contains(capabilities, capability) {
				return fmt.Errorf("ECS has no capability %s", capability)
			}
		}
	}
	return nil
}

// mounted fails on a mount without a volume, and a volume without a mount.
func mounted(in ecs.RegisterTaskDefinitionInput) error {
	var volumes, mounts []string
	for _, v := range in.Volumes {
		volumes = append(volumes, *v.Name)
	}
	for _, c := range in.ContainerDefinitions {
		for _, m := range c.MountPoints {
			mounts = append(mounts, *m.SourceVolume)
		}
	}
	if !slices.Equal(volumes, mounts) {
		return fmt.Errorf("volumes %q, and mounts of %q", volumes, mounts)
	}
	return nil
}

func checkService(b []byte) (string, error) {
	var in ecs.CreateServiceInput
	if err := errors.Join(strict(b, &in), enumerated(reflect.ValueOf(in))); err != nil {
		return "", err
	}
	c, n := client()
	if _, err := c.CreateService(context.Background(), &in); err != nil {
		return "", err
	}
	return fmt.Sprintf("strictly decoded, and a valid %s to the AWS SDK for Go %s", n.asked, sdkVersion()), nil
}

func sdkVersion() string { return moduleVersion("github.com/aws/aws-sdk-go-v2/service/ecs") }

// readTask finds the task's container, and what Docker would make of it.
func readTask(b []byte) (container, error) {
	var in ecs.RegisterTaskDefinitionInput
	if err := strict(b, &in); err != nil {
		return container{}, err
	}
	if in.NetworkMode != types.NetworkModeHost || in.PidMode != types.PidModeHost || len(in.ContainerDefinitions) != 1 {
		return container{}, errors.New("the task is not one container in the host's network and pid namespaces")
	}
	def := in.ContainerDefinitions[0]
	if !slices.Equal(def.LinuxParameters.Capabilities.Drop, []string{"ALL"}) {
		return container{}, errors.New("not all capabilities are dropped")
	}
	c := container{
		args: def.Command, readOnlyRoot: aws.ToBool(def.ReadonlyRootFilesystem),
		filter: func(s *specs.Spec) (*specs.LinuxSeccomp, error) { return docker.GetDefaultProfile(s) },
	}
	for _, variable := range def.Environment {
		c.env = append(c.env, *variable.Name+"="+*variable.Value)
	}
	for _, capability := range def.LinuxParameters.Capabilities.Add {
		c.capabilities = append(c.capabilities, "CAP_"+capability)
	}
	for _, m := range def.MountPoints {
		i := slices.IndexFunc(in.Volumes, func(v types.Volume) bool { return *v.Name == *m.SourceVolume })
		if i < 0 {
			return container{}, fmt.Errorf("there is no volume %s", *m.SourceVolume)
		}
		c.mounts = append(c.mounts, mount{host: *in.Volumes[i].Host.SourcePath, path: *m.ContainerPath, readOnly: aws.ToBool(m.ReadOnly)})
	}
	return c, nil
}
