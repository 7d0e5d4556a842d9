package dbtest

import "syscall"

// endWithParent makes the kernel stop the server at once if the keeper is killed.
func endWithParent(a *syscall.SysProcAttr) *syscall.SysProcAttr {
	a.Pdeathsig = syscall.SIGQUIT
	return a
}
