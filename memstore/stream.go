package memstore

import (
	"sync"
	"time"

	"github.com/freshet-stream/freshet"
)

// A stream is one incarnation of a stream.
type stream struct {
	store *Store
	name  string

	mu      sync.Mutex
	state   *freshet.State
	records []freshet.Record // those after state.Info.Oldest
	spans   spans            // of these, if the stream bounds what it keeps
	shedded int              // how many records before them the array still has
	gone    bool
	// listed is the time under which the stream stands among the deadlines,
	// zero if it does not. It is never after the true deadline.
	listed time.Time
}

func (st *stream) expired(now time.Time) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.state.Info.Expired(now)
}

// created returns the info and the creator of a stream that exists at the time
// now.
func (st *stream) created(now time.Time) (info freshet.Info, creator freshet.Nonce, ok bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.state.Info, st.state.Creator, !st.state.Info.Expired(now)
}

// append makes a call part of the stream. The caller holds st.mu, so that
// followers are told of changes in order.
func (st *stream) append(call freshet.Call, now time.Time) ([]freshet.Result, error) {
	change := st.state.Judge(call, now)
	if change.IsNone() {
		return change.Results, nil
	}
	from := st.state.Info.Tail
	if err := st.apply(change); err != nil {
		return nil, err
	}
	st.store.followers.Tell(st.name, freshet.Hint{Batch: &freshet.Batch{
		From: from, Records: change.Records, Tail: change.Info.Tail, Closed: change.Info.Closed,
	}})
	return change.Results, nil
}

func (st *stream) apply(change freshet.Change) error {
	if err := st.trim(&change); err != nil {
		return err
	}
	st.state.Apply(change)
	st.records = append(st.records, change.Records...)
	st.shed()
	st.schedule()
	return nil
}

// read returns a page that shares the stream's records. Since those are only
// ever added to, the page stays as it is.
func (st *stream) read(from freshet.Offset, limit freshet.Limit) (freshet.Page, error) {
	info := st.state.Info
	first := info.Oldest.Seq + 1
	from, err := info.Locate(from, func(seq uint64) (freshet.Mark, error) {
		return st.records[seq-first].Offset.Mark, nil
	})
	if err != nil {
		return freshet.Page{}, err
	}
	rest := st.records[from.Seq+1-first:]
	n, size := 0, 0
	for n < len(rest) && limit.Takes(n, size, rest[n].Size()) {
		size += rest[n].Size()
		n++
	}
	return freshet.Page{Records: rest[:n:n], Info: info}, nil
}
