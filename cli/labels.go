package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"imds-analyzer/imds"
)

// What a command may say of a call: at most 32 × (128 + 1,024) bytes, so that the
// entries that wait to be written stay small.
const (
	maxLabels     = 32
	maxLabelName  = 128
	maxLabelValue = 1 << 10
)

var errNoLabels = errors.New("its output is not one JSON object of texts")

// parseLabels reads labels from a command's output. They are redacted, and empty
// ones are left out. Of output that is not all as it should be, none is taken.
func parseLabels(out []byte) (map[string]string, error) {
	out = bytes.TrimSpace(out)
	if len(out) == 0 {
		return nil, nil
	}
	var said map[string]*string
	if out[0] != '{' || json.Unmarshal(out, &said) != nil {
		return nil, errNoLabels
	}
	if len(said) > maxLabels {
		return nil, fmt.Errorf("its output has %d labels, more than %d", len(said), maxLabels)
	}
	labels := make(map[string]string, len(said))
	for name, value := range said {
		clean, err := checkLabel(name, value)
		if err != nil {
			return nil, err
		}
		if clean != "" {
			labels[name] = clean
		}
	}
	return labels, nil
}

// checkLabel returns the value, redacted.
func checkLabel(name string, value *string) (string, error) {
	switch {
	case value == nil:
		return "", errNoLabels
	case !isLabelName(name):
		return "", fmt.Errorf("the name of a label is not of 1 to %d letters, digits and _ . - /", maxLabelName)
	case imds.Redact(name) != name:
		return "", errors.New("the name of a label looks like a secret")
	case len(*value) > maxLabelValue:
		return "", fmt.Errorf("the label %s is longer than %d bytes", name, maxLabelValue)
	}
	return redactLabel(name, *value), nil
}

func isLabelName(name string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/"
	return name != "" && len(name) <= maxLabelName && strings.Trim(name, letters) == ""
}

// redactLabel hides what looks like a secret in the value, and all of it where
// the name tells of one: app/db.password.
func redactLabel(name, value string) string {
	last := name[strings.LastIndexAny(name, "./")+1:]
	return imds.RedactArgs([]string{last + ":", value})[1]
}
