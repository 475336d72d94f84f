package drain

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// step is the mean time between two helpings of exchanges that end.
	step = 20 * time.Millisecond
	// helping is how many end at least in each: a hundred in a second come back
	// to other servers without being noticed there, so that a few are not made
	// to wait for the whole window.
	helping = 2
)

// Drain ends the exchanges one after the other, the oldest first, spread over the
// window; sooner if there are so few that their return is no burden to anybody.
// Those that join meanwhile get their turn, those that join later end at once. It
// returns when none is left. If ctx ends it ends all at once, and returns the
// context's cause without waiting for them.
func (g *Group) Drain(ctx context.Context, window time.Duration) error {
	over := time.Now().Add(window)
	for ctx.Err() == nil {
		left := time.Until(over)
		if left <= 0 || !g.endSome(left) {
			break
		}
		pause := time.NewTimer(min(left, step/2+rand.N(step)))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
		}
	}
	g.End()
	return g.wait(ctx)
}

// End ends all exchanges, now and later, and waits for none.
func (g *Group) End() {
	g.mu.Lock()
	g.over = true
	n := g.open
	g.mu.Unlock()
	g.end(n)
}

// endSome ends what is due in one step when so much time is left, and reports
// whether there are more to come.
func (g *Group) endSome(left time.Duration) bool {
	g.mu.Lock()
	n := g.open
	g.mu.Unlock()
	return g.end(max(helping, share(n, left))) < n
}

// share returns how many of n end in one step, so that all have ended when the
// time that is left is over.
func share(n int, left time.Duration) int {
	if left <= step {
		return n
	}
	return int((time.Duration(n)*step + left - 1) / left)
}

// end ends up to n exchanges and returns how many.
func (g *Group) end(n int) (ended int) {
	for ; ended < n; ended++ {
		g.mu.Lock()
		m := g.first
		if m != nil {
			g.remove(m)
		}
		g.mu.Unlock()
		if m == nil {
			break
		}
		m.end()
	}
	return ended
}

// wait returns when every exchange has left.
func (g *Group) wait(ctx context.Context) error {
	g.mu.Lock()
	if g.len() == 0 {
		g.mu.Unlock()
		return nil
	}
	if g.empty == nil {
		g.empty = make(chan struct{})
	}
	empty := g.empty
	g.mu.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
