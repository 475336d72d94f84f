package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/freshet-stream/freshet"
)

// A verifier checks what a store has after a loss of power.
type verifier struct {
	store         freshet.Store
	appends, open int
	problems      []string
}

func (v *verifier) problem(format string, args ...any) {
	v.problems = append(v.problems, fmt.Sprintf(format, args...))
}

// stream checks one stream.
func (v *verifier) stream(d debt) {
	page, err := v.store.Read(context.Background(), d.name, freshet.Offset{}, freshet.Limit{})
	switch {
	case errors.Is(err, freshet.ErrNotFound) && (d.live.deletion > 0 || d.acked == 0 && d.seen.Seq == 0):
		return
	case err != nil:
		v.problem("read %s, of which %d calls were acknowledged: %v", d.name, d.acked, err)
		return
	case d.deletion == 2:
		v.problem("%s was deleted and is there", d.name)
		return
	}
	landed, ok := v.records(d, page)
	if !ok {
		return
	}
	if landed < d.acked {
		v.problem("%s has %d calls, %d were acknowledged", d.name, landed, d.acked)
		return
	}
	v.appends += d.acked
	v.open += landed - d.acked
	for _, known := range []freshet.Offset{d.tail, d.seen} {
		_, err := v.store.Read(context.Background(), d.name, known, freshet.Limit{})
		if trimmed := trimmedGap(err) != nil && d.retain > 0; err != nil && !trimmed {
			v.problem("%s: an offset that was given out: %v", d.name, err)
		}
	}
	v.closure(d, page.Info, landed)
	v.repeat(d, page.Info, landed)
}

// records checks that the records are those of the calls that were begun, from
// the first on, whole, or as many of the last as the stream keeps. It returns
// how many calls they are.
func (v *verifier) records(d debt, page freshet.Page) (landed int, ok bool) {
	var begun []freshet.Append
	written := uint64(0)
	for landed < len(d.live.calls) && written < page.Info.Tail.Seq {
		for _, a := range d.live.calls[landed].Appends {
			begun = append(begun, a)
			written += uint64(len(a.Records))
		}
		landed++
	}
	if written != page.Info.Tail.Seq {
		v.problem("%s has %d records, which is not as many as any number of its calls", d.name, page.Info.Tail.Seq)
		return 0, false
	}
	for d.retain > 0 && written > d.retain && len(begun) > 1 {
		written -= uint64(len(begun[0].Records))
		begun = begun[1:]
	}
	records := page.Records
	if uint64(len(records)) != written || page.Info.Oldest.Seq != page.Info.Tail.Seq-written {
		v.problem("%s keeps %d records after %v of %d that it has to", d.name, len(records), page.Info.Oldest, written)
		return 0, false
	}
	for _, a := range begun {
		mark := records[0].Offset.Mark
		for _, want := range a.Records {
			if !bytes.Equal(records[0].Data, want.Data) {
				v.problem("%s is torn at %.20q, where %.20q has to be", d.name, records[0].Data, want.Data)
				return 0, false
			}
			if records[0].Offset.Mark != mark {
				v.problem("%s has several marks in an append", d.name)
			}
			records = records[1:]
		}
	}
	return landed, true
}

// closure checks that the stream is closed if its last call landed, and why.
func (v *verifier) closure(d debt, info freshet.Info, landed int) {
	switch c := info.Closed; {
	case (c != nil) != (landed == callsAStream):
		v.problem("%s has %d calls and is closed: %v", d.name, landed, c != nil)
	case c != nil && (c.Reason != d.reason() || string(c.Detail) != d.name):
		v.problem("%s is closed as %s, %q", d.name, c.Reason, c.Detail)
	case c == nil && d.ended:
		v.problem("%s was shown as closed and is not", d.name)
	}
}

// repeat makes the last call that landed again, which must not add anything,
// by its nonce and, if it named its producer, under a new one.
func (v *verifier) repeat(d debt, info freshet.Info, landed int) {
	if landed < 2 {
		return // the creation is another kind of call
	}
	call := d.live.calls[landed-1]
	call.Retry = true
	results, err := v.store.Append(context.Background(), d.name, call)
	if err := firstError(results, err); err != nil || results[len(results)-1].Tail != info.Tail {
		v.problem("%s: the last call made again: %v, %+v", d.name, err, results)
	}
	if d.named {
		call.Nonce = freshet.NewNonce()
		results, err = v.store.Append(context.Background(), d.name, call)
		last := call.Appends[len(call.Appends)-1]
		if err != nil || !results[len(results)-1].Landed(*last.Producer) || !results[len(results)-1].Duplicate {
			v.problem("%s: the producer's retry: %v, %+v", d.name, err, results)
		}
	}
	if after, err := v.store.Info(context.Background(), d.name); err != nil || after.Tail != info.Tail {
		v.problem("%s: repeating the last call moved the tail from %v to %v, %v", d.name, info.Tail, after.Tail, err)
	}
	if info.Closed == nil && landed < len(d.live.calls) {
		next := d.live.calls[landed] // lost, or never begun before the cut
		if results, err := v.store.Append(context.Background(), d.name, next); firstError(results, err) != nil {
			v.problem("%s: the call after the last: %v, %+v", d.name, err, results)
		}
	}
}
