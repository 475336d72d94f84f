// Package hub stands between the transports and the store. It gives every
// followed stream one window of recent records and one subscription, however
// many followers it has; it lets appends that arrive together leave together;
// and it sees to it that no follower hangs on a wake-up that was lost.
//
// A follower is a cursor. It reads from the window of its stream if that still
// holds the next record, and pages from the store otherwise, so that a slow one
// costs what a fast one costs. Those who read pages share them, so that a crowd
// that comes back at once costs the store little more than one of it. What is told of a stream, by local appends and
// hints alike, enters its window through one door, the topic's offer; what is
// looked up in the store enters beside it, one look at a time.
//
// Locks are taken in the order Hub.mu, topic.mu, and the store is never called
// with either held, since it tells of changes with its own locks held.
package hub

import (
	"context"
	"log/slog"
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
	// (256 KiB), except that one larger record may be held alone; WindowsBytes
	// bounds those of all streams (256 MiB). Both count what the records cost
	// in memory.
	WindowBytes  int
	WindowsBytes int64
	// PageBytes bounds what a follower takes at once (64 KiB), except that it
	// takes at least one record.
	PageBytes int
	// PagesBytes bounds the older records that are kept for a moment for followers
	// that are behind and read the same (32 MiB), counted like windows.
	PagesBytes int64
	// Reads bounds how many reads of the store for followers are under way at
	// once (64). One that takes longer than a quarter of a second counts no more.
	Reads int
	// QueueAppends (1,024) and QueueBytes (64 MiB) bound what waits to be
	// appended to one stream; beyond that appenders wait.
	QueueAppends int
	QueueBytes   int
	// Linger is for how long a stream without followers keeps its window and
	// subscription (30 s). IdleTopics bounds how many streams that nobody uses
	// are kept in this way (16,384).
	Linger     time.Duration
	IdleTopics int
	// Sweep is how often the store is asked to do what has come due (5 s).
	Sweep time.Duration
	// Watch is how often a server that has readers of a watched stream says so (5 s).
	Watch time.Duration
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.Limits = o.Limits.WithDefaults()
	o.WindowBytes = orDefault(o.WindowBytes, 256<<10)
	o.WindowsBytes = orDefault(o.WindowsBytes, 256<<20)
	o.PageBytes = orDefault(o.PageBytes, 64<<10)
	o.PagesBytes = orDefault(o.PagesBytes, 32<<20)
	o.Reads = orDefault(o.Reads, 64)
	o.QueueAppends = orDefault(o.QueueAppends, 1024)
	o.QueueBytes = orDefault(o.QueueBytes, 64<<20)
	o.Linger = orDefault(o.Linger, 30*time.Second)
	o.IdleTopics = orDefault(o.IdleTopics, 16<<10)
	o.Sweep = orDefault(o.Sweep, 5*time.Second)
	o.Watch = orDefault(o.Watch, 5*time.Second)
	return o
}

func orDefault[T int | int64 | time.Duration](v, def T) T {
	if v > 0 {
		return v
	}
	return def
}

// tick is by how much heartbeats, checks and the like may be late.
const tick = 250 * time.Millisecond

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
	cancel context.CancelCauseFunc

	// starting guards that no work is begun once ctx has ended.
	starting sync.Mutex
	work     sync.WaitGroup

	meter       meter
	windowBytes atomic.Int64
	pageBytes   atomic.Int64
	evicting    atomic.Bool
	followers   atomic.Int64
	// idle counts the topics that linger without users.
	idle atomic.Int64

	// reads has an element for each read of the store whose turn it is.
	reads chan struct{}

	// departures hands topics to goroutines that have flown others; rested
	// counts those that wait for one.
	departures chan *topic
	rested     atomic.Int64

	// mu is held for writing while topics are added and removed.
	mu     sync.RWMutex
	topics map[string]*topic
}

// New returns a hub over opts.Store. The caller closes it.
func New(opts Options) *Hub {
	h := &Hub{
		opts:       opts.withDefaults(),
		store:      opts.Store,
		wheel:      wheel.New(tick),
		departures: make(chan *topic),
		topics:     map[string]*topic{},
	}
	h.log = h.opts.Logger
	h.reads = make(chan struct{}, h.opts.Reads)
	h.ctx, h.cancel = context.WithCancelCause(context.Background())
	h.goDo(h.sweep)
	return h
}

// Close ends every follower with [freshet.ErrShutdown], gives up what waits to
// be appended, and returns when no goroutine of the hub is left. Followers are
// still to be closed by whoever has them.
func (h *Hub) Close() {
	h.starting.Lock()
	h.cancel(freshet.ErrShutdown)
	h.starting.Unlock()

	h.mu.Lock()
	var stops []func()
	for _, t := range h.topics {
		t.mu.Lock()
		stops = append(stops, t.close())
		t.mu.Unlock()
	}
	clear(h.topics)
	h.mu.Unlock()

	h.work.Wait()
	for _, stop := range stops {
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
