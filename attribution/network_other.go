//go:build !linux

package attribution

import "errors"

var errNoNetworks = errors.New("network namespaces are Linux's")

// Do is for Linux.
func (n Network) Do(func() error) error { return errNoNetworks }

// MayEnter is for Linux.
func MayEnter() error { return errNoNetworks }
