package hub

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/memstore"
)

func newHub(t *testing.T, store freshet.Store) *Hub {
	t.Helper()
	h := New(Options{Store: store})
	t.Cleanup(h.Close)
	return h
}

func create(t *testing.T, h *Hub, name string) {
	t.Helper()
	if _, _, err := h.Create(t.Context(), name, freshet.Creation{Spec: freshet.Spec{ContentType: "text/plain"}}); err != nil {
		t.Fatal(err)
	}
}

func appendText(t *testing.T, h *Hub, name, text string) freshet.Result {
	t.Helper()
	r, err := h.Append(t.Context(), name, freshet.Append{Records: []freshet.Record{{Data: []byte(text)}}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// readAll follows a stream to its end.
func readAll(ctx context.Context, f *Follower) (text string, closed *freshet.Closure, err error) {
	for {
		batch, err := f.Next(ctx)
		if errors.Is(err, io.EOF) {
			return text, closed, nil
		}
		if err != nil {
			return text, closed, err
		}
		for i := range batch.Len() {
			text += string(batch.Record(i).Data)
		}
		if batch.Closed != nil {
			closed = batch.Closed
		}
	}
}

// Two hubs over one store are two servers of a fleet.
func TestFollowersOnTwoServersSeeTheSameStream(t *testing.T) {
	store := memstore.New(memstore.Options{})
	a, b := newHub(t, store), newHub(t, store)
	create(t, a, "s")
	appendText(t, a, "s", "one ")

	type outcome struct {
		text   string
		closed *freshet.Closure
		err    error
	}
	outcomes := make(chan outcome)
	for _, h := range []*Hub{a, b, a, b} {
		f, err := h.Follow(t.Context(), "s", FollowOptions{})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			defer f.Close()
			text, closed, err := readAll(t.Context(), f)
			outcomes <- outcome{text, closed, err}
		}()
	}
	appendText(t, b, "s", "two ")
	appendText(t, a, "s", "three")
	if _, err := b.Append(t.Context(), "s", freshet.Append{Close: &freshet.Closing{Reason: freshet.Cancelled}}); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		o := <-outcomes
		if o.err != nil || o.text != "one two three" || o.closed == nil || o.closed.Reason != freshet.Cancelled {
			t.Errorf("follower saw %q, closed %+v, error %v", o.text, o.closed, o.err)
		}
	}
}
