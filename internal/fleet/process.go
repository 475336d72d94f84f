package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	// startTime is for how long a process may take until it is ready.
	startTime = 30 * time.Second
	// startPoll is after which time it is asked again whether it is.
	startPoll = 5 * time.Millisecond
)

// A Command says what to run.
type Command struct {
	// Name is for people, and for the log, which is NAME.log in Dir.
	Name string
	// Dir is the working directory. It exists.
	Dir string
	// Path is the program, which is looked for in PATH, and Args are its
	// arguments.
	Path string
	Args []string
	// Env are variables besides those of this process.
	Env []string
	// Ready reports whether the process serves. It is called again and again
	// until it does. Nil is at once.
	Ready func(ctx context.Context, p *Process) bool
	// Orphaned is the signal that the process gets when its parent dies
	// (SIGKILL). Linux only.
	Orphaned syscall.Signal
}

// A Process is a program that can be started, killed and started again. Its
// methods may be called concurrently. Whoever made it closes it.
type Process struct {
	command Command

	mu  sync.Mutex
	run *run
	// from is how long the log was when the process was started last.
	from int64
}

// A run is one life of a process.
type run struct {
	cmd *exec.Cmd
	// done is closed when the process has ended.
	done chan struct{}
	// err is what it ended with, once it has.
	err error
}

// An EndedError says that a process ended before it was ready.
type EndedError struct {
	Name string
	Err  error
	// Log is what it wrote.
	Log string
}

func (e *EndedError) Error() string {
	return fmt.Sprintf("%s ended (%v) before it served; its log:\n%s", e.Name, e.Err, e.Log)
}

func (e *EndedError) Unwrap() error { return e.Err }

// NewProcess returns a process that is not started.
func NewProcess(c Command) *Process {
	if c.Orphaned == 0 {
		c.Orphaned = syscall.SIGKILL
	}
	return &Process{command: c}
}

// Start starts the process, unless it runs, and returns when it is ready. The
// context is for the waiting only. A process that did not get ready is ended.
func (p *Process) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	r, err := p.begin()
	if err != nil {
		return fmt.Errorf("start %s: %w", p.command.Name, err)
	}
	for ready := p.command.Ready; ready != nil && !ready(ctx, p); {
		select {
		case <-r.done:
			text, _ := p.Log()
			return &EndedError{p.command.Name, r.err, text}
		case <-ctx.Done():
			text, _ := p.Log()
			return errors.Join(fmt.Errorf("start %s: %w; its log:\n%s", p.command.Name, ctx.Err(), text), p.Kill())
		case <-time.After(startPoll):
		}
	}
	return nil
}

// begin starts the process without waiting for it.
func (p *Process) begin() (*run, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run != nil && !p.run.ended() {
		return p.run, nil
	}
	log, err := os.OpenFile(p.LogPath(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	facts, err := log.Stat()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(p.command.Path, p.command.Args...)
	cmd.Dir = p.command.Dir
	cmd.Env = append(os.Environ(), p.command.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attributes(p.command.Orphaned)
	r := &run{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go r.live(started)
	if err := <-started; err != nil {
		return nil, err
	}
	p.run, p.from = r, facts.Size()
	return r, nil
}

// live starts the process and waits for it, all on one thread: a process that
// asked to be told of its parent's death is told of the death of the thread.
func (r *run) live(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := r.cmd.Start()
	started <- err
	if err == nil {
		r.err = r.cmd.Wait()
		_ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL) // what it left behind
		close(r.done)
	}
}

func (r *run) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// current returns the run that is on, or the last one; nil before the first.
func (p *Process) current() *run {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.run
}

// Running reports whether the process runs, were it paused.
func (p *Process) Running() bool {
	r := p.current()
	return r != nil && !r.ended()
}

// PID returns the id of the process, or of the last one that ran; 0 before.
func (p *Process) PID() int {
	r := p.current()
	if r == nil {
		return 0
	}
	return r.cmd.Process.Pid
}

// Wait returns when the process has ended, with what it ended with.
func (p *Process) Wait(ctx context.Context) error {
	r := p.current()
	if r == nil {
		return nil
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return fmt.Errorf("wait for %s: %w", p.command.Name, ctx.Err())
	}
}

// Name returns the name of the process.
func (p *Process) Name() string { return p.command.Name }

// LogPath returns where the log is. It has what all runs wrote.
func (p *Process) LogPath() string { return filepath.Join(p.command.Dir, p.command.Name+".log") }

// Log returns what the process wrote since it was started last.
func (p *Process) Log() (string, error) {
	p.mu.Lock()
	from := p.from
	p.mu.Unlock()
	text, err := os.ReadFile(p.LogPath())
	if err != nil {
		return "", fmt.Errorf("read log: %w", err)
	}
	return string(text[min(from, int64(len(text))):]), nil
}
