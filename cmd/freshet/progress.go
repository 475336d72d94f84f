package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/freshet-stream/freshet/client"
)

// progressEvery is how often the line is drawn anew.
const progressEvery = 200 * time.Millisecond

// A progress shows on a terminal how an append goes: on one line, which it draws
// over and over. Where there is no terminal it is silent, or tells of retries
// alone.
type progress struct {
	out      *os.File
	terminal bool
	verbose  bool

	mu      sync.Mutex
	trouble string
	begun   time.Time
	stop    chan struct{}
	stopped sync.WaitGroup
}

func newProgress(out *os.File, verbose bool) *progress {
	return &progress{out: out, verbose: verbose, terminal: term.IsTerminal(int(out.Fd())), begun: time.Now(), stop: make(chan struct{})}
}

// retried notes a retry. It is what [client.ProducerOptions].OnRetry calls.
func (p *progress) retried(err error, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trouble = err.Error()
	if p.verbose {
		p.note("%v; trying again in %v", err, wait.Round(time.Millisecond))
	}
}

// note writes a line of its own. It needs the lock.
func (p *progress) note(format string, args ...any) {
	if p.terminal {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
	fmt.Fprintf(p.out, "freshet: "+format+"\n", args...)
}

// start begins to show what stats returns, until end.
func (p *progress) start(stats func() client.ProducerStats) {
	if !p.terminal {
		return
	}
	p.stopped.Add(1)
	go func() {
		defer p.stopped.Done()
		ticker := time.NewTicker(progressEvery)
		defer ticker.Stop()
		last := client.ProducerStats{Appends: -1}
		for {
			now := stats()
			p.draw(now, now != last)
			last = now
			select {
			case <-p.stop:
				p.draw(stats(), true)
				fmt.Fprintln(p.out)
				return
			case <-ticker.C:
			}
		}
	}()
}

// end leaves the last state on the terminal.
func (p *progress) end() {
	close(p.stop)
	p.stopped.Wait()
}

func (p *progress) draw(s client.ProducerStats, moved bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if moved {
		p.trouble = ""
	}
	rate := int64(float64(s.Bytes) / max(time.Since(p.begun).Seconds(), 0.001))
	line := fmt.Sprintf("%s in %s, %s/s", size(s.Bytes), count(s.Records, "record"), size(rate))
	if s.Retries > 0 {
		line += ", " + count(s.Retries, "retry")
	}
	if p.trouble != "" {
		line += "; retrying: " + p.trouble
	}
	if width, _, err := term.GetSize(int(p.out.Fd())); err == nil && len(line) >= width && width > 1 {
		line = line[:width-1]
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s", line)
}

// size writes a number of bytes as people read it.
func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1000_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

// count writes a number of things.
func count(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	if thing == "retry" {
		return fmt.Sprintf("%d retries", n)
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
