package origin

import (
	"context"
	"fmt"
)

// Counts are what an origin has seen.
type Counts struct {
	// Requests is how many calls for an answer came, and Open how many of them
	// are still being answered.
	Requests, Open int
	// Left is how many callers closed their connection before they had the
	// whole answer.
	Left int
}

// Counts returns what the origin has seen so far.
func (o *Origin) Counts() Counts {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.counts
}

// Await returns once the counts are as wanted, or with the error of a context
// that ends before. The function must not call the origin.
func (o *Origin) Await(ctx context.Context, wanted func(Counts) bool) (Counts, error) {
	for {
		o.mu.Lock()
		counts, changed := o.counts, o.changed
		o.mu.Unlock()
		if wanted(counts) {
			return counts, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return counts, fmt.Errorf("await counts of origin, which are %+v: %w", counts, ctx.Err())
		}
	}
}

// count changes the counts.
func (o *Origin) count(change func(*Counts)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	change(&o.counts)
	close(o.changed)
	o.changed = make(chan struct{})
}
