package main

import (
	"bufio"
	"bytes"
	"runtime/debug"
)

func bufioReader(b []byte) *bufio.Reader { return bufio.NewReader(bytes.NewReader(b)) }

func kubernetesVersion() string { return moduleVersion("k8s.io/kubernetes") }

// moduleVersion is that of a module that is linked in.
func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, module := range info.Deps {
		if module.Path == path {
			return module.Version
		}
	}
	return "unknown"
}
