package pebblestore

import (
	"context"
	"slices"
	"time"

	"github.com/freshet-stream/freshet"
)

// Append implements [freshet.Store].
func (s *Store) Append(ctx context.Context, name string, call freshet.Call) (results []freshet.Result, err error) {
	err = s.change(ctx, name, func(st *stream, now time.Time) (*write, error) {
		if !st.seen.Load().exists(now) {
			return nil, freshet.ErrNotFound
		}
		if slices.ContainsFunc(call.Appends, func(a freshet.Append) bool { return a.Producer != nil }) {
			if err := st.loadProducers(); err != nil {
				return nil, err
			}
		}
		change := st.state.Judge(call, now)
		results = change.Results
		if change.IsNone() {
			return nil, nil
		}
		return st.writeChange(change, batchHint(st.state.Info.Tail, change))
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

func batchHint(from freshet.Offset, change freshet.Change) freshet.Hint {
	return freshet.Hint{Batch: &freshet.Batch{From: from, Records: change.Records, Tail: change.Info.Tail, Closed: change.Info.Closed}}
}

// Renew implements [freshet.Store]. It waits for no fsync.
func (s *Store) Renew(ctx context.Context, name string, r freshet.Renewal) error {
	return s.change(ctx, name, func(st *stream, now time.Time) (*write, error) {
		if !st.seen.Load().exists(now) {
			return nil, freshet.ErrNotFound
		}
		r.Apply(&st.state.Info, now)
		b := s.db.NewBatch()
		w, err := st.writeHead(b, nil, freshet.Hint{})
		if err != nil {
			return nil, err
		}
		w.lazy, w.done = true, st.publish
		return w, nil
	})
}
