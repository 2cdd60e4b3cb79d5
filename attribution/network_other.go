//go:build !linux

package attribution

import (
	"errors"
	"os"
)

var errNoNetworks = errors.New("network namespaces are Linux's")

// Open is for Linux.
func (n Network) Open() (*os.File, error) { return nil, errNoNetworks }

// InNetwork is for Linux.
func InNetwork(*os.File, func() error) error { return errNoNetworks }

// MayEnter is for Linux.
func MayEnter() error { return errNoNetworks }
