// Package chaos shows that a fleet keeps its guarantees while servers, Redis, the
// load balancer and connections fail: a workload runs on it, a scenario does harm
// to it, and a checker judges the history that the workload has left.
package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/freshet-stream/freshet/internal/chaos/checker"
	"github.com/freshet-stream/freshet/internal/chaos/history"
	"github.com/freshet-stream/freshet/internal/chaos/scenario"
	"github.com/freshet-stream/freshet/internal/chaos/workload"
)

// Options configure a run. Dir is needed.
type Options struct {
	// Dir takes the history and the files of all processes. It exists.
	Dir string
	// Seed makes the choices those of every run with the same one.
	Seed uint64
	// Duration is how long there are faults. The run lasts until everybody has
	// come to the end after that.
	Duration time.Duration
	// Lanes is how many streams there are at a time; 0 is what the workload
	// chooses.
	Lanes int
	// Plots are the names of those that are played; none is all.
	Plots []string
	// Race builds the servers with the race detector.
	Race bool
	// Say, if not nil, is told what happens, from several goroutines.
	Say func(text string)
}

// HistoryPath is where a run in a directory writes its history.
func HistoryPath(dir string) string { return filepath.Join(dir, "history.jsonl") }

// Run runs a fleet, harms it, and judges what its clients saw. The error is that
// the run itself failed; what it found is in the report.
func Run(ctx context.Context, o Options) (*Report, error) {
	file, err := os.Create(HistoryPath(o.Dir))
	if err != nil {
		return nil, fmt.Errorf("create history: %w", err)
	}
	defer file.Close()
	f, err := scenario.Start(ctx, scenario.FleetOptions{Dir: o.Dir, Seed: o.Seed, Race: o.Race})
	if err != nil {
		return nil, err
	}
	rec := history.NewRecorder(file)
	done, err := work(ctx, f, rec, o)
	if err == nil {
		err = f.Crashes()
	}
	if err := errors.Join(err, f.Close(), rec.Flush()); err != nil {
		return nil, err
	}
	r := Judge(rec.Events())
	r.Faults = done
	return r, nil
}

// work lets the workload and the scenario run at the same time.
func work(ctx context.Context, f *scenario.Fleet, rec *history.Recorder, o Options) (done map[scenario.Kind]int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	over := make(chan struct{})
	var worked error
	var working sync.WaitGroup
	working.Go(func() {
		worked = workload.Run(ctx, workload.Options{
			Recorder: rec, Doors: f.Doors(), Seed: o.Seed, Lanes: o.Lanes, LongLanes: 2, Plots: o.Plots, Stop: over, Healed: over,
		})
	})
	done, err = scenario.Run(ctx, f, scenario.Options{Seed: o.Seed, Duration: o.Duration, Say: o.Say})
	if err != nil {
		cancel()
	}
	close(over)
	if o.Say != nil {
		o.Say("no fault is left; the followers come to the end")
	}
	working.Wait()
	if err == nil {
		err = worked
	}
	return done, err
}

// Judge judges a history, of this run or an earlier one.
func Judge(events []history.Event) *Report {
	return &Report{Verdict: checker.Check(events, checker.Options{}), Counts: count(events)}
}
