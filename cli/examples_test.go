package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/spf13/pflag"
)

// The manifests in examples/ have flags and keys that this program knows, and say the
// same to it.
func TestExamplesAreUnderstood(t *testing.T) {
	config, args := ofDaemonSet(t)
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if want := []string{"--config", "/etc/imds-analyzer/config.yaml"}; !slices.Equal(args, want) {
		t.Errorf("the DaemonSet's arguments are %q, not %q", args, want)
	}
	pod := understood(t, "--config", file)
	task := understood(t, ofTask(t)...)
	delete(pod, "config")
	if len(pod) == 0 || len(pod) != len(task) {
		t.Errorf("the DaemonSet gives %v, the task %v", pod, task)
	}
	for name, value := range task {
		if pod[name] != value {
			t.Errorf("--%s is %q for the DaemonSet, and %q for the task", name, pod[name], value)
		}
	}
}

// The commands in docs/deploy.md read from where the examples have the log go.
func TestDeployedLogIsRead(t *testing.T) {
	text, err := os.ReadFile("../docs/deploy.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ command, example, has string }{
		{`--log-group-name (\S+)`, "cloudwatch-agent/amazon-cloudwatch-agent.json", `"log_group_name": "%s"`},
		{`--log-group-name (\S+)`, "cloudwatch-agent/metrics-and-alarms.yaml", "Default: %s\n"},
		{"and `(\\S+)` of the ECS task", "ecs/task-definition.json", `"awslogs-group": "%s"`},
		{`kubectl get pods -n (\S+)`, "kubernetes/daemonset.yaml", "namespace: %s\n"},
		{`kubectl logs -n (\S+)`, "kubernetes/daemonset.yaml", "namespace: %s\n"},
	} {
		named := regexp.MustCompile(tt.command).FindSubmatch(text)
		if named == nil {
			t.Fatalf("%s is not in it", tt.command)
		}
		if want := fmt.Sprintf(tt.has, named[1]); !strings.Contains(readExample(t, tt.example), want) {
			t.Errorf("%s has no %q", tt.example, want)
		}
	}
}

// understood is what a start with these arguments would have set.
func understood(t *testing.T, args ...string) map[string]string {
	t.Helper()
	o, flags := flagsOf(t, args...)
	var said strings.Builder
	if err := o.prepare(flags, Streams{Out: &said, Err: &said}); err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	set := map[string]string{}
	flags.Visit(func(f *pflag.Flag) { set[f.Name] = f.Value.String() })
	return set
}

// ofDaemonSet returns the configuration in the ConfigMap and the container's arguments.
func ofDaemonSet(t *testing.T) (config string, args []string) {
	t.Helper()
	for document := range strings.SplitSeq(readExample(t, "kubernetes/daemonset.yaml"), "\n---\n") {
		var object struct {
			Kind string
			Data map[string]string
			Spec struct {
				Template struct {
					Spec struct{ Containers []struct{ Args []string } }
				}
			}
		}
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			t.Fatal(err)
		}
		switch object.Kind {
		case "ConfigMap":
			config = object.Data["config.yaml"]
		case "DaemonSet":
			args = object.Spec.Template.Spec.Containers[0].Args
		}
	}
	return config, args
}

// ofTask returns the arguments of the task's container.
func ofTask(t *testing.T) []string {
	t.Helper()
	var task struct {
		ContainerDefinitions []struct{ Command []string }
	}
	if err := json.Unmarshal([]byte(readExample(t, "ecs/task-definition.json")), &task); err != nil {
		t.Fatal(err)
	}
	return task.ContainerDefinitions[0].Command
}

func readExample(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "examples", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
