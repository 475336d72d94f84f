package redisstore

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/faultproxy"
	"github.com/freshet-stream/freshet/internal/fleet"
)

// A listener follows one stream in a store, and collects its hints.
type listener struct {
	*testing.T
	store *Store
	name  string
	hints chan freshet.Hint
}

func listen(t *testing.T, s *Store, name string) *listener {
	t.Helper()
	l := &listener{t, s, name, make(chan freshet.Hint, 1000)}
	stop, err := s.Follow(t.Context(), name, func(h freshet.Hint) { l.hints <- h })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return l
}

// next returns the next hint.
func (l *listener) next() freshet.Hint {
	l.Helper()
	select {
	case h := <-l.hints:
		return h
	case <-time.After(time.Minute):
		l.Fatal("no hint came")
		return freshet.Hint{}
	}
}

// awaitNews waits for the hint that something may have been missed.
func (l *listener) awaitNews() {
	l.Helper()
	for l.next().Batch != nil {
	}
}

// checkHints makes appends, and wants a hint that carries each, once and in order.
func (l *listener) checkHints(writer *Store) {
	l.Helper()
	for range 10 {
		at := appendTo(l.T, writer, l.name, "hinted").Tail
		for {
			h := l.next()
			if h.Batch == nil || h.Batch.Tail.Seq < at.Seq {
				continue // something may have been missed, as far as it knows; or late
			}
			if h.Batch.Tail != at {
				l.Fatalf("the hint is of %v; the append ended at %v", h.Batch.Tail, at)
			}
			break
		}
	}
}

// subscribed waits until a Redis has the subscription, and no other one has.
func (l *listener) subscribed(at *fleet.Redis) {
	l.Helper()
	channel := l.store.keys(l.name).channel
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		text, err := at.Do(l.Context(), "PUBSUB", "SHARDNUMSUB", channel)
		if err == nil && strings.HasSuffix(text, "\n1") {
			return
		}
		if time.Now().After(end) {
			l.Fatalf("%s has no subscription of %s: %q, %v", at.Name(), channel, text, err)
		}
	}
}

func create(t *testing.T, s *Store, name string) {
	t.Helper()
	if _, _, err := s.Create(t.Context(), name, freshet.Creation{Nonce: freshet.NewNonce()}); err != nil {
		t.Fatal(err)
	}
}

// appendTo appends one record, and repeats that while it is told to.
func appendTo(t *testing.T, s *Store, name, data string) freshet.Result {
	t.Helper()
	ctx, end := context.WithoutCancel(t.Context()), time.Now().Add(time.Minute)
	info, err := s.Info(ctx, name)
	for ; err != nil && time.Now().Before(end); info, err = s.Info(ctx, name) {
	}
	// Without the tail a call that is made again would be uncertain for ever.
	call := freshet.Call{
		Nonce: freshet.NewNonce(), Tail: info.Tail, Appends: []freshet.Append{{Records: []freshet.Record{{Data: []byte(data)}}}},
	}
	for ; ; call.Retry = true {
		results, err := s.Append(ctx, name, call)
		if err == nil && results[0].Err == nil {
			return results[0]
		}
		if time.Now().After(end) {
			t.Fatalf("append to %s: %v, %+v", name, err, results)
		}
	}
}

// through opens a store that reaches a Redis by a proxy, with parameters.
func through(t *testing.T, r *fleet.Redis, parameters string) (*Store, *faultproxy.Proxy) {
	t.Helper()
	p, err := faultproxy.New(faultproxy.Options{Target: r.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, "redis://"+p.Addr()+parameters, Options{Prefix: "p"})
	t.Cleanup(func() {
		_ = s.Close()
		_ = p.Close()
	})
	return s, p
}

// Trap: the final wake-up lost, publish during reconnect. However a subscription
// is lost, it comes back, and whoever follows is told that there may be news.
func TestLostSubscriptionComesBack(t *testing.T) {
	t.Parallel()
	r := startRedis(t, fleet.RedisOptions{})
	writer := open(t, r.URL(), Options{Prefix: "p"})
	t.Cleanup(func() { _ = writer.Close() })
	create(t, writer, "s")
	s, proxy := through(t, r, "")
	l := listen(t, s, "s")
	l.checkHints(writer)
	for _, loss := range []struct {
		name string
		lose func() int
	}{
		{"killed", func() int {
			text, err := r.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub")
			if err != nil {
				t.Fatal(err)
			}
			n, _ := strconv.Atoi(text)
			return n
		}},
		{"cut", proxy.CutAll},
		{"unsubscribed", func() int {
			c := s.follows.client
			err := c.Do(t.Context(), c.B().Sunsubscribe().Channel(s.keys("s").channel).Build()).Error()
			if err != nil {
				t.Fatal(err)
			}
			return 1
		}},
		{"restarted", func() int {
			if err := r.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := r.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			create(t, writer, "s")
			return 1
		}},
	} {
		t.Run(loss.name, func(t *testing.T) {
			l.T = t
			proxy.Delay(100 * time.Millisecond) // so that it is not back at once
			if loss.lose() == 0 {
				t.Fatal("there was nothing to lose")
			}
			missed := appendTo(t, writer, "s", "missed").Tail
			l.awaitNews()
			page, err := s.Read(t.Context(), "s", freshet.Offset{}, freshet.Limit{})
			if err != nil || page.Info.Tail != missed {
				t.Fatalf("the store has come to %v, %v; not to %v", page.Info.Tail, err, missed)
			}
			proxy.Delay(0)
			l.subscribed(r)
			l.checkHints(writer)
		})
	}
}

// Trap: a subscription acknowledged late. Follow does not return before Redis has
// it, so that what is read afterwards and what is hinted leave nothing out.
func TestLateAcknowledgement(t *testing.T) {
	t.Parallel()
	r := startRedis(t, fleet.RedisOptions{})
	writer := open(t, r.URL(), Options{Prefix: "p"})
	t.Cleanup(func() { _ = writer.Close() })
	create(t, writer, "s")
	s, proxy := through(t, r, "")
	proxy.Delay(300 * time.Millisecond)
	l := &listener{t, s, "s", make(chan freshet.Hint, 1000)}
	followed := make(chan error, 1)
	var stop func()
	go func() {
		var err error
		stop, err = s.Follow(t.Context(), "s", func(h freshet.Hint) { l.hints <- h })
		followed <- err
	}()
	before, last := 0, freshet.Offset{}
	for done := false; !done; {
		select {
		case err := <-followed:
			if done = true; err != nil {
				t.Fatal(err)
			}
		default:
			last = appendTo(t, writer, "s", "meanwhile").Tail
			before++
		}
	}
	t.Cleanup(stop)
	if before < 10 {
		t.Fatalf("the acknowledgement was not late: %d appends came before it", before)
	}
	l.subscribed(r)
	page, err := s.Read(t.Context(), "s", freshet.Offset{}, freshet.Limit{})
	if err != nil || page.Info.Tail != last {
		t.Errorf("the store has come to %v, %v; not to %v", page.Info.Tail, err, last)
	}
	proxy.Delay(0)
	next := appendTo(t, writer, "s", "after").Tail
	for h := l.next(); h.Batch == nil || h.Batch.Tail != next; h = l.next() {
	}
}

// What is read does not count against what Redis holds for subscribers.
func TestPagesAreNoHints(t *testing.T) {
	t.Parallel()
	r := startRedis(t, fleet.RedisOptions{Directives: []string{"client-output-buffer-limit pubsub 256kb 128kb 1"}})
	s := open(t, r.URL(), Options{Prefix: "p"})
	t.Cleanup(func() { _ = s.Close() })
	create(t, s, "s")
	l := listen(t, s, "s")
	large := strings.Repeat("x", 4<<20)
	appendTo(t, s, "s", large)
	for range 10 {
		page, err := s.Read(t.Context(), "s", freshet.Offset{}, freshet.Limit{})
		if err != nil || len(page.Records) != 1 {
			t.Fatalf("read: %d records, %v", len(page.Records), err)
		}
	}
	for h := l.next(); h.Batch != nil; h = l.next() {
	}
	l.checkHints(s)
}

// A subscription that nobody wants any more ends in Redis too, however closely
// one follows the other.
func TestSubscriptionEnds(t *testing.T) {
	r := startRedis(t, fleet.RedisOptions{})
	s := open(t, r.URL(), Options{Prefix: "p"})
	t.Cleanup(func() { _ = s.Close() })
	for i := range 200 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%20)*50*time.Microsecond)
		stop, err := s.Follow(ctx, "s", func(freshet.Hint) {})
		if err == nil {
			stop()
		}
		cancel()
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		text, err := r.Do(t.Context(), "PUBSUB", "SHARDCHANNELS")
		s.follows.mu.Lock()
		left := len(s.follows.subs)
		s.follows.mu.Unlock()
		if err == nil && text == "" && left == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("left are %q and %d here; %v", text, left, err)
		}
	}
}

// What is read is read again when a connection turns out to be over.
func TestReadsSurviveARestart(t *testing.T) {
	t.Parallel()
	r := startRedis(t, fleet.RedisOptions{})
	s := open(t, r.URL(), Options{Prefix: "p"})
	t.Cleanup(func() { _ = s.Close() })
	for name, read := range map[string]func() error{
		"list":  func() error { _, err := s.List(t.Context(), "", "", 1); return err },
		"sweep": func() error { _, err := s.Sweep(t.Context(), 1); return err },
		"info": func() error {
			if _, err := s.Info(t.Context(), "s"); !errors.Is(err, freshet.ErrNotFound) {
				return err
			}
			return nil
		},
	} {
		for range 3 {
			if err := r.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := r.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := read(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
