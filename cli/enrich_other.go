//go:build !linux

package cli

import (
	"context"
	"errors"
	"os/exec"
	"syscall"
)

// Elsewhere commands are the program's own user's, and what they have started is
// left alone.

func (c *command) runAs(name string) error {
	if name != "" {
		return errors.New("--enrich-user is for Linux")
	}
	return nil
}

func (c *command) capabilities() []string           { return nil }
func (c *command) attributes() *syscall.SysProcAttr { return nil }
func hideFiles() error                              { return nil }
func forbidGains() error                            { return nil }

// wait waits for the command's end, or ends it with ctx.
func wait(ctx context.Context, cmd *exec.Cmd) error {
	defer context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })()
	return cmd.Wait()
}
