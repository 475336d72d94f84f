package gateway_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/gateway/origin"
	"github.com/freshet-stream/freshet/server"
)

// A creating store does something before it creates a generation, and does not
// create it if that fails.
type creating struct {
	freshet.Store
	before func(context.Context) error
}

func (s *creating) Create(ctx context.Context, name string, c freshet.Creation) (freshet.Info, bool, error) {
	if strings.HasPrefix(name, "gen/") {
		if err := s.before(ctx); err != nil {
			return freshet.Info{}, false, err
		}
	}
	return s.Store.Create(ctx, name, c)
}

func newCreatingRig(t *testing.T, before func(context.Context, *origin.Origin) error) (r *rig) {
	t.Helper()
	r = newRig(t, 1, func(o *server.Options) {
		o.Store = &creating{o.Store, func(ctx context.Context) error { return before(ctx, r.origin) }}
	})
	return r
}

func isOpen(c origin.Counts) bool { return c.Open == 1 }

// Nobody else can ask for an answer without a key, so the upstream need not wait
// for the stream.
func TestTheUpstreamIsAskedWhileTheStreamIsCreated(t *testing.T) {
	r := newCreatingRig(t, func(ctx context.Context, o *origin.Origin) error {
		_, err := o.Await(ctx, isOpen)
		return err
	})
	body := question(chat, "tokens=3 stall=2")
	response := r.post(0, chat, body)
	r.origin.Resume()
	if got, want := told(read(t, response)), r.direct(chat, body); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What was asked for a stream that could not be created is not listened to.
func TestTheUpstreamIsLeftIfTheStreamIsNotCreated(t *testing.T) {
	r := newCreatingRig(t, func(ctx context.Context, o *origin.Origin) error {
		if _, err := o.Await(ctx, isOpen); err != nil {
			return err
		}
		return freshet.ErrUnavailable
	})
	if got := r.post(0, chat, question(chat, "tokens=3 stall=2")); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d", got.StatusCode)
	}
	if _, err := r.origin.Await(t.Context(), func(c origin.Counts) bool { return c.Left == 1 && c.Open == 0 }); err != nil {
		t.Error(err)
	}
}

// Under a key creating is the lock: who has not created it asks for nothing.
func TestTheUpstreamIsNotAskedAheadUnderAKey(t *testing.T) {
	r := newCreatingRig(t, func(context.Context, *origin.Origin) error { return freshet.ErrUnavailable })
	if got := r.post(0, chat, question(chat, "tokens=3"), "Idempotency-Key", "k"); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d", got.StatusCode)
	}
	if got, want := r.origin.Counts(), (origin.Counts{}); got != want {
		t.Errorf("the upstream saw %+v", got)
	}
}
