package storetest

import (
	"strings"
	"time"

	"github.com/freshet-stream/freshet"
)

// A model is the contract of a store once more, as simply as it can be said,
// sharing no code with the one under test. It makes up nothing: the mark of a
// new incarnation is taken over from the store.
type model struct {
	streams map[string]*modelStream
	now     time.Time
}

type modelStream struct {
	info freshet.Info
	// begin is the first position, and records are all there ever were, those
	// that were given up included.
	begin     freshet.Offset
	records   []freshet.Record
	landedAt  []time.Time // of each
	producers map[string]modelProducer
	streamSeq string
	creator   freshet.Nonce
	last      *modelCall
}

type modelProducer struct{ epoch, seq uint64 }

// A modelCall is the last call that changed a stream.
type modelCall struct {
	nonce   freshet.Nonce
	results []freshet.Result
}

// get returns the stream if it exists.
func (m *model) get(name string) *modelStream {
	st := m.streams[name]
	if st == nil || st.due(st.expiry(), m.now) {
		return nil
	}
	return st
}

func (st *modelStream) due(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

// expiry is when the stream ends. A fixed time goes before a sliding one, and
// both before what the server keeps by default.
func (st *modelStream) expiry() (at time.Time) {
	spec, closed := st.info.Spec, st.info.Closed
	if !spec.Expires.IsZero() {
		return spec.Expires
	}
	if spec.TTL != 0 {
		return st.info.Touched.Add(spec.TTL)
	}
	if closed != nil && spec.KeepClosed != 0 {
		at = closed.At.Add(spec.KeepClosed)
	}
	if closed == nil && spec.KeepOpen != 0 {
		at = st.info.Appended.Add(spec.KeepOpen)
	}
	return at
}

// create returns the stream and whether the call made it. begin is the
// position that the store gave the new stream.
func (m *model) create(name string, c freshet.Creation, begin freshet.Offset) (*modelStream, bool, error) {
	if st := m.get(name); st != nil {
		return st, st.creator == c.Nonce, nil
	}
	st := &modelStream{creator: c.Nonce, producers: map[string]modelProducer{}, begin: begin}
	st.info = freshet.Info{
		Name: name, Spec: c.Spec, Created: m.now, Appended: m.now, Touched: m.now,
		Oldest: begin, Tail: begin, Meta: c.Meta,
	}
	if c.Spec.ContentType == "" {
		st.info.Spec.ContentType = "application/octet-stream"
	}
	if c.First != nil {
		results := st.append(freshet.Call{Nonce: c.Nonce, Appends: []freshet.Append{*c.First}}, m.now)
		if results[0].Err != nil {
			return nil, false, results[0].Err
		}
	}
	m.streams[name] = st
	return st, true, nil
}

func (st *modelStream) append(call freshet.Call, now time.Time) (results []freshet.Result) {
	if st.last != nil && st.last.nonce == call.Nonce {
		return st.last.results
	}
	uncertain := call.Retry && call.Tail != st.info.Tail
	changed := false
	for i, a := range call.Appends {
		r := freshet.Result{From: st.info.Tail}
		r.Err, r.Duplicate = st.judge(a, uncertain)
		if r.Err == nil && !r.Duplicate {
			changed = true
			st.land(a, st.info.Tail.Mark.Next(call.Nonce, i), now)
		}
		if a.Producer != nil {
			if p, ok := st.producers[a.Producer.ID]; ok {
				r.Known, r.Epoch, r.Seq = true, p.epoch, p.seq
			}
		}
		r.Tail, r.Closed = st.info.Tail, st.info.Closed
		results = append(results, r)
	}
	if changed {
		st.last = &modelCall{call.Nonce, results}
	}
	return results
}

// judge says whether an append is refused, or has landed before.
func (st *modelStream) judge(a freshet.Append, uncertain bool) (refused error, duplicate bool) {
	if uncertain && a.Producer == nil {
		return freshet.ErrUncertain, false
	}
	if c := st.info.Closed; c != nil {
		onlyCloses := a.Close != nil && len(a.Records) == 0
		closedIt := c.By != nil && a.Producer != nil && *c.By == *a.Producer
		allThere := a.PerRecord && st.landed(a) == len(a.Records)
		if onlyCloses || closedIt || allThere {
			return nil, true
		}
		return freshet.ErrClosed, false
	}
	if a.ContentType != "" && media(a.ContentType) != media(st.info.Spec.ContentType) {
		return freshet.ErrTypeMismatch, false
	}
	if refused, duplicate := st.judgeProducer(a); refused != nil || duplicate {
		return refused, duplicate
	}
	if a.StreamSeq != "" && a.StreamSeq <= st.streamSeq {
		return freshet.ErrStale, false
	}
	if a.Expect != nil && *a.Expect != st.info.Tail {
		return freshet.ErrExpected, false
	}
	if a.Producer != nil && len(st.producers) == 1024 {
		if _, known := st.producers[a.Producer.ID]; !known {
			return freshet.ErrProducers, false
		}
	}
	return nil, false
}

// judgeProducer has the rules of Durable Streams for idempotent producers: the
// first append of a producer, and of each of its epochs, has the number 0; each
// next one the number after; lower numbers have landed; lower epochs are over.
//
// A producer that counts records has landed in part if some of them are new.
func (st *modelStream) judgeProducer(a freshet.Append) (refused error, duplicate bool) {
	p := a.Producer
	if p == nil {
		return nil, false
	}
	if a.PerRecord {
		if n := st.landed(a); n > 0 {
			return nil, n == len(a.Records)
		}
	}
	last, known := st.producers[p.ID]
	if known && p.Epoch < last.epoch {
		return freshet.ErrFenced, false
	}
	if known && p.Epoch == last.epoch {
		if p.Seq <= last.seq {
			return nil, true
		}
		if p.Seq != last.seq+1 {
			return freshet.ErrSequence, false
		}
		return nil, false
	}
	if p.Seq != 0 && known {
		return freshet.ErrEpochStart, false
	}
	if p.Seq != 0 {
		return freshet.ErrSequence, false
	}
	return nil, false
}

// landed is how many records of an append that counts them have landed before.
func (st *modelStream) landed(a freshet.Append) (n int) {
	last, known := st.producers[a.Producer.ID]
	for i := range a.Records {
		if known && a.Producer.Epoch == last.epoch && a.Producer.Seq+uint64(i) <= last.seq {
			n++
		}
	}
	return n
}

func media(contentType string) string {
	before, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(before))
}

func (st *modelStream) land(a freshet.Append, mark freshet.Mark, now time.Time) {
	info := &st.info
	reached := uint64(0)
	if a.Producer != nil {
		reached = a.Producer.Seq
	}
	if a.PerRecord {
		reached += uint64(len(a.Records)) - 1
		a.Records = a.Records[st.landed(a):]
	}
	for _, r := range a.Records {
		r.Offset = freshet.Offset{Seq: info.Tail.Seq + 1, Mark: mark}
		info.Tail = r.Offset
		st.records = append(st.records, r)
		st.landedAt = append(st.landedAt, now)
	}
	st.bound()
	if p := a.Producer; p != nil {
		st.producers[p.ID] = modelProducer{p.Epoch, reached}
	}
	if a.StreamSeq != "" {
		st.streamSeq = a.StreamSeq
	}
	if a.Meta != nil {
		info.Meta = a.Meta
	}
	if a.Lease != 0 {
		info.LeaseTerm = a.Lease
	}
	if info.LeaseTerm != 0 {
		info.Lease = now.Add(info.LeaseTerm)
	}
	info.Appended, info.Touched = now, now
	if a.Close != nil {
		reason := a.Close.Reason
		if reason == "" {
			reason = "completed"
		}
		info.Closed = &freshet.Closure{Closing: freshet.Closing{Reason: reason, Detail: a.Close.Detail}, At: now, By: a.Producer}
	}
}

// read returns the records after a position, or why there are none.
func (st *modelStream) read(from freshet.Offset, limit freshet.Limit) (records []freshet.Record, gap string) {
	if from.Seq > uint64(len(st.records)) {
		return nil, "ahead"
	}
	if from == (freshet.Offset{}) {
		from = st.info.Oldest
	}
	if from.Seq < st.info.Oldest.Seq {
		return nil, "trimmed"
	}
	if from != st.position(from.Seq) {
		return nil, "diverged"
	}
	size := 0
	for _, r := range st.records[from.Seq:] {
		size += len(r.Data) + len(r.Type) + len(r.ID)
		full := limit.Records > 0 && len(records) == limit.Records || limit.Bytes > 0 && size > limit.Bytes
		if full && len(records) > 0 {
			break
		}
		records = append(records, r)
	}
	return records, ""
}

// sweep does everything that is due, and returns how much that was.
func (m *model) sweep() (done int) {
	for name, st := range m.streams {
		switch {
		case st.due(st.expiry(), m.now):
			delete(m.streams, name)
			done++
		case st.info.Closed == nil && st.due(st.info.Lease, m.now):
			st.land(freshet.Append{Close: closing("interrupted")}, 0, m.now)
			st.last = nil
			done++
		}
		if m.streams[name] != nil && st.age(m.now) {
			done++
		}
	}
	return done
}

func (st *modelStream) renew(r freshet.Renewal, now time.Time) {
	if r.Touch {
		st.info.Touched = now
	}
	if r.Lease != 0 && st.info.Closed == nil {
		st.info.Lease, st.info.LeaseTerm = now.Add(r.Lease), r.Lease
	}
	if r.Watched != 0 {
		st.info.Watched = now.Add(r.Watched)
	}
}

// comparable returns an info with what no reader may rely on left out: the
// lease of a closed stream.
func comparable(i freshet.Info) freshet.Info {
	if i.Closed != nil {
		i.Lease, i.LeaseTerm = time.Time{}, 0
	}
	return i
}
