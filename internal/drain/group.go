// Package drain ends a server so that nobody loses anything and no other server
// is run over: its long exchanges, which clients take up again elsewhere, one
// after the other; and what nobody could take up, when it is done.
package drain

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/freshet-stream/freshet"
)

// A Kind is what an exchange is for.
type Kind uint8

// The kinds of exchanges that go on until somebody ends them.
const (
	SSE Kind = iota
	Set
	LiveSSE
	LongPoll
	WebSocket
	// Upload is a request body that is appended while it arrives.
	Upload

	kinds
)

// String returns the kind as operators know it.
func (k Kind) String() string {
	return [kinds]string{"sse", "follow", "live-sse", "long-poll", "websocket", "upload"}[k]
}

// A Group is the long exchanges of a server: those that can be ended at any time
// because their clients go on from where they were. Its methods may be called
// concurrently. The zero value is an empty group.
type Group struct {
	mu sync.Mutex
	// first and last are the ends of the list of members that were not told to
	// end yet, and open is how many these are.
	first, last *Member
	open        int
	// counts has all members that have not left.
	counts [kinds]int
	// sent is how many bytes were written to members.
	sent [kinds]atomic.Int64
	// over says that members are told to end as they join.
	over bool
	// empty is closed when all have left; nil unless somebody waits for that.
	empty chan struct{}
}

// A Member is one exchange of a group.
type Member struct {
	group      *Group
	kind       Kind
	end        func()
	prev, next *Member
	// listed says that it was not told to end, and left that it has left.
	listed, left bool
}

// Join adds an exchange. When it is to end the group calls end, once at most, and
// from within Join if all are to end; end does not block. An exchange that was
// told to end does so soon. Whoever joined leaves.
func (g *Group) Join(kind Kind, end func()) *Member {
	m := &Member{group: g, kind: kind, end: end}
	g.mu.Lock()
	g.counts[kind]++
	over := g.over
	if !over {
		g.push(m)
	}
	g.mu.Unlock()
	if over {
		end()
	}
	return m
}

// Context joins with a context that ends when ctx does and, with
// [freshet.ErrShutdown] as its cause, when the exchange is to end. The caller
// calls leave.
func (g *Group) Context(ctx context.Context, kind Kind) (_ context.Context, leave func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	m := g.Join(kind, func() { cancel(freshet.ErrShutdown) })
	return ctx, func() {
		m.Leave()
		cancel(nil)
	}
}

// Leave takes the exchange out of its group. Leaving again does nothing. The
// group may still be about to call end.
func (m *Member) Leave() {
	g := m.group
	g.mu.Lock()
	defer g.mu.Unlock()
	if m.left {
		return
	}
	m.left = true
	g.counts[m.kind]--
	if m.listed {
		g.remove(m)
	}
	if g.empty != nil && g.len() == 0 {
		close(g.empty)
		g.empty = nil
	}
}

// Sent counts bytes that were written to exchanges of a kind.
func (g *Group) Sent(kind Kind, n int) { g.sent[kind].Add(int64(n)) }

// All returns, for each kind, how many exchanges have not left and how many bytes
// were written to them and to those before them.
func (g *Group) All() iter.Seq2[Kind, Figures] {
	return func(yield func(Kind, Figures) bool) {
		for k := range kinds {
			if !yield(k, Figures{g.Count(k), g.sent[k].Load()}) {
				return
			}
		}
	}
}

// Figures are those of the exchanges of one kind.
type Figures struct {
	Open int
	Sent int64
}

// Count returns how many exchanges of a kind have not left.
func (g *Group) Count(kind Kind) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.counts[kind]
}

// Followers returns how many exchanges that read have not left.
func (g *Group) Followers() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.len() - g.counts[Upload]
}

// len returns how many exchanges have not left. It needs the lock.
func (g *Group) len() (n int) {
	for _, count := range g.counts {
		n += count
	}
	return n
}

// push needs the lock, as remove does.
func (g *Group) push(m *Member) {
	m.prev, m.listed = g.last, true
	if g.last == nil {
		g.first = m
	} else {
		g.last.next = m
	}
	g.last = m
	g.open++
}

func (g *Group) remove(m *Member) {
	if m.prev == nil {
		g.first = m.next
	} else {
		m.prev.next = m.next
	}
	if m.next == nil {
		g.last = m.prev
	} else {
		m.next.prev = m.prev
	}
	m.prev, m.next, m.listed = nil, nil, false
	g.open--
}
