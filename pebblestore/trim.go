package pebblestore

import (
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/freshet-stream/freshet"
)

// Records that were given up are invisible from then on. Their space is given
// back later, some at a time, since deleting a range costs as much for one
// record as for many, and a reader may still be looking at them.
const (
	freeRecords = 1024
	freeBytes   = 1 << 20
)

// trim adds to a batch what a change is to be trimmed by later, and gives up in
// the change's info what is too much now.
func (st *stream) trim(b *pebble.Batch, change *freshet.Change) error {
	info := &change.Info
	if info.Spec.Retain.IsNone() || len(change.Records) == 0 {
		return nil
	}
	added := freshet.Spans(change.Records, info.Appended)
	before, size := st.state.Info.Tail, info.Bytes
	err := errors.Join(
		b.Set(spansKey(st.inc, info.Tail.Seq), appendSpans(make([]byte, 0, 16+12*len(added)), before.Seq, added), nil),
		st.free(b, freeRecords, freeBytes),
	)
	if err != nil {
		return err
	}
	w := spanWalk{stream: st, added: added}
	if err := info.Trim(w.next); err != nil {
		return err
	}
	if !w.took && st.ahead.upTo == before.Seq && len(st.ahead.spans) < aheadMost {
		st.ahead.add(added)
	}
	st.ahead.drop(info.Oldest)
	st.head.dead += size - info.Bytes
	return nil
}

// free adds to a batch that the space of the records is given back which were
// given up before, if they are at least so many or so large. They are not the
// ones of a write that is under way: nobody has to find those any more.
func (st *stream) free(b *pebble.Batch, records uint64, bytes int64) error {
	from, to := st.head.freed+1, st.state.Info.Oldest.Seq+1
	if to-from < records && st.head.dead < bytes {
		return nil
	}
	st.head.freed, st.head.dead = to-1, 0
	return errors.Join(
		b.DeleteRange(recordKey(st.inc, from), recordKey(st.inc, to), nil),
		b.DeleteRange(spansKey(st.inc, from), spansKey(st.inc, to), nil),
	)
}

// age returns the write that gives up what is too old at the time now.
func (st *stream) age(now time.Time) (*write, error) {
	info := st.state.Info
	size := info.Bytes
	w := spanWalk{stream: st}
	if err := info.TrimAged(now, w.next); err != nil {
		st.loaded = false
		return nil, err
	}
	st.ahead.drop(info.Oldest)
	st.head.dead += size - info.Bytes
	st.state.Info = info
	return st.relisted(&write{batch: st.store.db.NewBatch(), done: st.aged})
}

// aged tells that records were given up, and gives their space back. If that
// fails, or is lost in a crash, a later trim does it.
func (st *stream) aged() {
	st.publish()
	st.store.followers.Tell(st.name, freshet.Hint{})
	b := st.store.db.NewBatch()
	err := errors.Join(st.free(b, 1, 1), st.setHead(b))
	if err == nil {
		err = st.store.apply(&write{batch: b, lazy: true})
	}
	if err != nil {
		st.loaded = false
		st.store.log.Error("The space of old records could not be given back yet.", "stream", st.name, "error", err)
	}
}
