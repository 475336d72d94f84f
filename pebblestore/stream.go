package pebblestore

import (
	"bytes"
	"container/list"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/freshet-stream/freshet"
)

// A stream is what is in memory of the stream of one name, whether it exists
// or not.
type stream struct {
	store *Store
	name  string

	// users and idle belong to the cache.
	users int
	idle  *list.Element

	// seen is what readers may know: durable, and of one moment. It is nil
	// until the stream was loaded.
	seen atomic.Pointer[sight]

	// turn holds a token while somebody has the stream's lock. What is below
	// belongs to whoever has it.
	turn   chan struct{}
	loaded bool
	// inc is the incarnation that the database has, 0 for none, with its head
	// and state. It may be deleted or expired.
	inc       uint64
	head      head
	state     *freshet.State
	producers bool // whether state has them
	ahead     ahead
}

// A sight is what is published of a stream. It never changes. No incarnation
// means that the stream does not exist.
type sight struct {
	inc  uint64
	info freshet.Info
}

func (v *sight) exists(now time.Time) bool { return v.inc != 0 && !v.info.Expired(now) }

func newStream(s *Store, name string) *stream {
	return &stream{store: s, name: name, turn: make(chan struct{}, 1)}
}

func (st *stream) lock(ctx context.Context) error {
	select {
	case st.turn <- struct{}{}:
		return nil
	default:
	}
	select {
	case st.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-st.store.fatal.happened:
		return st.store.fatal.cause()
	}
}

func (st *stream) unlock() { <-st.turn }

// view returns what is published. It waits only for reading from disk.
func (st *stream) view(ctx context.Context) (*sight, error) {
	if seen := st.seen.Load(); seen != nil {
		return seen, nil
	}
	if err := st.lock(ctx); err != nil {
		return nil, err
	}
	defer st.unlock()
	if err := st.load(); err != nil {
		return nil, err
	}
	return st.seen.Load(), nil
}

// publish lets everybody see the state as it is.
func (st *stream) publish() {
	seen := &sight{}
	if st.inc != 0 && !st.head.gone {
		seen.inc, seen.info = st.inc, st.state.Info
	}
	st.seen.Store(seen)
}

// load reads the stream, without its producers, unless it is in memory. What
// it reads is durable: while a call is writing, the stream stays in memory.
func (st *stream) load() error {
	if st.loaded {
		return nil
	}
	it, err := st.store.db.NewIter(&pebble.IterOptions{LowerBound: nameKey(st.name, partSpec), UpperBound: nameKey(st.name, partEnd)})
	if err != nil {
		return fmt.Errorf("read stream %q: %w", st.name, err)
	}
	defer it.Close()
	st.inc, st.head, st.state, st.producers = 0, head{}, nil, false
	if it.First() {
		st.inc, st.head, st.state, err = readStream(it, []byte(st.name))
	}
	st.ahead = ahead{}
	if st.state != nil {
		st.ahead.upTo = st.state.Info.Oldest.Seq
	}
	if err == nil {
		err = it.Error()
	}
	if err != nil {
		return fmt.Errorf("read stream %q: %w", st.name, err)
	}
	st.loaded = true
	st.publish()
	return nil
}

// readStream reads the parts of a stream from an iterator that stands on the
// first of them, and leaves it after the last.
func readStream(it *pebble.Iterator, name []byte) (inc uint64, h head, state *freshet.State, err error) {
	state = &freshet.State{Info: freshet.Info{Name: string(name)}}
	parts := 0
	for valid := true; valid; valid = it.Next() {
		at, part, ok := splitNameKey(it.Key())
		if !ok || !bytes.Equal(at, name) {
			break
		}
		value, err := it.ValueAndErr()
		if err != nil {
			return 0, head{}, nil, err
		}
		parts |= 1 << part
		switch part {
		case partSpec:
			inc, err = decodeSpec(value, state)
		case partHead:
			h, err = decodeHead(value, state)
		case partMeta:
			state.Info.Meta = bytes.Clone(value)
		}
		if err != nil {
			return 0, head{}, nil, err
		}
	}
	if parts&^(1<<partMeta) != 1<<partSpec|1<<partHead {
		return 0, head{}, nil, errDamaged
	}
	return inc, h, state, nil
}

// loadProducers reads the producers of the stream unless they are in memory.
func (st *stream) loadProducers() error {
	if st.producers {
		return nil
	}
	lower, upper := producerKey(st.inc, ""), recordKey(st.inc, 0)
	it, err := st.store.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return fmt.Errorf("read producers of %q: %w", st.name, err)
	}
	defer it.Close()
	st.state.Producers = map[string]freshet.ProducerState{}
	for it.First(); it.Valid(); it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("read producers of %q: %w", st.name, err)
		}
		d := decoder{rest: value}
		p := freshet.ProducerState{Epoch: d.uint(), Seq: d.uint(), Last: d.time()}
		if d.failed {
			return fmt.Errorf("read producers of %q: %w", st.name, errDamaged)
		}
		st.state.Producers[string(it.Key()[producerIDAt:])] = p
	}
	if err := it.Error(); err != nil {
		return fmt.Errorf("read producers of %q: %w", st.name, err)
	}
	st.producers = true
	return nil
}
