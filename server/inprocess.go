package server

import (
	"context"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/hub"
)

// Create creates a stream unless it exists, as [freshet.Store].Create does. The
// server's retention applies where the spec has no time of its own.
func (s *Server) Create(ctx context.Context, name string, c freshet.Creation) (info freshet.Info, created bool, err error) {
	if err := freshet.ValidateName(name); err != nil {
		return freshet.Info{}, false, err
	}
	if c.Spec.KeepOpen == 0 {
		c.Spec.KeepOpen = s.opts.KeepOpen
	}
	if c.Spec.KeepClosed == 0 {
		c.Spec.KeepClosed = s.opts.KeepClosed
	}
	return s.hub.Create(ctx, name, c)
}

// Append appends to a stream, and so wakes all who follow it, over whatever
// transport. The data of the records must not be altered afterwards. If ctx ends
// first the append may or may not land.
func (s *Server) Append(ctx context.Context, name string, a freshet.Append) (freshet.Result, error) {
	return s.hub.Append(ctx, name, a)
}

// Info returns what is known of a stream, or [freshet.ErrNotFound].
func (s *Server) Info(ctx context.Context, name string) (freshet.Info, error) {
	return s.hub.Info(ctx, name)
}

// Delete removes a stream, or returns [freshet.ErrNotFound].
func (s *Server) Delete(ctx context.Context, name string) error {
	return s.hub.Delete(ctx, name)
}

// A Follower is a cursor that reads a stream, live. One goroutine at a time may
// use it. Whoever got it closes it.
type Follower struct{ follower *hub.Follower }

// An Update is what a follower gets at once.
type Update struct {
	// Records are consecutive. They are shared: nobody alters them.
	Records []freshet.Record
	// Gap, if not nil, says that the position could not be served, and comes
	// before what follows it.
	Gap *freshet.GapError
	// Closed, if not nil, is how the stream ended after the records.
	Closed *freshet.Closure
	// Offset is the position after the records.
	Offset freshet.Offset
}

// Follow returns a follower that begins at a cursor, or [freshet.ErrNotFound].
func (s *Server) Follow(ctx context.Context, name string, from freshet.Cursor) (*Follower, error) {
	f, err := s.hub.Follow(ctx, name, hub.FollowOptions{Cursor: from})
	if err != nil {
		return nil, err
	}
	return &Follower{f}, nil
}

// Next waits for what comes next. After the end it returns [io.EOF]; if the
// stream goes without an end, a [*freshet.GapError].
func (f *Follower) Next(ctx context.Context) (Update, error) {
	batch, err := f.follower.Next(ctx)
	if err != nil {
		return Update{}, err
	}
	u := Update{Closed: batch.Closed, Offset: batch.Offset}
	if gap := batch.Gap; gap != nil {
		u.Gap = &freshet.GapError{Why: gap.Why, Oldest: gap.Resumed}
	}
	for i := range batch.Len() {
		u.Records = append(u.Records, *batch.Record(i))
	}
	return u, nil
}

// Close ends the follower.
func (f *Follower) Close() { f.follower.Close() }
