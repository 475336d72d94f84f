package storetest

import (
	"time"

	"github.com/freshet-stream/freshet"
)

// bound gives up the oldest appends until the rest is within the stream's
// bounds on records and bytes, or is one append.
func (st *modelStream) bound() {
	keep := st.info.Spec.Retain
	for first := st.info.Oldest.Seq; ; first = st.appendEnd(first) {
		rest := st.records[first:]
		bytes := int64(0)
		for _, r := range rest {
			bytes += int64(len(r.Data) + len(r.Type) + len(r.ID))
		}
		within := (keep.Records == 0 || uint64(len(rest)) <= keep.Records) && (keep.Bytes == 0 || bytes <= keep.Bytes)
		if within || st.appendEnd(first) == uint64(len(st.records)) {
			st.startAt(first, bytes)
			return
		}
	}
}

// age gives up the appends that are too old, and reports whether there were any.
func (st *modelStream) age(now time.Time) (some bool) {
	keep := st.info.Spec.Retain.Age
	for keep > 0 {
		first := st.info.Oldest.Seq
		if first == uint64(len(st.records)) || now.Before(st.landedAt[first].Add(keep)) {
			break
		}
		end, bytes := st.appendEnd(first), int64(0)
		for _, r := range st.records[end:] {
			bytes += int64(len(r.Data) + len(r.Type) + len(r.ID))
		}
		st.startAt(end, bytes)
		some = true
	}
	return some
}

// appendEnd is how many records there are up to the end of the append that wrote
// the one after the first n.
func (st *modelStream) appendEnd(n uint64) uint64 {
	end := n
	for end < uint64(len(st.records)) && st.records[end].Offset.Mark == st.records[n].Offset.Mark {
		end++
	}
	return end
}

// startAt lets the stream begin after its first n records.
func (st *modelStream) startAt(n uint64, bytes int64) {
	info := &st.info
	info.Oldest, info.Bytes, info.OldestAt = st.position(n), bytes, time.Time{}
	if info.Spec.Retain.Age > 0 && n < uint64(len(st.records)) {
		info.OldestAt = st.landedAt[n]
	}
}

// position returns the offset after the first seq records.
func (st *modelStream) position(seq uint64) freshet.Offset {
	if seq == 0 {
		return st.begin
	}
	return st.records[seq-1].Offset
}
