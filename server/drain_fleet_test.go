package server_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/client"
	"github.com/freshet-stream/freshet/server"
)

// A reader follows a stream of numbers and checks that none is missing, doubled
// or out of order.
type reader struct {
	via   client.Transport
	next  atomic.Int64
	drops atomic.Int64
}

func (r *reader) run(t *testing.T, c *client.Client, name string) {
	f := c.Follow(t.Context(), name, client.FollowOptions{Via: r.via, OnDrop: func(err error, _ time.Duration) {
		r.drops.Add(1)
		r.check(t, err)
	}})
	defer f.Close()
	for {
		record, err := f.Next()
		var end *client.EndError
		if errors.As(err, &end) && end.Reason == freshet.Completed {
			return
		}
		if err != nil {
			t.Errorf("a follower over %v ended: %v", r.via, err)
			return
		}
		if got, want := string(record.Data), strconv.FormatInt(r.next.Load(), 10); got != want {
			t.Errorf("a follower over %v got %s, not %s", r.via, got, want)
			return
		}
		r.next.Add(1)
	}
}

// check checks that what a follower sees is a lost connection, or over WebSocket
// the restart, but never an error, and never what looks like the end.
func (r *reader) check(t *testing.T, err error) {
	var refused *client.Error
	code := websocket.CloseStatus(err)
	switch {
	case errors.As(err, &refused) && refused.Status != 0:
		t.Errorf("a follower over %v is refused: %v", r.via, err)
	case code != -1 && code != websocket.StatusServiceRestart:
		t.Errorf("a WebSocket is closed with %d: %v", code, err)
	case strings.Contains(err.Error(), "the response has ended"):
		t.Errorf("a response ends as a whole one")
	}
}

// Guarantee 2: 1,200 followers of two servers which drain in turn, while records
// are appended, get each record once and in order, and see nothing but a
// connection that breaks.
func TestDrainOfManyFollowers(t *testing.T) {
	const each = 400
	f := newFleet(t, 2, server.Options{DrainWindow: 2 * time.Second, LongPoll: time.Minute})
	if _, err := f.Create(t.Context(), "s", client.CreateOptions{ContentType: "application/json"}); err != nil {
		t.Fatal(err)
	}
	producer, err := f.Producer(t.Context(), "s", client.ProducerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Stop()
	total := int64(0)
	write := func() {
		if err := producer.Append(t.Context(), client.Record{Data: fmt.Append(nil, total)}); err != nil {
			t.Error(err)
		}
		total++
	}
	write()

	var readers []*reader
	var running sync.WaitGroup
	for _, via := range []client.Transport{client.SSE, client.WebSocket, client.LongPoll} {
		for range each {
			r := &reader{via: via}
			readers = append(readers, r)
			running.Go(func() { r.run(t, f.Client, "s") })
		}
	}
	all := func(at int64) bool {
		for _, r := range readers {
			if r.next.Load() < at {
				return false
			}
		}
		return true
	}
	eventually(t, "all have begun", func() bool { return all(1) })
	for _, drained := range f.nodes[:2] {
		eventually(t, "they are on both servers", func() bool { return drained.Stats().Followers >= each })
		f.start()
		over := make(chan struct{})
		go func() {
			defer close(over)
			f.drain(drained)
		}()
		for written := false; !written; {
			write()
			select {
			case <-time.After(100 * time.Millisecond):
			case <-over:
				written = true
			}
		}
		write()
		eventually(t, "all are back", func() bool { return all(total) })
	}
	if err := producer.Close(t.Context(), freshet.Completed); err != nil {
		t.Error(err)
	}
	running.Wait()
	drops := map[client.Transport]int64{}
	for _, r := range readers {
		if r.next.Load() != total {
			t.Errorf("a follower over %v has %d of %d records", r.via, r.next.Load(), total)
		}
		drops[r.via] += r.drops.Load()
	}
	if drops[client.SSE] < each/2 || drops[client.WebSocket] < each/2 {
		t.Errorf("the drains met few followers: %v", drops)
	}
	t.Logf("%d records, %d followers, connections that broke: SSE %d, WebSocket %d, long-poll %d",
		total, len(readers), drops[client.SSE], drops[client.WebSocket], drops[client.LongPoll])
}
