package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/freshet-stream/freshet/bench/internal/child"
)

// A benchmark measures one kind of work.
type benchmark struct {
	name  string
	about func(*config) string
	run   func(context.Context, *config, *result) error
}

func benchmarks() []benchmark {
	return []benchmark{
		{"fanout", aboutFanout, runFanout},
		{"backlog", aboutBacklog, runBacklog},
		{"appends", aboutAppends, runAppends},
		{"streaming", aboutStreaming, runStreaming},
		{"memory", aboutMemory, runMemory},
		{"tokens", aboutTokens, runTokens},
		{"generations", aboutGenerations, runGenerations},
		{"stores", aboutStores, runStores},
		{"commands", aboutCommands, runCommands},
		{"delay", aboutDelay, runDelay},
		{"units", aboutUnits, runUnits},
	}
}

func names() (all []string) {
	for _, b := range benchmarks() {
		all = append(all, b.name)
	}
	return all
}

// A contender is one side of a comparison.
type contender struct {
	// title is how it is called in the table.
	title string
	// subject is what runs, on disk or not, or with a Redis.
	subject string
	onDisk  bool
	redis   *redis
	// upstream, if not empty, is where it sends what an LLM is asked.
	upstream string
	// socket lets it be appended to over WebSocket.
	socket bool
	// timed lets its records be timed on their way.
	timed bool
	// together, if not zero, lets it be appended to by one request a producer,
	// that many records a write.
	together int
}

// spent returns the CPU time that a process uses while f runs.
func spent(p *child.Process, f func() error) (cpu, elapsed time.Duration, err error) {
	before, err := p.Usage()
	if err != nil {
		return 0, 0, err
	}
	start := time.Now()
	if err := f(); err != nil {
		return 0, 0, err
	}
	elapsed = time.Since(start)
	after, err := p.Usage()
	return after.CPU - before.CPU, elapsed, err
}

// profile lets write, if a profile was asked for and this is Freshet, write one
// into a file that is named after the benchmark and the side.
func (c *config) profile(s contender, name string, write func(path string) error) error {
	if c.profiles == "" || s.subject != "freshet" {
		return nil
	}
	if err := os.MkdirAll(c.profiles, 0o755); err != nil {
		return fmt.Errorf("make directory for profiles: %w", err)
	}
	side := strings.NewReplacer("freshet, ", "", ", ", "-", " ", "-").Replace(s.title)
	path, err := filepath.Abs(filepath.Join(c.profiles, name+"-"+side+".prof"))
	if err != nil {
		return err
	}
	return write(path)
}

// micros returns a time per piece in microseconds.
func micros(d time.Duration, n int64) float64 {
	return float64(d.Nanoseconds()) / 1e3 / float64(max(n, 1))
}
