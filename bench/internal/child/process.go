package child

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/freshet-stream/freshet/bench/internal/pin"
	"github.com/freshet-stream/freshet/bench/internal/subject"
)

// Arg is the first argument of a child; the second is for [Main].
const Arg = "child"

// A Process is a child as its parent sees it. One goroutine at a time may use
// it.
type Process struct {
	// Addr is where the child listens, if it does.
	Addr string

	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

// Start starts a child on the server's core, with a GOMAXPROCS unless that is 0.
// It is killed when ctx ends. The caller closes it.
func Start(ctx context.Context, cores pin.Cores, procs int, spec subject.Spec) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	p := &Process{cmd: exec.CommandContext(ctx, self, Arg, string(text))}
	p.cmd.Stderr = os.Stderr
	if procs > 0 {
		p.cmd.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", procs))
	}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = json.NewDecoder(out)
	if err := cores.Start(p.cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	first, err := p.hear()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", spec.Name, err), p.Close())
	}
	p.Addr = first.Addr
	return p, nil
}

// Usage returns what the child has used of the CPU.
func (p *Process) Usage() (Usage, error) { return p.measure("usage") }

// Settle returns what the child uses when there is no garbage.
func (p *Process) Settle() (Usage, error) { return p.measure("settle") }

func (p *Process) measure(do string) (Usage, error) {
	a, err := p.ask(request{Do: do})
	return a.Usage, err
}

// Work lets the child do its own work for d and returns how often it did it.
func (p *Process) Work(d time.Duration) (int, error) {
	a, err := p.ask(request{Do: "work", For: d})
	return a.Done, err
}

// Profile lets the child write a CPU profile when it ends.
func (p *Process) Profile(path string) error {
	_, err := p.ask(request{Do: "profile", Path: path})
	return err
}

// Heap lets the child write a profile of its heap now.
func (p *Process) Heap(path string) error {
	_, err := p.ask(request{Do: "heap", Path: path})
	return err
}

// Close ends the child.
func (p *Process) Close() error {
	_ = p.in.Close()
	return p.cmd.Wait()
}

func (p *Process) ask(r request) (reply, error) {
	if err := json.NewEncoder(p.in).Encode(r); err != nil {
		return reply{}, fmt.Errorf("ask child: %w", err)
	}
	return p.hear()
}

func (p *Process) hear() (a reply, err error) {
	if err := p.out.Decode(&a); err != nil {
		return a, fmt.Errorf("hear child: %w", err)
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}
