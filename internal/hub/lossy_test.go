package hub

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/wake"
)

// A lossy store keeps one stream and can lose its tail, as a fleet's store does
// that fails over to a replica which lagged.
type lossy struct {
	freshet.Store // of the methods that are not used
	followers     wake.Registry

	mu      sync.Mutex
	state   *freshet.State
	records []freshet.Record
	saved   freshet.State
	kept    int
}

func (s *lossy) Create(_ context.Context, name string, c freshet.Creation) (freshet.Info, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	state, change, err := freshet.NewState(name, c, time.Now())
	if err != nil {
		return freshet.Info{}, false, err
	}
	s.state = state
	s.state.Apply(change)
	return s.state.Info, true, nil
}

func (s *lossy) Append(_ context.Context, name string, call freshet.Call) ([]freshet.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change := s.state.Judge(call, time.Now())
	if !change.IsNone() {
		from := s.state.Info.Tail
		s.state.Apply(change)
		s.records = append(slices.Clip(s.records), change.Records...)
		s.followers.Tell(name, freshet.Hint{Batch: &freshet.Batch{
			From: from, Records: change.Records, Tail: change.Info.Tail, Closed: change.Info.Closed,
		}})
	}
	return change.Results, nil
}

func (s *lossy) Read(_ context.Context, _ string, from freshet.Offset, limit freshet.Limit) (freshet.Page, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from, err := s.state.Info.Locate(from, func(seq uint64) (freshet.Mark, error) {
		return s.records[seq-1].Offset.Mark, nil
	})
	if err != nil {
		return freshet.Page{}, err
	}
	page := freshet.Page{Info: s.state.Info}
	size := 0
	for _, r := range s.records[from.Seq:] {
		if !limit.Takes(len(page.Records), size, r.Size()) {
			break
		}
		size += r.Size()
		page.Records = append(page.Records, r)
	}
	return page, nil
}

func (s *lossy) Info(context.Context, string) (freshet.Info, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Info, nil
}

func (s *lossy) Follow(_ context.Context, name string, wake func(freshet.Hint)) (func(), error) {
	return s.followers.Follow(name, wake), nil
}

func (s *lossy) Sweep(context.Context, int) (int, error) { return 0, nil }

// replicate notes what a replica has.
func (s *lossy) replicate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saved, s.kept = *s.state, len(s.records)
	s.saved.Producers = maps.Clone(s.state.Producers)
}

// failOver makes what the replica has the truth, without a word to anyone.
func (s *lossy) failOver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.saved
	s.state, s.records = &state, s.records[:s.kept]
}
