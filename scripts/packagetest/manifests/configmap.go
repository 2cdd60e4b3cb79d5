package main

import (
	"errors"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer"
)

// writeFiles writes what a file's ConfigMap has into a directory, as the kubelet does:
// each name is a link into a directory that is exchanged when it changes.
func writeFiles(name, dir string) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	found, err := documents(b)
	if err != nil {
		return err
	}
	decode := serializer.NewCodecFactory(scheme(), serializer.EnableStrict).UniversalDeserializer()
	for _, document := range found {
		object, _, err := decode.Decode(document, nil, nil)
		if err != nil {
			return err
		}
		if c, ok := object.(*corev1.ConfigMap); ok {
			return writeConfigMap(c, dir)
		}
	}
	return errors.New("there is no ConfigMap")
}

func writeConfigMap(c *corev1.ConfigMap, dir string) error {
	const version = "..2026_01_01_00_00_00.1"
	if err := os.MkdirAll(filepath.Join(dir, version), 0o755); err != nil {
		return err
	}
	if err := os.Symlink(version, filepath.Join(dir, "..data")); err != nil {
		return err
	}
	for name, text := range c.Data {
		if err := os.WriteFile(filepath.Join(dir, version, name), []byte(text), 0o644); err != nil {
			return err
		}
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}
