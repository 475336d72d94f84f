package hub

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/freshet-stream/freshet"
)

// pageLinger is for how long a page is kept for those who want it next.
const pageLinger = 2 * time.Second

// A pager reads for those followers of a topic that its window does not serve. It
// reads one page at a time, and gives it to all who wait for any of its records.
// It moves like a lift, upwards through the stream and then again from the
// lowest that is waited for, so that however many come, everybody's turn comes.
type pager struct {
	waiting []*waiter
	// reading says that a goroutine reads until nobody waits.
	reading bool
	// reached is where the last page ended.
	reached uint64
	// kept are the pages that are kept for a moment, the oldest first.
	kept []keptPage
	// forgotten counts how often they were given up since they may not be what
	// the stream has.
	forgotten int
}

type keptPage struct {
	*page
	until time.Time
}

// A waiter is a follower at a position. It gets an answer once, unless it has gone.
type waiter struct {
	at     freshet.Offset
	answer chan found
}

type found struct {
	*page
	err error
}

// page returns a page with what follows a position, or an empty one if nothing
// does. The error is that of [freshet.Store].Read.
func (t *topic) page(ctx context.Context, at freshet.Offset) (*page, error) {
	t.mu.Lock()
	if p := t.keptPage(at); p != nil {
		t.mu.Unlock()
		return p, nil
	}
	w := &waiter{at: at, answer: make(chan found, 1)}
	t.waiting = append(t.waiting, w)
	if !t.reading {
		t.reading = t.hub.goDo(t.readPages)
	}
	t.mu.Unlock()
	select {
	case got := <-w.answer:
		return got.page, got.err
	case <-t.hub.ctx.Done():
		return nil, freshet.ErrShutdown
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.waiting, w); i >= 0 {
		t.waiting = slices.Delete(t.waiting, i, i+1)
	}
	return nil, context.Cause(ctx)
}

// readPages reads until nobody waits.
func (t *topic) readPages() {
	for t.hub.inTurn(t.readPage) == nil {
		t.mu.Lock()
		t.reading = len(t.waiting) > 0
		reading := t.reading
		t.mu.Unlock()
		if !reading {
			return
		}
	}
}

// readPage reads the next page and gives it to those who wait for it.
func (t *topic) readPage() {
	t.mu.Lock()
	from, ok := t.nextPage()
	forgotten := t.forgotten
	t.mu.Unlock()
	if !ok {
		return
	}
	read, err := t.hub.store.Read(t.hub.ctx, t.name, from, t.hub.pageLimit())
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.refuse(from, err)
		return
	}
	p := newPage(from, read)
	t.reached = p.tail.Seq
	t.answer(found{page: p}, func(at freshet.Offset) bool { return at == from || p.serves(at) })
	if t.followers > 1 && t.forgotten == forgotten {
		t.keep(p)
	}
}

// nextPage returns the position that is read from next, unless nobody waits. The
// lock is held.
func (t *topic) nextPage() (from freshet.Offset, ok bool) {
	above := false
	for _, w := range t.waiting {
		isAbove := w.at.Seq >= t.reached
		if !ok || isAbove && !above || isAbove == above && w.at.Seq < from.Seq {
			from, above, ok = w.at, isAbove, true
		}
	}
	return from, ok
}

// refuse answers with an error: a gap is that of its position alone. The lock is
// held.
func (t *topic) refuse(from freshet.Offset, err error) {
	isGap := errors.Is(err, freshet.ErrGap)
	t.answer(found{err: err}, func(at freshet.Offset) bool { return at == from || !isGap })
}

// answer gives an answer to those who wait at certain positions. The lock is
// held.
func (t *topic) answer(got found, concerns func(at freshet.Offset) bool) {
	t.waiting = slices.DeleteFunc(t.waiting, func(w *waiter) bool {
		if !concerns(w.at) {
			return false
		}
		w.answer <- got
		return true
	})
}

// keptPage returns a page that serves a position, if one is kept. The lock is
// held.
func (t *topic) keptPage(at freshet.Offset) *page {
	if at.IsBeginning() && t.info.Spec.Retain.IsNone() {
		at = t.info.Oldest // which does not move
	}
	for _, p := range t.kept {
		if p.serves(at) {
			return p.page
		}
	}
	return nil
}

// keep keeps a page for a moment, if there is room. The lock is held.
func (t *topic) keep(p *page) {
	h := t.hub
	if t.dropped {
		return
	}
	if h.pageBytes.Add(int64(p.bytes)) > h.opts.PagesBytes {
		h.pageBytes.Add(-int64(p.bytes))
		return
	}
	t.kept = append(t.kept, keptPage{p, time.Now().Add(pageLinger)})
	h.wheel.Do(pageLinger, t.expirePages)
}

// expirePages gives up the pages that were kept for long enough.
func (t *topic) expirePages() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	n := 0
	for n < len(t.kept) && !now.Before(t.kept[n].until) {
		t.hub.pageBytes.Add(-int64(t.kept[n].bytes))
		n++
	}
	t.kept = slices.Delete(t.kept, 0, n)
}

// forgetPages gives up all pages, which may not be what the stream has. The lock
// is held.
func (t *topic) forgetPages() {
	t.forgotten++
	for _, p := range t.kept {
		t.hub.pageBytes.Add(-int64(p.bytes))
	}
	t.kept = nil
}
