// Package hub stands between the transports and the store. It gives every
// followed stream one window of recent records and one subscription, however
// many followers it has; it lets appends that arrive together leave together;
// and it sees to it that no follower hangs on a wake-up that was lost.
//
// A follower is a cursor. It reads from the window of its stream if that still
// holds the next record, and pages from the store otherwise, so that a slow one
// costs what a fast one costs. What enters a window, local appends and hints
// alike, enters through one door, [Hub.offer].
package hub

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/wheel"
)

// Options configure a [Hub]. Zero fields have the values that are named.
type Options struct {
	// Store is where streams are kept. It is not closed with the hub.
	Store freshet.Store
	// Logger takes what operators should know; slog.Default.
	Logger *slog.Logger
	// Limits bound appends.
	Limits freshet.Limits
	// WindowBytes bounds the recent records that are held of one stream
	// (256 KiB), WindowsBytes those of all streams (256 MiB).
	WindowBytes  int
	WindowsBytes int64
	// PageBytes bounds what a follower takes at once (256 KiB).
	PageBytes int
	// QueueAppends (1,024) and QueueBytes (64 MiB) bound what waits to be
	// appended to one stream; beyond that appenders wait.
	QueueAppends int
	QueueBytes   int
	// Linger is for how long a stream without followers keeps its window and
	// subscription (30 s).
	Linger time.Duration
	// Sweep is how often the store is asked to do what has come due (5 s).
	Sweep time.Duration
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.Limits = o.Limits.WithDefaults()
	o.WindowBytes = orDefault(o.WindowBytes, 256<<10)
	o.WindowsBytes = orDefault(o.WindowsBytes, 256<<20)
	o.PageBytes = orDefault(o.PageBytes, 256<<10)
	o.QueueAppends = orDefault(o.QueueAppends, 1024)
	o.QueueBytes = orDefault(o.QueueBytes, 64<<20)
	o.Linger = orDefault(o.Linger, 30*time.Second)
	o.Sweep = orDefault(o.Sweep, 5*time.Second)
	return o
}

func orDefault[T int | int64 | time.Duration](v, def T) T {
	if v > 0 {
		return v
	}
	return def
}

// A Hub serves the streams of one store. Its methods may be called
// concurrently.
type Hub struct {
	opts  Options
	store freshet.Store
	log   *slog.Logger
	wheel *wheel.Wheel

	// ctx ends with the hub; what the hub does for several callers runs under
	// it and not under any caller's.
	ctx    context.Context
	cancel context.CancelFunc

	// starting guards that no work is begun once ctx has ended.
	starting sync.Mutex
	work     sync.WaitGroup

	windowBytes atomic.Int64
	followers   atomic.Int64

	mu     sync.Mutex
	topics map[string]*topic
}

// New returns a hub over opts.Store. The caller closes it.
func New(opts Options) *Hub {
	h := &Hub{
		opts:   opts.withDefaults(),
		store:  opts.Store,
		wheel:  wheel.New(250 * time.Millisecond),
		topics: map[string]*topic{},
	}
	h.log = h.opts.Logger
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.goDo(h.sweep)
	return h
}

// Close ends every follower with [freshet.ErrShutdown], gives up what waits to
// be appended, and returns when no goroutine of the hub is left.
func (h *Hub) Close() {
	h.starting.Lock()
	h.cancel()
	h.starting.Unlock()
	h.work.Wait()
	h.mu.Lock()
	topics := slices.Collect(maps.Values(h.topics))
	h.mu.Unlock()
	for _, t := range topics {
		t.mu.Lock()
		stop := t.close()
		t.mu.Unlock()
		stop()
	}
}

// goDo runs f in a goroutine that Close waits for, or reports that the hub is
// closed.
func (h *Hub) goDo(f func()) bool {
	h.starting.Lock()
	defer h.starting.Unlock()
	if h.ctx.Err() != nil {
		return false
	}
	h.work.Go(f)
	return true
}

// Stats are the sizes of what a hub holds.
type Stats struct {
	// Topics is the number of streams with a window or a pending append.
	Topics int
	// Followers is the number of cursors.
	Followers int64
	// WindowBytes is the size of all windows together.
	WindowBytes int64
}

// Stats returns what the hub holds now.
func (h *Hub) Stats() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Stats{Topics: len(h.topics), Followers: h.followers.Load(), WindowBytes: h.windowBytes.Load()}
}

// Create creates a stream as [freshet.Store].Create does.
func (h *Hub) Create(ctx context.Context, name string, c freshet.Creation) (freshet.Info, bool, error) {
	if err := c.Spec.Validate(); err != nil {
		return freshet.Info{}, false, err
	}
	if c.First != nil {
		if err := c.First.Validate(h.opts.Limits); err != nil {
			return freshet.Info{}, false, err
		}
	}
	c.Nonce = freshet.NewNonce()
	for backoff := newBackoff(); ; {
		info, created, err := h.store.Create(ctx, name, c)
		if !errors.Is(err, freshet.ErrUncertain) || !backoff.wait(ctx) {
			return info, created, err
		}
	}
}

// Info returns what is known of a stream, or [freshet.ErrNotFound].
func (h *Hub) Info(ctx context.Context, name string) (freshet.Info, error) {
	return h.store.Info(ctx, name)
}

// Read returns the records after an offset as [freshet.Store].Read does, one
// page at most.
func (h *Hub) Read(ctx context.Context, name string, from freshet.Offset, limit freshet.Limit) (freshet.Page, error) {
	if limit.Bytes <= 0 {
		limit.Bytes = h.opts.PageBytes
	}
	page, err := h.store.Read(ctx, name, from, limit)
	if err == nil {
		h.touch(ctx, &page.Info)
	}
	return page, err
}

// touch restarts a sliding time to live, at most ten times in its length.
func (h *Hub) touch(ctx context.Context, info *freshet.Info) {
	ttl := info.Spec.TTL
	if ttl <= 0 || time.Since(info.Touched) < ttl/10 {
		return
	}
	if err := h.store.Renew(ctx, info.Name, freshet.Renewal{Touch: true}); err != nil {
		h.log.Warn("renew stream", "stream", info.Name, "error", err)
	}
}

// Delete removes a stream, or returns [freshet.ErrNotFound].
func (h *Hub) Delete(ctx context.Context, name string) error {
	return h.store.Delete(ctx, name)
}

// List returns streams in order of name as [freshet.Store].List does.
func (h *Hub) List(ctx context.Context, prefix, after string, n int) ([]freshet.Info, error) {
	return h.store.List(ctx, prefix, after, n)
}

// sweep has the store do what comes due, until the hub is closed.
func (h *Hub) sweep() {
	const most = 256
	for {
		done, err := h.store.Sweep(h.ctx, most)
		if err != nil && h.ctx.Err() == nil {
			h.log.Warn("sweep store", "error", err)
		}
		if done == most && err == nil {
			continue
		}
		select {
		case <-h.ctx.Done():
			return
		case <-h.wheel.After(h.opts.Sweep):
		}
	}
}
