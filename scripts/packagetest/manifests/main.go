// Manifests holds examples/kubernetes and examples/ecs against what reads them: the API
// server's own validation, and the AWS SDK's. It also makes of each what a container
// runtime makes of it, so that a test can run the program with just that.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
)

const usage = `usage: manifests check FILE...
       manifests bundle [-at HOSTPATH=DIR]... -rootfs DIR -netns FILE -cgroup PATH FILE
       manifests files FILE DIR`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "manifests:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) > 1 && args[0] == "check":
		return checkAll(args[1:])
	case len(args) > 1 && args[0] == "bundle":
		return bundle(args[1:])
	case len(args) == 3 && args[0] == "files":
		return writeFiles(args[1], args[2])
	}
	return errors.New(usage)
}

// checkAll prints a line for each file, WHAT and RESULT with a tab between.
func checkAll(names []string) error {
	for _, name := range names {
		result, err := check(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Printf("%s\t%s\n", short(name), result)
	}
	return nil
}

// short is a file's name from the examples on.
func short(name string) string {
	if i := strings.LastIndex(name, "examples/"); i >= 0 {
		return name[i:]
	}
	return name
}

func check(name string) (result string, err error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	switch {
	case strings.HasSuffix(name, ".yaml"):
		return checkKubernetes(b)
	case strings.HasSuffix(name, "task-definition.json"):
		return checkTaskDefinition(b)
	case strings.HasSuffix(name, "service.json"):
		return checkService(b)
	}
	return "", errors.New("nobody here knows such a file")
}

// places are directories and files that a test puts in the place of the host's.
type places map[string]string

func (p places) String() string { return "" }

func (p places) Set(text string) error {
	host, dir, ok := strings.Cut(text, "=")
	if !ok {
		return errors.New("it is HOSTPATH=DIR")
	}
	p[host] = dir
	return nil
}

// bundle prints the config.json of the container that a file has.
func bundle(args []string) error {
	flags := flag.NewFlagSet("bundle", flag.ContinueOnError)
	at := places{}
	flags.Var(at, "at", "use this `HOSTPATH=DIR` in the place of a path of the host")
	var h host
	flags.StringVar(&h.rootfs, "rootfs", "", "the image's files are in this `DIR`")
	flags.StringVar(&h.netns, "netns", "", "this `FILE` is the network namespace in the place of the host's")
	flags.StringVar(&h.cgroup, "cgroup", "", "the container's cgroup is this `PATH`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 || h.rootfs == "" || h.netns == "" || h.cgroup == "" {
		return errors.New(usage)
	}
	h.at = at
	b, err := os.ReadFile(flags.Arg(0))
	if err != nil {
		return err
	}
	read := readPod
	if strings.HasSuffix(flags.Arg(0), ".json") {
		read = readTask
	}
	c, err := read(b)
	if err != nil {
		return err
	}
	spec, err := c.spec(h)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(spec)
}
