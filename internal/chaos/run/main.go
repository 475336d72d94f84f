// Command run shows that a fleet keeps its guarantees under faults.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/freshet-stream/freshet/internal/chaos"
	"github.com/freshet-stream/freshet/internal/chaos/history"
)

const help = `Runs three freshet servers over one Redis behind haproxy, lets producers and
followers of every transport work on them, kills, pauses and restarts servers,
Redis and haproxy and cuts, delays and stalls connections all the while, and then
proves from what the clients saw that guarantees 1 to 6 of the package
documentation were kept. A fault that did not happen fails the run as well.

  go run ./internal/chaos/run                        two minutes, another seed each time
  go run ./internal/chaos/run -duration 1h
  go run ./internal/chaos/run -seed 7                the choices of an earlier run; what they
                                                     hit depends on the machine
  go run ./internal/chaos/run -check history.jsonl   judge the history of an earlier run

If it fails, the history and all logs are kept, and it says where.

Flags:
`

type settings struct {
	chaos.Options
	check string
}

func main() {
	var s settings
	flag.DurationVar(&s.Duration, "duration", 2*time.Minute, "how long there are faults")
	flag.Uint64Var(&s.Seed, "seed", uint64(time.Now().UnixNano())%1_000_000, "what the choices follow from")
	flag.IntVar(&s.Lanes, "lanes", 8, "how many streams there are at a time")
	flag.Func("plots", "what the streams are about, separated by commas: solo, duet, fenced, orphan, cancelled, deleted, recreated, unnamed; all if not given", func(text string) error {
		s.Plots = strings.Split(text, ",")
		return nil
	})
	flag.BoolVar(&s.Race, "race", false, "build the servers with the race detector")
	flag.StringVar(&s.Dir, "dir", "", "where the history and the logs are written and kept; a new directory that is removed after success if empty")
	flag.StringVar(&s.check, "check", "", "judge this history instead of making one")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), help)
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings, out io.Writer) error {
	if s.check != "" {
		return check(s.check, out)
	}
	keep := s.Dir != ""
	if err := s.makeDir(); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	fmt.Fprintf(out, "seed %d, %v, in %s\n", s.Seed, s.Duration, s.Dir)
	began := time.Now()
	s.Say = func(text string) { fmt.Fprintf(out, "%7.1fs  %s\n", time.Since(began).Seconds(), text) }
	report, err := chaos.Run(ctx, s.Options)
	if err == nil {
		fmt.Fprint(out, report)
		err = failed(report)
	}
	if err != nil {
		return fmt.Errorf("seed %d: %w; the history is %s, the logs are beside it", s.Seed, err, chaos.HistoryPath(s.Dir))
	}
	if keep {
		return nil
	}
	return os.RemoveAll(s.Dir)
}

// makeDir makes the directory of the run. Processes take it as it is, so that it
// has to be absolute.
func (s *settings) makeDir() (err error) {
	if s.Dir == "" {
		s.Dir, err = os.MkdirTemp("", "freshet-chaos-")
		return err
	}
	if s.Dir, err = filepath.Abs(s.Dir); err != nil {
		return err
	}
	return os.MkdirAll(s.Dir, 0o755)
}

// check judges the history of an earlier run.
func check(path string, out io.Writer) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open history: %w", err)
	}
	defer file.Close()
	events, err := history.Read(file)
	if err != nil {
		return err
	}
	report := chaos.Judge(events)
	fmt.Fprint(out, report)
	return failed(report)
}

func failed(r *chaos.Report) error {
	if failure := r.Failure(); failure != "" {
		return errors.New(failure)
	}
	return nil
}
