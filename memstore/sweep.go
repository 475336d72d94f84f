package memstore

import (
	"context"
	"time"

	"github.com/freshet-stream/freshet"
)

// Sweep implements [freshet.Store].
func (s *Store) Sweep(ctx context.Context, n int) (done int, err error) {
	for done < n {
		s.mu.RLock()
		err := s.usable(ctx)
		s.mu.RUnlock()
		if err != nil {
			return done, err
		}
		due, ok := s.due.pop(s.now())
		if !ok {
			return done, nil
		}
		did, err := s.sweep(due)
		if err != nil {
			return done, err
		}
		if did {
			done++
		}
	}
	return done, nil
}

// sweep looks at a stream whose deadline has just left the list. It reports
// whether there was anything to do.
func (s *Store) sweep(due deadline) (did bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, st := s.now(), due.stream
	if s.streams[st.name] != st {
		return false, nil
	}
	if st.expired(now) {
		s.drop(st)
		return true, nil
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.listed.Equal(due.at) {
		st.listed = time.Time{}
	}
	switch info := &st.state.Info; {
	case info.Overdue(now):
		did = true
		_, err = st.append(freshet.Interrupt(), now)
	case info.Aged(now):
		did = true
		err = st.age(now)
		s.followers.Tell(st.name, freshet.Hint{})
	}
	st.schedule()
	return did, err
}

// schedule lists the stream at its deadline. One that is listed earlier stays
// where it is: Sweep then finds it too soon and lists it anew, which costs less
// than moving it at each append. The caller holds st.mu.
func (st *stream) schedule() {
	at := st.state.Info.Deadline()
	if at.IsZero() || !st.listed.IsZero() && !at.Before(st.listed) {
		return
	}
	st.listed = at
	st.store.due.push(at, st)
}
