package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/client"
)

// Guarantee 4, with the real process: killed 20 times under 64 producers that
// retry, each stream ends with exactly its sequence. (What kill -9 proves
// nothing about, the page cache, is in pebblestore's test of power loss.)
func TestKilledServerLosesAndDoublesNothing(t *testing.T) {
	const producers, kills, perLife = 64, 20, 2000
	binary := filepath.Join(t.TempDir(), "freshet")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	addr, store := freePort(t), t.TempDir()
	c, err := client.New("http://"+addr, client.Options{})
	if err != nil {
		t.Fatal(err)
	}

	process := startServer(t, binary, addr, store)
	var landed, retries atomic.Int64
	var stop atomic.Bool
	counts := make([]int, producers)
	var writers sync.WaitGroup
	for i := range producers {
		writers.Go(func() {
			var err error
			counts[i], err = produce(t.Context(), c, fmt.Sprintf("s/%d", i), &stop, &landed, &retries)
			if err != nil {
				t.Errorf("producer %d: %v", i, err)
				stop.Store(true)
			}
		})
	}
	for range kills {
		for before := landed.Load(); landed.Load() < before+perLife && !stop.Load(); {
			process.assertAlive(t)
		}
		process.kill(t)
		process = startServer(t, binary, addr, store)
	}
	stop.Store(true)
	writers.Wait()
	if retries.Load() < kills {
		t.Errorf("only %d requests were retried over %d kills; the kills met nobody", retries.Load(), kills)
	}
	for i, n := range counts {
		name := fmt.Sprintf("s/%d", i)
		if err := checkSequence(t.Context(), c, name, n); err != nil {
			t.Errorf("%s of %d: %v", name, n, err)
		}
	}
	t.Logf("%d kills, %d appends, %d retries", kills, landed.Load(), retries.Load())
	process.kill(t)
}

// produce appends numbered lines until it is told to stop, waiting for each to
// land, and closes the stream.
func produce(ctx context.Context, c *client.Client, name string, stop *atomic.Bool, landed, retries *atomic.Int64) (n int, err error) {
	for {
		_, err := c.Create(ctx, name, client.CreateOptions{ContentType: "text/plain"})
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return 0, err
		}
	}
	p, err := c.Producer(ctx, name, client.ProducerOptions{ContentType: "text/plain"})
	if err != nil {
		return 0, err
	}
	defer p.Stop()
	for ; !stop.Load(); n++ {
		if err := p.Append(ctx, client.Record{Data: fmt.Appendf(nil, "%d\n", n)}); err != nil {
			return n, err
		}
		if err := p.Flush(ctx); err != nil {
			return n, err
		}
		landed.Add(1)
	}
	err = p.Close(ctx, freshet.Completed)
	retries.Add(p.Stats().Retries)
	return n, err
}

// checkSequence reads a stream to its end.
func checkSequence(ctx context.Context, c *client.Client, name string, n int) error {
	f := c.Follow(ctx, name, client.FollowOptions{})
	defer f.Close()
	var text strings.Builder
	for {
		record, err := f.Next()
		var end *client.EndError
		if errors.As(err, &end) {
			if end.Reason != freshet.Completed {
				return fmt.Errorf("it ended as %s", end.Reason)
			}
			break
		}
		if err != nil {
			return err
		}
		text.Write(record.Data)
	}
	lines := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
	for i, line := range lines {
		if line != fmt.Sprint(i) {
			return fmt.Errorf("line %d is %q", i, line)
		}
	}
	if len(lines) != n {
		return fmt.Errorf("it has %d lines", len(lines))
	}
	return nil
}

// A process is a running server.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// startServer returns once the server says that it serves.
func startServer(t *testing.T, binary, addr, dir string) *process {
	t.Helper()
	cmd := exec.Command(binary, "serve", "--listen", addr, "--store", "pebble:"+dir, "--log-level", "warn")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd, make(chan struct{})}
	t.Cleanup(func() { p.kill(t) })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "http://"+addr) {
			go func() {
				for lines.Scan() {
				}
				_ = cmd.Wait()
				close(p.done)
			}()
			return p
		}
	}
	t.Fatalf("the server ended before it served: %v", cmd.Wait())
	return nil
}

func (p *process) assertAlive(t *testing.T) {
	t.Helper()
	select {
	case <-p.done:
		t.Fatal("the server ended by itself")
	default:
	}
}

// kill is kill -9.
func (p *process) kill(t *testing.T) {
	t.Helper()
	select {
	case <-p.done:
		return
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-p.done
}

// freePort returns an address that nobody listens on now.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
