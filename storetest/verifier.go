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
	landed, ok := v.records(d, page.Records)
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
		if _, err := v.store.Read(context.Background(), d.name, known, freshet.Limit{}); err != nil {
			v.problem("%s: an offset that was given out: %v", d.name, err)
		}
	}
	v.closure(d, page.Info, landed)
	v.repeat(d, page.Info, landed)
}

// records checks that the records are those of the calls that were begun, from
// the first on, whole. It returns how many calls they are.
func (v *verifier) records(d debt, records []freshet.Record) (landed int, ok bool) {
	for landed < len(d.live.calls) && len(records) > 0 {
		for _, a := range d.live.calls[landed].Appends {
			var mark freshet.Mark
			for i, want := range a.Records {
				if len(records) == 0 || !bytes.Equal(records[0].Data, want.Data) {
					v.problem("%s, call %d is torn at %.20q", d.name, landed, want.Data)
					return 0, false
				}
				if i > 0 && records[0].Offset.Mark != mark {
					v.problem("%s, call %d has several marks in an append", d.name, landed)
				}
				mark, records = records[0].Offset.Mark, records[1:]
			}
		}
		landed++
	}
	if len(records) > 0 {
		v.problem("%s has %d records that nobody wrote", d.name, len(records))
		return 0, false
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
