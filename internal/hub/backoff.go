package hub

import (
	"context"
	"math/rand/v2"
	"time"
)

// A backoff spaces out tries from 10 ms to 1 s, each a random half shorter.
type backoff struct{ next time.Duration }

func newBackoff() *backoff { return &backoff{next: 10 * time.Millisecond} }

// wait returns false if ctx ends first.
func (b *backoff) wait(ctx context.Context) bool {
	d := b.next/2 + rand.N(b.next/2)
	b.next = min(2*b.next, time.Second)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
