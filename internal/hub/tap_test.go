package hub

import (
	"context"
	"sync/atomic"

	"github.com/freshet-stream/freshet"
)

// A tap is a store between a hub and another store, in which things go wrong.
// Its functions are set before it is used; nil ones let everything pass.
type tap struct {
	freshet.Store
	// down lets every call fail.
	down atomic.Bool
	// looks counts the reads, appends the calls that append, hints the hints
	// that were withheld, following the subscriptions that hold.
	looks, appends, hints, following atomic.Int64

	onHint   func(h freshet.Hint, deliver func(freshet.Hint))
	onAppend func(ctx context.Context, call freshet.Call, pass func() ([]freshet.Result, error)) ([]freshet.Result, error)
	onRead   func(from freshet.Offset, limit freshet.Limit, page *freshet.Page) error
	onFollow func()
}

var errDown = freshet.ErrUnavailable.With("the store is down for the test")

func (s *tap) Append(ctx context.Context, name string, call freshet.Call) ([]freshet.Result, error) {
	s.appends.Add(1)
	if s.down.Load() {
		return nil, errDown
	}
	pass := func() ([]freshet.Result, error) { return s.Store.Append(ctx, name, call) }
	if s.onAppend == nil {
		return pass()
	}
	return s.onAppend(ctx, call, pass)
}

func (s *tap) Read(ctx context.Context, name string, from freshet.Offset, limit freshet.Limit) (freshet.Page, error) {
	s.looks.Add(1)
	if s.down.Load() {
		return freshet.Page{}, errDown
	}
	page, err := s.Store.Read(ctx, name, from, limit)
	if s.onRead != nil && err == nil {
		err = s.onRead(from, limit, &page)
	}
	return page, err
}

func (s *tap) Info(ctx context.Context, name string) (freshet.Info, error) {
	if s.down.Load() {
		return freshet.Info{}, errDown
	}
	return s.Store.Info(ctx, name)
}

func (s *tap) Follow(ctx context.Context, name string, wake func(freshet.Hint)) (func(), error) {
	if s.onFollow != nil {
		s.onFollow()
	}
	if s.down.Load() {
		return nil, errDown
	}
	deliver := wake
	if s.onHint != nil {
		deliver = func(h freshet.Hint) { s.onHint(h, wake) }
	}
	stop, err := s.Store.Follow(ctx, name, deliver)
	if err != nil {
		return nil, err
	}
	s.following.Add(1)
	return func() {
		s.following.Add(-1)
		stop()
	}, nil
}

// loseHints is an onHint that lets none through.
func (s *tap) loseHints(freshet.Hint, func(freshet.Hint)) { s.hints.Add(1) }

// bareHints is an onHint that takes what hints carry out of them.
func bareHints(_ freshet.Hint, deliver func(freshet.Hint)) { deliver(freshet.Hint{}) }
