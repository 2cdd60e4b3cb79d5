//go:build !linux

package attribution

import "errors"

func runChild(string, []string) error { return errors.ErrUnsupported }
