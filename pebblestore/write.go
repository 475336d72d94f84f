package pebblestore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/freshet-stream/freshet"
)

// writeChange makes a change that was judged the state, and returns the write
// of it. hint is told to the followers when it is done.
func (st *stream) writeChange(change freshet.Change, hint freshet.Hint) (*write, error) {
	b := st.store.db.NewBatch()
	newMeta := !bytes.Equal(change.Info.Meta, st.state.Info.Meta)
	err := st.trim(b, &change)
	st.state.Apply(change)
	err = errors.Join(err,
		setRecords(b, st.inc, change.Records),
		st.setProducers(b, change),
	)
	if newMeta {
		err = errors.Join(err, b.Set(nameKey(st.name, partMeta), st.state.Info.Meta, nil))
	}
	return st.writeHead(b, err, hint)
}

// writeHead ends a batch with the stream's deadline and head.
func (st *stream) writeHead(b *pebble.Batch, err error, hint freshet.Hint) (*write, error) {
	err = errors.Join(err, st.list(b), st.setHead(b))
	if err != nil {
		st.loaded = false
		return nil, errors.Join(err, b.Close())
	}
	return &write{batch: b, done: func() {
		st.publish()
		st.store.followers.Tell(st.name, hint)
	}}, nil
}

func (st *stream) setHead(b *pebble.Batch) error {
	return b.Set(nameKey(st.name, partHead), appendHead(make([]byte, 0, 256), st.head, st.state), nil)
}

func (st *stream) setProducers(b *pebble.Batch, change freshet.Change) error {
	for _, id := range change.Forgotten {
		if err := b.Delete(producerKey(st.inc, id), nil); err != nil {
			return err
		}
	}
	var value []byte
	for i := range change.Producers {
		p := &change.Producers[i]
		value = binary.AppendUvarint(binary.AppendUvarint(value[:0], p.Epoch), p.Seq)
		value = appendTime(value, p.Last)
		if err := b.Set(producerKey(st.inc, p.ID), value, nil); err != nil {
			return err
		}
	}
	return nil
}

// list puts the stream among the deadlines. One that is listed earlier than it
// has to be stays where it is, so that moving a deadline on with each append
// writes nothing; Sweep then finds it too soon and moves it.
func (st *stream) list(b *pebble.Batch) error {
	at := listedAt(st.state.Info.Deadline())
	if at.IsZero() || !st.head.listed.IsZero() && !at.Before(st.head.listed) {
		return nil
	}
	return st.relist(b, at)
}

// relist moves the stream among the deadlines. The zero time takes it out.
func (st *stream) relist(b *pebble.Batch, at time.Time) error {
	if old := st.head.listed; !old.IsZero() {
		if err := b.Delete(deadlineKey(old, st.inc), nil); err != nil {
			return err
		}
	}
	st.head.listed = at
	if at.IsZero() {
		return nil
	}
	return b.Set(deadlineKey(at, st.inc), []byte(st.name), nil)
}

// listedAt returns where a deadline is listed: at the next millisecond, since
// at an earlier one the stream would be found not due, over and over.
func listedAt(deadline time.Time) time.Time {
	if deadline.IsZero() {
		return deadline
	}
	if first := time.UnixMilli(0).UTC(); deadline.Before(first) {
		return first
	}
	return deadline.Add(time.Millisecond - 1).UTC().Truncate(time.Millisecond)
}

// clear returns the write that removes everything of the stream. It may be
// lost, since the stream has expired, or is durably known to be gone.
func (st *stream) clear(done func()) (*write, error) {
	b := st.store.db.NewBatch()
	err := errors.Join(
		b.DeleteRange(nameKey(st.name, partSpec), nameKey(st.name, partEnd), nil),
		b.DeleteRange(incarnationKey(st.inc), incarnationKey(st.inc+1), nil),
		st.relist(b, time.Time{}),
	)
	if err != nil {
		st.loaded = false
		return nil, errors.Join(err, b.Close())
	}
	return &write{batch: b, lazy: true, done: func() {
		st.inc, st.head, st.state, st.producers, st.ahead = 0, head{}, nil, false, ahead{}
		st.publish()
		done()
	}}, nil
}
