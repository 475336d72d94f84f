package deploy_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/client"
	"github.com/freshet-stream/freshet/internal/fleet"
)

// DESIGN 7: three servers are restarted in turn under load, and what readers
// notice of it is a reconnect: each gets every record once and in order, and
// nobody is ever answered by an error.
func TestRollingRestart(t *testing.T) {
	for _, setup := range []string{"stateless", "pubsub"} {
		t.Run(setup, func(t *testing.T) {
			t.Parallel()
			l := newLoad(t, newRig(t, fleet.BalancerOptions{Program: "haproxy", Setup: setup},
				// A server is taken out two checks after it says so, a second each.
				"--drain-delay=4s", "--drain-window=2s", "--log-level=info"))
			l.start()
			for name := range l.rig.servers {
				l.restart(name)
			}
			l.finish()
		})
	}
}

const (
	// loadStreams is how many streams there are, each with one producer and with
	// readers of three kinds.
	loadStreams = 8
	// loadPause is between two records of a stream.
	loadPause = 10 * time.Millisecond
)

// A load is producers and readers behind a load balancer.
type load struct {
	*testing.T
	rig *rig
	// over1 and over2 are clients that speak HTTP/1.1, as WebSocket needs it, and
	// HTTP/2.
	over1, over2 *client.Client

	stop      atomic.Bool
	producers []*producing
	readers   []*reading
	running   sync.WaitGroup
}

// producing is a stream that gets numbers.
type producing struct {
	name            string
	landed, retries atomic.Int64
}

// reading is a follower that checks the numbers.
type reading struct {
	what string
	of   *producing
	// next is the number that it waits for.
	next, reconnects atomic.Int64
}

func newLoad(t *testing.T, r *rig) *load {
	t.Helper()
	l := &load{T: t, rig: r}
	for protocol, c := range map[string]**client.Client{http1: &l.over1, http2: &l.over2} {
		var err error
		if *c, err = client.New(r.balancer.URL(), client.Options{HTTPClient: r.client(protocol)}); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// start returns when everybody has a record.
func (l *load) start() {
	l.Helper()
	for i := range loadStreams {
		p := &producing{name: fmt.Sprintf("load/%d", i)}
		l.producers = append(l.producers, p)
		if _, err := l.over2.Create(l.Context(), p.name, client.CreateOptions{ContentType: "application/json"}); err != nil {
			l.Fatal(err)
		}
		l.running.Go(func() { l.produce(p) })
		l.read("SSE", p, func(r *reading) { l.follow(r, l.over2, client.SSE) })
		l.read("SSE over HTTP/1.1", p, func(r *reading) { l.follow(r, l.over1, client.SSE) })
		l.read("WebSocket", p, func(r *reading) { l.follow(r, l.over1, client.WebSocket) })
		l.read("EventSource", p, func(r *reading) { l.listen(r, http2) })
		l.read("EventSource over HTTP/1.1", p, func(r *reading) { l.listen(r, http1) })
	}
	l.await("everybody reads", func() bool { return l.behind(0) == nil })
}

func (l *load) read(what string, p *producing, run func(*reading)) {
	r := &reading{what: what, of: p}
	l.readers = append(l.readers, r)
	l.running.Go(func() { run(r) })
}

// produce appends numbers until it is to stop, and closes the stream.
func (l *load) produce(s *producing) {
	p, err := l.over2.Producer(l.Context(), s.name, client.ProducerOptions{
		ContentType: "application/json",
		OnRetry: func(err error, _ time.Duration) {
			s.retries.Add(1)
			l.check("the producer of "+s.name, err)
		},
	})
	if err != nil {
		l.Error(err)
		return
	}
	defer p.Stop()
	for n := 0; !l.stop.Load() && err == nil; n++ {
		if err = p.Append(l.Context(), client.Record{Data: fmt.Append(nil, n)}); err == nil {
			err = p.Flush(l.Context())
		}
		if err == nil {
			s.landed.Add(1)
			<-time.After(loadPause)
		}
	}
	if err == nil {
		err = p.Close(l.Context(), freshet.Completed)
	}
	if err != nil {
		l.Errorf("the producer of %s: %v", s.name, err)
	}
}

// check checks that what a client saw is a lost connection and no answer.
func (l *load) check(who string, err error) {
	var refused *client.Error
	if errors.As(err, &refused) && refused.Status != 0 {
		l.Errorf("%s was answered by %d: %v", who, refused.Status, err)
	}
}

// follow reads with our own client.
func (l *load) follow(r *reading, c *client.Client, via client.Transport) {
	who := r.what + " of " + r.of.name
	f := c.Follow(l.Context(), r.of.name, client.FollowOptions{Via: via, OnDrop: func(err error, _ time.Duration) {
		r.reconnects.Add(1)
		l.check(who, err)
	}})
	defer f.Close()
	for {
		record, err := f.Next()
		var end *client.EndError
		if errors.As(err, &end) && end.Reason == freshet.Completed {
			return
		}
		if err != nil {
			l.Errorf("%s: %v", who, err)
			return
		}
		if !l.take(r, string(record.Data)) {
			return
		}
	}
}

// take takes a record's data, and reports whether it is what has to come.
func (l *load) take(r *reading, data string) bool {
	if want := fmt.Sprint(r.next.Load()); data != want {
		l.Errorf("%s of %s got %.40s, not %s", r.what, r.of.name, data, want)
		return false
	}
	r.next.Add(1)
	return true
}

// restart drains a server and starts it again, under load.
func (l *load) restart(name string) {
	l.Helper()
	before := l.reconnects()
	server := l.rig.servers[name]
	if err := server.Terminate(l.Context()); err != nil {
		text, _ := server.Log()
		l.Fatalf("%s ended by %v; its log:\n%s", name, err, text)
	}
	l.await("the readers of "+name+" are back", func() bool { return l.reconnects() > before })
	l.await("everybody goes on", func() bool { return l.behind(l.landed()) == nil })
	if err := server.Start(l.Context()); err != nil {
		l.Fatal(err)
	}
	c := l.rig.client(http2)
	l.await(name+" is used again", func() bool {
		answer, _ := l.rig.do(c, http.MethodGet, l.rig.balancer.URL()+"/healthz", "")
		return by(answer) == name
	})
	l.Logf("%s drained: %d reconnects", name, l.reconnects()-before)
}

func (l *load) reconnects() (n int64) {
	for _, r := range l.readers {
		n += r.reconnects.Load()
	}
	return n
}

// landed returns how many records the least of the streams has.
func (l *load) landed() int64 {
	least := l.producers[0].landed.Load()
	for _, p := range l.producers {
		least = min(least, p.landed.Load())
	}
	return least
}

// behind returns a reader that has no more than n records, or nil.
func (l *load) behind(n int64) *reading {
	for _, r := range l.readers {
		if r.next.Load() <= n {
			return r
		}
	}
	return nil
}

// await waits for something that is not told. It gives up when something has
// failed already.
func (l *load) await(what string, ok func() bool) {
	l.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); <-time.After(10 * time.Millisecond) {
		if l.Failed() || time.Now().After(end) {
			l.Fatalf("it is not so that %s; the last reader is %+v", what, l.behind(l.landed()))
		}
	}
}

// finish ends the streams and checks that every reader has all of its stream.
func (l *load) finish() {
	l.Helper()
	l.stop.Store(true)
	l.running.Wait()
	reconnects, retries, records := map[string]int64{}, int64(0), int64(0)
	for _, p := range l.producers {
		retries += p.retries.Load()
		records += p.landed.Load()
	}
	for _, r := range l.readers {
		if r.next.Load() != r.of.landed.Load() {
			l.Errorf("%s of %s has %d of %d records", r.what, r.of.name, r.next.Load(), r.of.landed.Load())
		}
		reconnects[r.what] += r.reconnects.Load()
	}
	for _, what := range []string{"SSE", "SSE over HTTP/1.1", "WebSocket", "EventSource", "EventSource over HTTP/1.1"} {
		if reconnects[what] == 0 {
			l.Errorf("no reader over %s had to connect again", what)
		}
	}
	l.Logf("%d records, each to %d readers; reconnects: %v; appends retried: %d", records, len(l.readers)/len(l.producers), reconnects, retries)
}
