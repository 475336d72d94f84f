package freshet

import (
	"bytes"
	"slices"
	"time"
)

// MaxProducers is how many producers a stream remembers.
const MaxProducers = 1024

// producerIdle is for how long a producer has to be silent before it may be
// forgotten in favour of another.
const producerIdle = time.Hour

// A ProducerState is what a stream remembers of one producer.
type ProducerState struct {
	Epoch, Seq uint64
	// Last is when it last appended.
	Last time.Time
}

// A NamedProducer is what a stream remembers of the producer that has the ID.
type NamedProducer struct {
	ID string
	ProducerState
}

// A State is everything that a store keeps of one stream beside its records.
// Its methods are how every store judges; they do no I/O and are not safe for
// concurrent use.
type State struct {
	Info      Info
	StreamSeq string
	Producers map[string]ProducerState
	// Creator names the call that created the stream.
	Creator Nonce
	// LastNonce and LastResults are those of the last call that changed the
	// stream.
	LastNonce   Nonce
	LastResults []Result
}

// A Change is what one call does to a stream. A store trims its info
// ([Info.Trim]), writes all of it in one atomic step, and then makes it the
// state with [State.Apply].
type Change struct {
	Info      Info
	StreamSeq string
	// Records are the new ones in order, with their offsets.
	Records []Record
	// Producers are those whose state is new, each once; Forgotten those that go.
	Producers []NamedProducer
	Forgotten []string
	Nonce     Nonce
	Results   []Result
	// repeated says that the results are those of a call that landed before.
	repeated bool
}

// A Call is one call of [Store].Append: appends of one stream that are judged
// in order, each atomic.
type Call struct {
	// Nonce names the call. The same call made again has the same one.
	Nonce   Nonce
	Appends []Append
	// Retry says that the call was made before and its outcome is not known.
	// Tail is then the stream's tail as it was known before the first try, if
	// it was known.
	Retry bool
	Tail  Offset
}

// NewState returns the state of a stream that is being created at the time now,
// and the change that its first append makes. The error is that of the first
// append if it is refused; then nothing is created.
func NewState(name string, c Creation, now time.Time) (*State, Change, error) {
	now = now.UTC().Truncate(time.Millisecond)
	begin := Offset{Mark: NewMark()}
	spec := c.Spec
	if spec.ContentType == "" {
		spec.ContentType = DefaultContentType
	}
	s := &State{
		Info:      Info{Name: name, Spec: spec, Created: now, Oldest: begin, Tail: begin, Appended: now, Touched: now, Meta: bytes.Clone(c.Meta)},
		Creator:   c.Nonce,
		Producers: map[string]ProducerState{},
	}
	var appends []Append
	if c.First != nil {
		appends = []Append{*c.First}
	}
	change := s.Judge(Call{Nonce: c.Nonce, Appends: appends}, now)
	for _, r := range change.Results {
		if r.Err != nil {
			return nil, Change{}, r.Err
		}
	}
	return s, change, nil
}

// Judge decides what a call does to the stream at the time now. It does not
// alter s. A call that s has seen last gets the results that it got then, and
// a change that is none.
func (s *State) Judge(call Call, now time.Time) Change {
	now = now.UTC().Truncate(time.Millisecond)
	if call.Nonce == s.LastNonce && s.LastResults != nil {
		return Change{Info: s.Info, StreamSeq: s.StreamSeq, Nonce: s.LastNonce, Results: s.LastResults, repeated: true}
	}
	j := judgement{
		state: s,
		now:   now,
		// Another call came between, so that this one may have landed before it.
		uncertain: call.Retry && s.Info.Tail != call.Tail,
		Change:    Change{Info: s.Info, StreamSeq: s.StreamSeq, Nonce: call.Nonce, Results: make([]Result, len(call.Appends))},
	}
	for i := range call.Appends {
		j.Results[i] = j.judge(&call.Appends[i], call.Nonce, i)
	}
	return j.Change
}

// IsNone reports whether the call changes nothing, since all its appends were
// refused or had landed before. A store need not write it, and must not apply
// it: the stream still remembers the call before.
func (c *Change) IsNone() bool {
	return c.repeated || !slices.ContainsFunc(c.Results, func(r Result) bool { return r.Err == nil && !r.Duplicate })
}

// Apply makes a change, which [State.Judge] gave for s as it is now, the state.
func (s *State) Apply(c Change) {
	s.Info, s.StreamSeq = c.Info, c.StreamSeq
	s.LastNonce, s.LastResults = c.Nonce, c.Results
	for _, p := range c.Producers {
		s.Producers[p.ID] = p.ProducerState
	}
	for _, id := range c.Forgotten {
		delete(s.Producers, id)
	}
}

// Interrupt returns the call that closes a stream whose lease has run out.
func Interrupt() Call {
	return Call{Nonce: NewNonce(), Appends: []Append{{Close: &Closing{Reason: Interrupted}}}}
}

type judgement struct {
	state     *State
	now       time.Time
	uncertain bool
	Change
}

func (j *judgement) judge(a *Append, nonce Nonce, i int) (r Result) {
	info := &j.Info
	r.From, r.Tail, r.Closed = info.Tail, info.Tail, info.Closed
	var known ProducerState
	if a.Producer != nil {
		known, r.Known = j.producer(a.Producer.ID)
		r.Epoch, r.Seq = known.Epoch, known.Seq
	}
	if j.uncertain && a.Producer == nil {
		r.Err = ErrUncertain
		return r
	}
	if info.Closed != nil {
		if r.Duplicate = j.isRetryOfEnd(a, known, r.Known); !r.Duplicate {
			r.Err = ErrClosed
		}
		return r
	}
	if a.ContentType != "" && !SameContentType(a.ContentType, info.Spec.ContentType) {
		r.Err = ErrTypeMismatch.With("the stream has the content type %s; send that, not %s", info.Spec.ContentType, a.ContentType)
		return r
	}
	landed := 0
	if a.Producer != nil {
		landed, r.Err = judgeProducer(a, known, r.Known)
		r.Duplicate = landed > 0 && landed >= len(a.Records)
		if r.Err != nil || r.Duplicate {
			return r
		}
	}
	if a.StreamSeq != "" && a.StreamSeq <= j.StreamSeq {
		r.Err = ErrStale.With("the Stream-Seq %s is not greater than the last one, %s", quote(a.StreamSeq), quote(j.StreamSeq))
		return r
	}
	if a.Expect != nil && *a.Expect != info.Tail {
		r.Err = ErrExpected
		return r
	}
	if p := a.Producer; p != nil {
		if r.Err = j.remember(p.ID, ProducerState{Epoch: p.Epoch, Seq: a.lastSeq(), Last: j.now}, r.Known); r.Err != nil {
			return r
		}
		r.Known, r.Epoch, r.Seq = true, p.Epoch, a.lastSeq()
	}
	j.write(a, a.Records[landed:], nonce, i)
	r.Tail, r.Closed = info.Tail, info.Closed
	return r
}

// isRetryOfEnd reports whether an append to a closed stream asks for nothing
// that is not there: it is a mere close, the append that closed the stream, or
// one whose records are known one by one.
func (j *judgement) isRetryOfEnd(a *Append, last ProducerState, known bool) bool {
	by := j.Info.Closed.By
	switch {
	case len(a.Records) == 0 && a.Close != nil:
		return true
	case a.Producer == nil:
		return false
	case by != nil && *by == *a.Producer:
		return true
	}
	return a.PerRecord && known && a.Producer.Epoch == last.Epoch && a.lastSeq() <= last.Seq
}

// judgeProducer follows Durable Streams, section 5.2.1, "Validation Logic". It
// returns how many of the append's records have landed before: all of them or,
// unless the producer counts records, none.
func judgeProducer(a *Append, last ProducerState, known bool) (landed int, err error) {
	p := a.Producer
	switch {
	case !known && p.Seq != 0:
		return 0, ErrSequence
	case !known:
		return 0, nil
	case p.Epoch < last.Epoch:
		return 0, ErrFenced
	case p.Epoch > last.Epoch && p.Seq != 0:
		return 0, ErrEpochStart
	case p.Epoch > last.Epoch:
		return 0, nil
	case a.lastSeq() <= last.Seq:
		return max(len(a.Records), 1), nil
	case p.Seq > last.Seq+1:
		return 0, ErrSequence
	}
	return int(last.Seq + 1 - p.Seq), nil
}

// producer looks a producer up as this call has left it.
func (j *judgement) producer(id string) (ProducerState, bool) {
	if i := j.renewed(id); i >= 0 {
		return j.Producers[i].ProducerState, true
	}
	if slices.Contains(j.Forgotten, id) {
		return ProducerState{}, false
	}
	p, ok := j.state.Producers[id]
	return p, ok
}

// remember notes that a producer has appended, and forgets another one if there
// is no room for it.
func (j *judgement) remember(id string, state ProducerState, known bool) error {
	if !known && len(j.state.Producers)+j.added()-len(j.Forgotten) >= MaxProducers {
		idlest, last := "", j.now.Add(-producerIdle)
		for other, state := range j.state.Producers {
			if j.renewed(other) < 0 && state.Last.Before(last) && !slices.Contains(j.Forgotten, other) {
				idlest, last = other, state.Last
			}
		}
		if idlest == "" {
			return ErrProducers
		}
		j.Forgotten = append(j.Forgotten, idlest)
	}
	if i := slices.Index(j.Forgotten, id); i >= 0 {
		j.Forgotten = slices.Delete(j.Forgotten, i, i+1)
	}
	if i := j.renewed(id); i >= 0 {
		j.Producers[i].ProducerState = state
	} else {
		j.Producers = append(j.Producers, NamedProducer{id, state})
	}
	return nil
}

// renewed returns which of the producers with a new state has the id, -1 if none.
func (j *judgement) renewed(id string) int {
	return slices.IndexFunc(j.Producers, func(p NamedProducer) bool { return p.ID == id })
}

// added counts the producers that are new with this call.
func (j *judgement) added() (n int) {
	for i := range j.Producers {
		if _, ok := j.state.Producers[j.Producers[i].ID]; !ok {
			n++
		}
	}
	return n
}

// write lets an append that was accepted take effect, with those of its records
// that are new.
func (j *judgement) write(a *Append, records []Record, nonce Nonce, i int) {
	info := &j.Info
	if len(records) > 0 {
		if info.Spec.Retain.Age > 0 && info.OldestAt.IsZero() {
			info.OldestAt = j.now
		}
		mark := info.Tail.Mark.Next(nonce, i)
		for k, r := range records {
			r.Offset = Offset{Seq: info.Tail.Seq + uint64(k) + 1, Mark: mark}
			info.Bytes += int64(r.Size())
			j.Records = append(j.Records, r)
		}
		info.Tail = j.Records[len(j.Records)-1].Offset
	}
	if a.StreamSeq != "" {
		j.StreamSeq = a.StreamSeq
	}
	if a.Meta != nil {
		info.Meta = bytes.Clone(a.Meta)
	}
	if a.Lease > 0 {
		info.LeaseTerm = a.Lease
	}
	if info.LeaseTerm > 0 {
		info.Lease = j.now.Add(info.LeaseTerm)
	}
	info.Appended, info.Touched = j.now, j.now
	if a.Close != nil {
		closed := &Closure{Closing: *a.Close, At: j.now}
		if closed.Reason == "" {
			closed.Reason = Completed
		}
		closed.Detail = bytes.Clone(closed.Detail)
		if a.Producer != nil {
			by := *a.Producer
			closed.By = &by
		}
		info.Closed = closed
	}
}

// A Creation is what a stream is created with.
type Creation struct {
	Spec Spec
	Meta []byte
	// Nonce names the call, as in [Call].
	Nonce Nonce
	// First, if not nil, is appended in the same step. It may close the stream.
	First *Append
}
