package scenario

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Options configure a scenario.
type Options struct {
	// Seed makes the choices those of every run with the same one.
	Seed uint64
	// Duration is how long faults go on. They go on for longer if not every kind
	// has happened by then.
	Duration time.Duration
	// Say, if not nil, is told of each fault, from several goroutines.
	Say func(text string)
}

// patience is how many decks a hand may use to make every kind happen.
const patience = 20

// Run does faults to a fleet that works, and mends all of them. It returns how
// often each kind happened.
func Run(ctx context.Context, f *Fleet, o Options) (map[Kind]int, error) {
	hands := []*hand{
		{fleet: f, opts: &o, rng: rand.New(rand.NewPCG(o.Seed, 1)), deck: toProcesses(), done: map[Kind]int{}},
		{fleet: f, opts: &o, rng: rand.New(rand.NewPCG(o.Seed, 2)), deck: toConnections(), done: map[Kind]int{}},
	}
	over, stop := context.WithTimeout(ctx, o.Duration)
	defer stop()
	errs := make([]error, len(hands))
	var working sync.WaitGroup
	for i, h := range hands {
		working.Go(func() { errs[i] = h.run(ctx, over) })
	}
	working.Wait()
	done := map[Kind]int{}
	for _, h := range hands {
		for kind, n := range h.done {
			done[kind] += n
		}
	}
	for _, p := range f.Fronts {
		done[CutAfterBytes] += p.Counts().Cuts()
	}
	done[CutAfterBytes] -= done[CutClients]
	return done, errors.Join(append(errs, ctx.Err())...)
}

// A hand does one fault after the other.
type hand struct {
	fleet *Fleet
	opts  *Options
	rng   *rand.Rand
	deck  []Kind
	done  map[Kind]int
}

// pick returns one of several.
func pick[T any](h *hand, of []T) T { return of[h.rng.IntN(len(of))] }

// run does faults until the time is over and each kind has happened.
func (h *hand) run(ctx, over context.Context) error {
	for range patience {
		deck := slices.Clone(h.deck)
		h.rng.Shuffle(len(deck), func(i, k int) { deck[i], deck[k] = deck[k], deck[i] })
		for _, kind := range deck {
			if ctx.Err() != nil || over.Err() != nil && h.complete() {
				return nil
			}
			if over.Err() != nil && h.done[kind] > 0 {
				continue
			}
			n, err := h.do(ctx, kind)
			if err != nil {
				return fmt.Errorf("%s: %w", kind, err)
			}
			h.done[kind] += n
			if h.opts.Say != nil {
				h.opts.Say(fmt.Sprintf("%s: %d", kind, n))
			}
			h.wait(ctx, 3*time.Second)
		}
	}
	if over.Err() != nil {
		return nil
	}
	return h.run(ctx, over)
}

// complete reports whether every kind has happened.
func (h *hand) complete() bool {
	return !slices.ContainsFunc(h.deck, func(k Kind) bool { return h.done[k] == 0 })
}

// wait waits for up to some time.
func (h *hand) wait(ctx context.Context, most time.Duration) {
	t := time.NewTimer(time.Duration(h.rng.Int64N(int64(most))))
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
