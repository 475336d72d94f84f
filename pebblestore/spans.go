package pebblestore

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/freshet-stream/freshet"
)

// Streams that bound what they keep have a key for each call that wrote
// records, with the spans of its appends, so that trimming reads no records.

// appendSpans writes the spans of a call after the record with the number from.
func appendSpans(dst []byte, from uint64, spans []freshet.Span) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(spans)))
	dst = appendTime(dst, spans[0].At)
	for _, s := range spans {
		dst = appendMark(binary.AppendUvarint(dst, s.Last.Seq-from), s.Last.Mark)
		dst = binary.AppendUvarint(dst, uint64(s.Bytes))
		from = s.Last.Seq
	}
	return dst
}

// decodeSpans is the inverse of appendSpans, of the call whose last record has
// the given number.
func decodeSpans(value []byte, last uint64) ([]freshet.Span, error) {
	d := decoder{rest: value}
	n := d.uint()
	if n == 0 || n > uint64(len(d.rest)) {
		return nil, errDamaged
	}
	at := d.time()
	spans := make([]freshet.Span, n)
	total := uint64(0)
	for i := range spans {
		total += d.uint()
		spans[i] = freshet.Span{Last: freshet.Offset{Seq: total, Mark: d.mark()}, Bytes: int64(d.uint()), At: at}
	}
	if d.failed || total > last {
		return nil, errDamaged
	}
	for i := range spans {
		spans[i].Last.Seq += last - total
	}
	return spans, nil
}

// aheadMost is how many spans are read at once.
const aheadMost = 64

// An ahead is the oldest spans of a stream, those after its oldest position, as
// far as they are in memory.
type ahead struct {
	spans []freshet.Span
	// upTo is the number of the last record that spans have, or else of the
	// oldest position.
	upTo uint64
}

func (a *ahead) add(spans []freshet.Span) {
	a.spans = append(a.spans, spans...)
	a.upTo = spans[len(spans)-1].Last.Seq
}

// drop takes out the spans before a position.
func (a *ahead) drop(oldest freshet.Offset) {
	n := 0
	for n < len(a.spans) && a.spans[n].Last.Seq <= oldest.Seq {
		n++
	}
	if a.spans = a.spans[n:]; len(a.spans) == 0 {
		a.spans = nil
	}
}

// A spanWalk goes from the oldest span of a stream to its tail, and then through
// those that are about to be added.
type spanWalk struct {
	stream *stream
	added  []freshet.Span
	took   bool // the added ones are among those ahead
	n      int
}

func (w *spanWalk) next() (freshet.Span, error) {
	a := &w.stream.ahead
	if w.n == len(a.spans) {
		if err := w.more(); err != nil {
			return freshet.Span{}, fmt.Errorf("trim stream %q: %w", w.stream.name, err)
		}
	}
	w.n++
	return a.spans[w.n-1], nil
}

// more gets spans ahead.
func (w *spanWalk) more() error {
	st := w.stream
	if st.ahead.upTo < st.state.Info.Tail.Seq {
		return st.readSpans()
	}
	if w.took || len(w.added) == 0 {
		return errDamaged
	}
	st.ahead.add(w.added)
	w.took = true
	return nil
}

// readSpans reads some spans from where those ahead end.
func (st *stream) readSpans() (err error) {
	it, err := st.store.db.NewIter(&pebble.IterOptions{LowerBound: spansKey(st.inc, st.ahead.upTo+1), UpperBound: producerKey(st.inc, "")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	found := 0
	for valid := it.First(); valid && found < aheadMost; valid = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		spans, err := decodeSpans(value, recordKeySeq(it.Key()))
		if err != nil {
			return err
		}
		for len(spans) > 0 && spans[0].Last.Seq <= st.ahead.upTo {
			spans = spans[1:]
		}
		if len(spans) == 0 {
			return errDamaged
		}
		st.ahead.add(spans)
		found += len(spans)
	}
	if found == 0 {
		return errors.Join(it.Error(), errDamaged)
	}
	return nil
}
