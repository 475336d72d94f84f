// Command bench measures Freshet beside the least that does the same work. See
// README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"

	"github.com/freshet-stream/freshet/bench/internal/child"
	"github.com/freshet-stream/freshet/bench/internal/pin"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) == 3 && os.Args[1] == child.Arg {
		return child.Main(os.Args[2])
	}
	c, err := parseFlags()
	if errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if c.cores, err = pin.Self(); err != nil {
		return err
	}
	// All threads share one core. That there are several keeps one that waits
	// in the kernel from holding up the others.
	runtime.GOMAXPROCS(4)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()

	data, err := os.MkdirTemp(c.dir, "data-")
	if err != nil {
		return fmt.Errorf("make directory for data: %w", err)
	}
	defer os.RemoveAll(data)
	c.data = data
	facts, err := readFacts(c)
	if err != nil {
		return err
	}
	out := output{json: c.json, to: os.Stdout}
	out.begin(facts)
	for _, b := range benchmarks() {
		if !c.wants(b.name) {
			continue
		}
		r := &result{Name: b.name, About: b.about(c)}
		if err := b.run(ctx, c, r); err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		out.result(r)
	}
	return out.end()
}
