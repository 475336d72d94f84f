package fleet

import (
	"context"
	"fmt"
	"time"
)

// awaitPoll is after which time is asked again whether something has come about.
const awaitPoll = 20 * time.Millisecond

// await returns once holds does, and otherwise an error when ctx or a minute
// ends.
func await(ctx context.Context, what string, holds func(ctx context.Context) bool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for !holds(ctx) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w", what, ctx.Err())
		case <-time.After(awaitPoll):
		}
	}
	return nil
}
