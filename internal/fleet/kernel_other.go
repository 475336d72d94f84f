//go:build unix && !linux

package fleet

import "syscall"

func attributes(syscall.Signal) *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func awaitStop(int) error { return nil }
