package fleet

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// attributes give a process a group of its own, and a signal when its parent dies.
func attributes(orphaned syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: orphaned}
}

// awaitStop returns when all threads of a child have stopped, or it has ended.
func awaitStop(pid int) error {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
