package pebblestore

import (
	"context"
	"errors"
	"time"

	"github.com/freshet-stream/freshet"
)

// Create implements [freshet.Store].
func (s *Store) Create(ctx context.Context, name string, c freshet.Creation) (info freshet.Info, created bool, err error) {
	err = s.change(ctx, name, func(st *stream, now time.Time) (*write, error) {
		if seen := st.seen.Load(); seen.exists(now) {
			info, created = seen.info, st.state.Creator == c.Nonce
			return nil, nil
		}
		state, change, err := freshet.NewState(name, c, now)
		if err != nil {
			return nil, err
		}
		info, created = change.Info, true
		return st.writeCreation(state, change)
	})
	if err != nil {
		return freshet.Info{}, false, err
	}
	return info, created, nil
}

// writeCreation makes the stream a new one, in place of what the database may
// still have of an old one.
func (st *stream) writeCreation(state *freshet.State, change freshet.Change) (*write, error) {
	b := st.store.db.NewBatch()
	var err error
	if st.inc != 0 {
		err = errors.Join(
			b.DeleteRange(nameKey(st.name, partSpec), nameKey(st.name, partEnd), nil),
			b.DeleteRange(incarnationKey(st.inc), incarnationKey(st.inc+1), nil),
			st.relist(b, time.Time{}),
		)
	}
	st.inc, st.head, st.state, st.producers, st.ahead = st.store.incs.next(), head{}, state, true, ahead{}
	err = errors.Join(err, st.trim(b, &change))
	state.Apply(change)
	err = errors.Join(err,
		b.Set(nameKey(st.name, partSpec), appendSpec(make([]byte, 0, 128), st.inc, state), nil),
		setRecords(b, st.inc, change.Records),
		st.setProducers(b, change),
	)
	if len(state.Info.Meta) > 0 {
		err = errors.Join(err, b.Set(nameKey(st.name, partMeta), state.Info.Meta, nil))
	}
	return st.writeHead(b, err, freshet.Hint{})
}

// Delete implements [freshet.Store]. The stream is durably gone when it
// returns; its space comes back a little later.
func (s *Store) Delete(ctx context.Context, name string) error {
	return s.change(ctx, name, func(st *stream, now time.Time) (*write, error) {
		if !st.seen.Load().exists(now) {
			return nil, freshet.ErrNotFound
		}
		b := s.db.NewBatch()
		// Its keys stay until this is durable: readers still have to find it.
		st.head.gone = true
		err := errors.Join(st.relist(b, listedAt(time.UnixMilli(0))), st.setHead(b))
		if err != nil {
			st.loaded = false
			return nil, errors.Join(err, b.Close())
		}
		return &write{batch: b, done: st.buried}, nil
	})
}

// buried clears the stream away when it is durably gone. If that fails, or is
// lost in a crash, Sweep does it.
func (st *stream) buried() {
	st.publish()
	st.store.followers.Tell(st.name, freshet.Hint{})
	w, err := st.clear(func() {})
	if err == nil {
		err = st.store.apply(w)
	}
	if err != nil {
		st.loaded = false
		st.store.log.Error("A deleted stream could not be cleared away yet.", "stream", st.name, "error", err)
		return
	}
	w.done()
}
