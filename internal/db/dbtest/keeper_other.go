//go:build !linux

package dbtest

import "syscall"

// endWithParent has no means here; the keeper stops the server when it ends in order.
func endWithParent(a *syscall.SysProcAttr) *syscall.SysProcAttr { return a }
