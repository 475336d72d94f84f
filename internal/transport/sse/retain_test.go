package sse

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/freshet-stream/freshet"
)

func (r *rig) createRetaining(name string, retain freshet.Retain) freshet.Info {
	r.Helper()
	info, _, err := r.hub.Create(r.Context(), name, freshet.Creation{Spec: freshet.Spec{ContentType: "text/event-stream", Retain: retain}})
	if err != nil {
		r.Fatal(err)
	}
	return info
}

// Guarantee 6: who comes back with an id whose records are no longer kept is told
// so first, and goes on with the oldest; who has no id begins there.
func TestComingBackAfterTheStreamWasTrimmed(t *testing.T) {
	r := newRig(t)
	begin := r.createRetaining("s", freshet.Retain{Records: 2}).Tail
	var at []string
	for i := range 5 {
		at = append(at, r.append("s", freshet.Record{Data: []byte(fmt.Sprint(i))}).String())
	}
	for _, id := range []string{begin.String(), at[0], at[1]} {
		r.get("s", id).expect(gapEvent(id, at[2], freshet.GapTrimmed), event{data: "3", id: at[3]}, event{data: "4", id: at[4]})
	}
	for _, id := range []string{"", at[2]} {
		r.get("s", id).expect(event{id: at[2]}, event{data: "3", id: at[3]}, event{data: "4", id: at[4]})
	}
}

// Guarantee 6: a reader that is connected and too slow for what the stream keeps
// is told of each gap where it is, and misses nothing else.
func TestASlowReaderOfATrimmedStream(t *testing.T) {
	r := newRig(t)
	r.createRetaining("s", freshet.Retain{Bytes: 1 << 20})
	got := r.get("s", "")
	last, err := got.next()
	if err != nil {
		t.Fatal(err)
	}
	const total = 128
	large := strings.Repeat("x", 512<<10)
	for i := range total {
		r.append("s", freshet.Record{Type: fmt.Sprint(i), Data: []byte(large)})
	}
	r.close("s", freshet.Completed)
	at, gaps := last.id, 0
	number := func(id string) (n int) { _, _ = fmt.Sscan(strings.TrimLeft(id[:16], "0")+" ", &n); return n }
	for {
		e, err := got.next()
		if err != nil {
			t.Fatalf("after %s: %v", at, err)
		}
		if e.typ == "stream-closed" {
			break
		}
		if e.typ == "stream-gap" {
			var gap struct{ Requested, Resumed, Why string }
			if err := json.Unmarshal([]byte(e.data), &gap); err != nil || gap.Requested != at || gap.Why != freshet.GapTrimmed || gap.Resumed != e.id || number(e.id) <= number(at) {
				t.Fatalf("after %s: %+v, %v", at, e, err)
			}
			gaps++
		} else if number(e.id) != number(at)+1 || e.typ != fmt.Sprint(number(at)) || e.data != large {
			t.Fatalf("after %s comes %s, %s", at, e.id, e.typ)
		}
		at = e.id
	}
	if number(at) != total {
		t.Errorf("the last record is %s", at)
	}
	if gaps == 0 {
		t.Error("there was no gap")
	}
}
