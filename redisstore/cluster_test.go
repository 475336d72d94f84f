package redisstore

import (
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/fleet"
	"github.com/freshet-stream/freshet/storetest"
)

func TestClusterStore(t *testing.T) {
	t.Parallel()
	c, err := fleet.StartCluster(t.Context(), t.TempDir(), fleet.ClusterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	storetest.Run(t, storetest.Subject{
		New: func(t storetest.TB, clock *storetest.Clock) func() freshet.Store {
			prefix := newPrefix()
			return func() freshet.Store { return open(t, c.URL(), Options{Prefix: prefix, Now: clock.Now}) }
		},
		Fleet: true,
		Scale: 20,
	})
}

// Hints go on where a slot has moved to, and appends end well while it moves.
func TestSlotMoves(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c, err := fleet.StartCluster(ctx, t.TempDir(), fleet.ClusterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	s, writer := open(t, c.URL(), Options{}), open(t, c.URL(), Options{})
	t.Cleanup(func() { _, _ = s.Close(), writer.Close() })
	create(t, writer, "s")
	l := listen(t, s, "s")
	l.checkHints(writer)
	slot, err := c.Slot(ctx, s.keys("s").channel)
	if err != nil {
		t.Fatal(err)
	}
	from := c.Primary(ctx, slot)
	to := c.Nodes[0]
	if to == from {
		to = c.Nodes[1]
	}

	move, err := c.BeginMove(ctx, slot, to)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := move.Keys(ctx, 1); err != nil || n != 1 {
		t.Fatalf("%d keys moved, %v", n, err)
	}
	// With its keys in two places the stream cannot be altered: the call waits, and
	// ends when they are together again.
	landed := make(chan freshet.Result, 1)
	go func() { landed <- appendTo(t, writer, "s", "between") }()
	for end := time.Now().Add(time.Minute); refusals(t, from)+refusals(t, to) == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nothing was refused while the keys were in two places")
		}
	}
	if err := move.End(ctx); err != nil {
		t.Fatal(err)
	}
	if got := c.Primary(ctx, slot); got != to {
		t.Fatalf("the slot is at %v", got)
	}
	last := (<-landed).Tail
	l.awaitNews()
	l.subscribed(to)
	l.checkHints(writer)
	page, err := s.Read(ctx, "s", freshet.Offset{}, freshet.Limit{})
	if err != nil || len(page.Records) != 21 || page.Records[10].Offset != last {
		t.Errorf("%d records, %v", len(page.Records), err)
	}

	// A replica takes over in good order. The former primary, its replica now,
	// passes hints on as soon as the new one knows that it is; whoever misses one
	// before is told so.
	now, err := c.Failover(ctx, to)
	if err != nil || now == to || to.IsPrimary(ctx) {
		t.Fatalf("the primary is %v as before; %v", now, err)
	}
	for hinted := false; !hinted; {
		at := appendTo(t, writer, "s", "after").Tail
		h := l.next()
		for h.Batch != nil && h.Batch.Tail != at {
			h = l.next()
		}
		hinted = h.Batch != nil
	}
	l.checkHints(writer)
}

// refusals counts the commands that a node answered with TRYAGAIN.
func refusals(t *testing.T, r *fleet.Redis) int {
	t.Helper()
	text, err := r.Do(t.Context(), "INFO", "errorstats")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(text, "errorstat_TRYAGAIN")
}

// A failover by Sentinel, with nothing lost: calls go on at the new primary, and
// so do hints.
func TestSentinelStore(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	g, err := fleet.StartSentinel(ctx, t.TempDir(), fleet.SentinelOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	s, writer := open(t, g.URL(), Options{}), open(t, g.URL(), Options{})
	t.Cleanup(func() { _, _ = s.Close(), writer.Close() })
	create(t, writer, "s")
	l := listen(t, s, "s")
	l.checkHints(writer)
	old := g.Primary(ctx)
	if err := old.AwaitReplicated(ctx, g.Servers[1]); err != nil {
		t.Fatal(err)
	}
	now, err := g.Failover(ctx)
	if err != nil || now == old {
		t.Fatalf("the primary is %v as before; %v", now, err)
	}
	l.awaitNews()
	l.subscribed(now)
	l.checkHints(writer)
	page, err := s.Read(ctx, "s", freshet.Offset{}, freshet.Limit{})
	if err != nil || len(page.Records) != 20 {
		t.Errorf("%d records, %v", len(page.Records), err)
	}
}
