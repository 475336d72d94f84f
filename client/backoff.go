package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

const (
	defaultBackoff = 500 * time.Millisecond
	maxBackoff     = 30 * time.Second
)

// A backoff spaces out tries: the first wait is a random part of half of base,
// and each further one of twice as much, so that many clients that failed
// together do not come back together.
type backoff struct {
	// base is a time such as a server gives in a retry field; 0 means
	// defaultBackoff.
	base  time.Duration
	tries int
}

// next returns how long to wait before the next try, least at the least.
func (b *backoff) next(least time.Duration) time.Duration {
	span := b.base
	if span <= 0 {
		span = defaultBackoff
	}
	most := max(maxBackoff, span)
	span /= 2
	for range b.tries {
		if span >= most {
			break
		}
		span *= 2
	}
	b.tries++
	span = min(span, most)
	return max(least, span/10+rand.N(span-span/10+1))
}

// reset notes that a try got somewhere.
func (b *backoff) reset() { b.tries = 0 }

// sleep waits for d, or until ctx ends and then returns its cause.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// waitAfter returns how long the server asked to wait when it refused with err.
func waitAfter(err error) time.Duration {
	var refused *Error
	if errors.As(err, &refused) {
		return refused.RetryAfter
	}
	return 0
}
