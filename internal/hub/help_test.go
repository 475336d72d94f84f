package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/memstore"
)

// soon is after the second within which a lost wake-up is made up for.
const soon = time.Second + time.Millisecond

// bubble runs a test under fake time, in which all timers are exact and nothing
// is slow. It fails if a goroutine is left.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}

func newStore() *memstore.Store { return memstore.New(memstore.Options{}) }

func newHub(t *testing.T, store freshet.Store) *Hub {
	t.Helper()
	return newHubWith(t, Options{Store: store})
}

func newHubWith(t *testing.T, opts Options) *Hub {
	t.Helper()
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	h := New(opts)
	t.Cleanup(h.Close)
	return h
}

func create(t *testing.T, h *Hub, name string) freshet.Info {
	t.Helper()
	return createAs(t, h, name, freshet.Spec{})
}

func createAs(t *testing.T, h *Hub, name string, spec freshet.Spec) freshet.Info {
	t.Helper()
	spec.ContentType = "text/plain"
	info, created, err := h.Create(t.Context(), name, freshet.Creation{Spec: spec})
	if err != nil || !created {
		t.Fatalf("create %q: created %v, error %v", name, created, err)
	}
	return info
}

func text(s ...string) freshet.Append {
	var a freshet.Append
	for _, s := range s {
		a.Records = append(a.Records, freshet.Record{Data: []byte(s)})
	}
	return a
}

func appendText(t *testing.T, h *Hub, name string, s ...string) freshet.Result {
	t.Helper()
	r, err := h.Append(t.Context(), name, text(s...))
	if err != nil {
		t.Fatalf("append to %q: %v", name, err)
	}
	return r
}

func closeStream(t *testing.T, h *Hub, name string) {
	t.Helper()
	if _, err := h.Append(t.Context(), name, freshet.Append{Close: &freshet.Closing{}}); err != nil {
		t.Fatalf("close %q: %v", name, err)
	}
}

func from(o freshet.Offset) FollowOptions { return FollowOptions{Cursor: freshet.Cursor{Offset: o}} }

func follow(t *testing.T, h *Hub, name string, opts FollowOptions) *Follower {
	t.Helper()
	f, err := h.Follow(t.Context(), name, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// next returns the next batch, which has to come within the given time.
func next(t *testing.T, f *Follower, within time.Duration) Batch {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	b, err := f.Next(ctx)
	if err != nil {
		t.Fatalf("nothing came within %v: %v", within, err)
	}
	return b
}

// wantText fails unless exactly these records come next, each soon.
func wantText(t *testing.T, f *Follower, want ...string) (last Batch) {
	t.Helper()
	var got []string
	for len(got) < len(want) {
		last = next(t, f, soon)
		if last.Gap != nil {
			t.Fatalf("gap %+v after %q", *last.Gap, got)
		}
		got = append(got, texts(&last)...)
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Fatalf("got %q, want %q", got, want)
	}
	return last
}

// wantQuiet fails if anything comes within the given time.
func wantQuiet(t *testing.T, f *Follower, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if b, err := f.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %q, gap %+v, closed %v, error %v, want nothing", texts(&b), b.Gap, b.Closed, err)
	}
}

func wantGap(t *testing.T, f *Follower, why string, requested, resumed freshet.Offset) {
	t.Helper()
	b := next(t, f, soon)
	if b.Gap == nil {
		t.Fatalf("got %q, closed %v, want a gap", texts(&b), b.Closed)
	}
	if want := (Gap{why, requested, resumed}); *b.Gap != want || b.Offset != resumed {
		t.Fatalf("got the gap %+v at %v, want %+v", *b.Gap, b.Offset, want)
	}
}

// wantGone fails unless the follower is told that the stream is gone.
func wantGone(t *testing.T, f *Follower, why string, within time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	b, err := f.Next(ctx)
	var gap *freshet.GapError
	if !errors.As(err, &gap) || gap.Why != why {
		t.Fatalf("got %q, error %v, want the stream gone: %s", texts(&b), err, why)
	}
}

func wantEOF(t *testing.T, f *Follower) {
	t.Helper()
	if _, err := f.Next(t.Context()); err != io.EOF {
		t.Fatalf("got error %v, want EOF", err)
	}
}

func texts(b *Batch) (all []string) {
	for i := range b.Len() {
		all = append(all, string(b.Record(i).Data))
	}
	return all
}

// numbered returns n different texts.
func numbered(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("%06d", i+1))
	}
	return all
}

func lookUp(t *testing.T, h *Hub, name string) freshet.Info {
	t.Helper()
	info, err := h.Info(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return info
}
