package fleet

import (
	"context"
	"errors"
	"fmt"
	"syscall"
)

// Signal sends a signal to the process, and not to its children. One that has
// ended gets nothing.
func (p *Process) Signal(s syscall.Signal) error { return p.send(s, func(pid int) int { return pid }) }

// signalAll sends a signal to the process and to its children.
func (p *Process) signalAll(s syscall.Signal) error {
	return p.send(s, func(pid int) int { return -pid })
}

func (p *Process) send(s syscall.Signal, to func(pid int) int) error {
	if !p.Running() {
		return nil
	}
	if err := syscall.Kill(to(p.PID()), s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("send %s to %s: %w", s, p.command.Name, err)
	}
	return nil
}

// Kill ends the process and its children as kill -9 does, paused ones too, and
// returns when it has ended. Its connections are reset.
func (p *Process) Kill() error {
	if err := p.signalAll(syscall.SIGKILL); err != nil {
		return err
	}
	if r := p.current(); r != nil {
		<-r.done
	}
	return nil
}

// Close is Kill, under the name by which things are given back.
func (p *Process) Close() error { return p.Kill() }

// Pause stops the process, and its children, where they are. The kernel still
// takes connections and bytes for it, but nothing answers. It returns when
// nothing of the process runs any more.
func (p *Process) Pause() error {
	if err := p.signalAll(syscall.SIGSTOP); err != nil {
		return err
	}
	if !p.Running() {
		return fmt.Errorf("pause %s: it has ended", p.command.Name)
	}
	if err := awaitStop(p.PID()); err != nil {
		return fmt.Errorf("pause %s: %w", p.command.Name, err)
	}
	return nil
}

// Resume lets a paused process go on.
func (p *Process) Resume() error { return p.signalAll(syscall.SIGCONT) }

// Terminate asks the process to end, by SIGTERM, and returns when it has. The
// error is that of the context, or what the process ended with unless that was
// the signal.
func (p *Process) Terminate(ctx context.Context) error {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	err := p.Wait(ctx)
	if r := p.current(); r != nil && r.ended() {
		status, ok := r.cmd.ProcessState.Sys().(syscall.WaitStatus)
		if ok && status.Signaled() && status.Signal() == syscall.SIGTERM {
			return nil
		}
	}
	return err
}
