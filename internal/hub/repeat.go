package hub

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/freshet-stream/freshet"
)

// repeat makes a call that writes, and makes it again while it is not known
// whether it landed. Once that was so for one try, only an answer of the store
// settles it: a later try that certainly did not land says nothing of the
// earlier one. The error is [freshet.ErrUncertain] if ctx ends before that.
func (h *Hub) repeat(ctx context.Context, call func(retry bool) error) error {
	uncertain := false
	for backoff := newBackoff(); ; {
		err := call(uncertain)
		uncertain = uncertain || isUncertain(err)
		if !uncertain || isAnswer(err) {
			return err
		}
		if !backoff.wait(ctx) {
			return fmt.Errorf("%w: %w", freshet.ErrUncertain, context.Cause(ctx))
		}
	}
}

// isUncertain reports whether a call that failed with err may have landed.
func isUncertain(err error) bool {
	switch {
	case errors.Is(err, freshet.ErrUncertain):
		return true
	case errors.Is(err, freshet.ErrUnavailable):
		return false
	}
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// isAnswer reports whether err is what the store, having judged the call, says
// of it, and not that the call did not get through.
func isAnswer(err error) bool {
	if err == nil {
		return true
	}
	var coded *freshet.Error
	return errors.As(err, &coded) && !isUncertain(err) &&
		!errors.Is(err, freshet.ErrUnavailable) && !errors.Is(err, freshet.ErrOverloaded)
}

// A backoff spaces out tries by 10 ms to 1 s, each a random half shorter.
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
