package memstore

import (
	"errors"
	"slices"
	"time"

	"github.com/freshet-stream/freshet"
)

// spans are the retained appends of a stream that bounds what it keeps, the
// oldest first.
type spans []freshet.Span

// walk returns a function that returns them one after the other.
func (s spans) walk() func() (freshet.Span, error) {
	return func() (freshet.Span, error) {
		if len(s) == 0 {
			return freshet.Span{}, errors.New("trim stream: an append is missing")
		}
		span := s[0]
		s = s[1:]
		return span, nil
	}
}

// trim takes what a change adds into account, and gives up in its info what is
// too much then. The caller holds st.mu.
func (st *stream) trim(change *freshet.Change) error {
	info := &change.Info
	if info.Spec.Retain.IsNone() || len(change.Records) == 0 {
		return nil
	}
	st.spans = append(st.spans, freshet.Spans(change.Records, info.Appended)...)
	return info.Trim(st.spans.walk())
}

// age gives up what is too old at the time now. The caller holds st.mu.
func (st *stream) age(now time.Time) error {
	if err := st.state.Info.TrimAged(now, st.spans.walk()); err != nil {
		return err
	}
	st.shed()
	return nil
}

// shed lets go of the records before the oldest. Pages share the array of the
// others, which is made anew when most of it is given up. The caller holds
// st.mu.
func (st *stream) shed() {
	oldest := st.state.Info.Oldest
	for len(st.spans) > 0 && st.spans[0].Last.Seq <= oldest.Seq {
		st.spans = st.spans[1:]
	}
	if len(st.records) == 0 || st.records[0].Offset.Seq > oldest.Seq {
		return
	}
	n := int(oldest.Seq + 1 - st.records[0].Offset.Seq)
	st.records, st.shedded = st.records[n:], st.shedded+n
	if st.shedded > len(st.records) {
		st.records, st.shedded = slices.Clone(st.records), 0
	}
}
