package e2e

import (
	"bytes"
	"context"
	"io"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// A program is one that runs.
type program struct {
	t              *testing.T
	ctx            context.Context
	cmd            *exec.Cmd
	stdin          io.WriteCloser
	stdout, stderr *output
}

// start runs a program until it ends, or the test does, or patience.
func start(t *testing.T, command ...string) *program {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	p := &program{t: t, ctx: ctx, cmd: exec.CommandContext(ctx, command[0], command[1:]...), stdout: newOutput(), stderr: newOutput()}
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		cancel()
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		cancel()
		t.Fatalf("run %s: %v", command[0], err)
	}
	t.Cleanup(func() {
		cancel()
		_ = p.cmd.Wait() // in vain, if the test has waited
	})
	return p
}

// say writes to the program's stdin.
func (p *program) say(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p.stdin, text); err != nil {
		p.t.Fatal(err)
	}
}

// await waits until what the program has written is as wanted.
func (p *program) await(o *output, wanted func(text string) bool) {
	p.t.Helper()
	if err := o.await(p.ctx, wanted); err != nil {
		p.t.Fatalf("%v; %s has written\n%s\n%s", err, p.cmd.Path, p.stdout, p.stderr)
	}
}

// wait waits for the program's end, to which its stdin ends.
func (p *program) wait() error {
	p.t.Helper()
	_ = p.stdin.Close()
	return p.cmd.Wait()
}

// An output is what a program has written so far.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func newOutput() *output { return &output{changed: make(chan struct{})} }

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (o *output) await(ctx context.Context, wanted func(text string) bool) error {
	for {
		o.mu.Lock()
		text, changed := o.text.String(), o.changed
		o.mu.Unlock()
		if wanted(text) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// longer returns what waits for more than n bytes.
func longer(n int) func(string) bool {
	return func(text string) bool { return len(text) > n }
}

// having returns what waits for a part.
func having(part string) func(string) bool {
	return func(text string) bool { return strings.Contains(text, part) }
}
