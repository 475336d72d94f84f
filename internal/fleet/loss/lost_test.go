package loss_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/freshet-stream/freshet"
)

// A losing is a Redis that can lose what it has acknowledged. After fork it is
// going to lose what it takes, until lose has made it lose that and serve again.
type losing struct {
	url        string
	fork, lose func(t *testing.T)
}

const (
	// kept records survive, lost ones do not, and fresh ones get their numbers.
	kept  = 6
	lost  = 3
	fresh = 5
)

func named(id string, seq int, more ...string) []string {
	return append([]string{"Producer-Id", id, "Producer-Epoch", "0", "Producer-Seq", strconv.Itoa(seq)}, more...)
}

func quoted(format string, args ...any) string { return strconv.Quote(fmt.Sprintf(format, args...)) }

// checkLoss is what every loss of an acknowledged tail has to look like.
func checkLoss(t *testing.T, l losing) {
	r := newRig(t, l.url)
	for _, stream := range []string{"told", "closed", "ended", "untouched"} {
		r.do(0, "PUT", stream, "")
		for i := range kept {
			r.do(i%2, "POST", stream, quoted("kept %d", i+1), named("p", i)...)
		}
	}

	// Followers throughout, on both servers and over both transports, and some
	// that go away: before the fork, at it, and when they have seen what is lost.
	connected := map[string][]*reader{}
	for _, stream := range []string{"told", "closed", "untouched"} {
		for at := range r.addrs {
			for _, via := range []string{"sse", "websocket"} {
				connected[stream] = append(connected[stream], r.follow(at, via, stream))
			}
		}
	}
	atFork := r.follow(0, "sse", "told")
	atFork.awaitRecord(quoted("kept %d", kept))
	atFork.away()
	for _, readers := range connected {
		for _, f := range readers {
			f.awaitRecord(quoted("kept %d", kept))
		}
	}
	ended := []*reader{r.follow(0, "sse", "closed"), r.follow(1, "sse", "closed"), r.follow(0, "sse", "ended"), r.follow(1, "sse", "ended")}
	for _, f := range ended {
		f.awaitRecord(quoted("kept %d", kept))
	}

	l.fork(t)
	for i := range lost {
		r.do(i%2, "POST", "told", quoted("lost %d", i+1), named("p", kept+i)...)
	}
	r.do(0, "POST", "closed", quoted("lost end"), named("p", kept, "Stream-Closed", "true")...)
	r.do(1, "POST", "ended", "", named("p", kept, "Stream-Closed", "true")...)
	r.do(1, "PUT", "born", "")
	r.do(0, "POST", "born", quoted("lost birth"), named("p", 0)...)
	sawLoss := []*reader{r.follow(0, "sse", "told"), r.follow(1, "websocket", "told")}
	for at := range r.addrs {
		connected["born"] = append(connected["born"], r.follow(at, "sse", "born"), r.follow(at, "websocket", "born"))
	}
	for _, f := range append(connected["told"], sawLoss...) {
		f.awaitRecord(quoted("lost %d", lost))
	}
	for _, f := range append(connected["closed"], ended...) {
		if why := f.awaitEnd(); why != "completed" {
			t.Errorf("%s: the end is %q", f.name, why)
		}
	}
	for _, f := range connected["born"] {
		f.awaitRecord(quoted("lost birth"))
	}
	for _, f := range append(sawLoss, append(ended, connected["closed"]...)...) {
		f.away()
	}

	l.lose(t)
	told, _ := r.records("told")
	closed, info := r.records("closed")
	_, endedInfo := r.records("ended")
	if len(told) != kept || len(closed) != kept || info.Closed != nil || endedInfo.Closed != nil || r.exists("born") {
		t.Fatalf("not all was lost: %d records, %d records closed %v, closed %v, born %v", len(told), len(closed), info.Closed, endedInfo.Closed, r.exists("born"))
	}

	// The numbers are given out again, by somebody who knows nothing of a loss.
	for i := range fresh {
		r.do(i%2, "POST", "told", quoted("fresh %d", i+1), named("other", i)...)
	}
	// Guarantee 4: the producer learns from its expected sequence, also if it
	// repeats what it was told had landed, and lands the rest once.
	for _, seq := range []int{kept + lost, kept + lost - 1} {
		got := r.ask(seq%2, "POST", "told", quoted("lost %d", seq), named("p", seq)...)
		if got.status != 409 || got.header.Get("Producer-Expected-Seq") != strconv.Itoa(kept) {
			t.Errorf("append %d of a producer whose appends from %d on are lost: %d, %v", seq, kept, got.status, got.header)
		}
	}
	for seq := kept; seq < kept+lost+2; seq++ {
		for range 2 {
			r.do(seq%2, "POST", "told", quoted("again %d", seq), named("p", seq)...)
		}
	}
	r.do(1, "POST", "told", "", named("p", kept+lost+2, "Stream-Closed", "true")...)
	r.do(0, "POST", "untouched", quoted("fresh end"), named("p", kept, "Stream-Closed", "true")...)
	for _, stream := range []string{"closed", "ended"} {
		r.do(0, "POST", stream, quoted("fresh end"), named("p", kept, "Stream-Closed", "true", "Freshet-Close-Reason", string(freshet.Failed))...)
	}

	// Those who saw what is lost are told, wherever they are and come back.
	for i, f := range sawLoss {
		f.comeBack(1 - i)
	}
	atFork.comeBack(1)
	for _, f := range append(connected["told"], append(sawLoss, atFork)...) {
		f.awaitEnd()
	}
	for _, f := range append(connected["told"], sawLoss...) {
		f.checkWhole(kept, 1)
	}
	atFork.checkWhole(kept, 0)
	for _, f := range connected["untouched"] {
		f.awaitEnd()
		f.checkWhole(kept, 0)
	}
	checkLostEnd(append(ended, connected["closed"]...))
	for _, f := range connected["born"] {
		if why := f.awaitEnd(); why != freshet.GapDeleted {
			t.Errorf("%s: a stream that is lost was told as %q", f.name, why)
		}
		if seen := f.sightings(); len(seen) != 3 || seen[1].kind != aGap {
			t.Errorf("%s: it saw %v", f.name, seen)
		}
	}
}

// checkLostEnd lets readers come back that were told an end which is lost, alone
// or with the last record. They are told so, and of the end that came instead.
func checkLostEnd(readers []*reader) {
	for i, f := range readers {
		f.comeBack(i % 2)
		f.await("was told the other end", func(seen []sighting) bool {
			return seen[len(seen)-1].why == string(freshet.Failed)
		})
		f.checkWhole(kept, 1)
	}
}
