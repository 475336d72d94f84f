package drain

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/freshet-stream/freshet"
)

func TestWorkMayFinishWithinTheGrace(t *testing.T) {
	for lasts, want := range map[time.Duration]struct {
		took        time.Duration
		interrupted bool
	}{
		3 * time.Second: {3 * time.Second, false},
		time.Hour:       {10*time.Second + time.Second, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := NewWork()
			ctx, done, err := w.Begin()
			if err != nil || w.Len() != 1 {
				t.Fatal(err, w.Len())
			}
			go func() {
				defer done()
				select {
				case <-time.After(lasts):
				case <-ctx.Done():
					time.Sleep(time.Second) // closes its stream
				}
			}()
			began := time.Now()
			grace, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			interrupted := w.Drain(grace)
			if took := time.Since(began); took != want.took || interrupted != want.interrupted || w.Len() != 0 {
				t.Errorf("work of %v: %v, interrupted %v, %d left", lasts, took, interrupted, w.Len())
			}
			if _, _, err := w.Begin(); !errors.Is(err, freshet.ErrShutdown) {
				t.Errorf("begun while it drains: %v", err)
			}
			w.End()
		})
	}
}

func TestNoWork(t *testing.T) {
	w := NewWork()
	if w.Drain(t.Context()) {
		t.Error("nothing was interrupted")
	}
	w.End()
}
