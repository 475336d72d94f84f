package hub

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/freshet-stream/freshet"
)

// Trap: a retry whose first try did land. Guarantees 1, 2 and 4. The call is
// repeated as it was, before anything else of the stream, until the store
// answers; and followers see what the store has.
func TestRepair(t *testing.T) {
	for _, c := range []struct {
		landed  bool // the first try did
		between bool // another server's call came between
		named   bool
		want    string
		err     error
	}{
		{landed: true, want: "zero x later"},
		{landed: true, named: true, want: "zero x later"},
		{landed: false, want: "zero x later"},
		{landed: false, named: true, want: "zero x later"},
		{landed: true, between: true, want: "zero x between later", err: freshet.ErrUncertain},
		{landed: true, between: true, named: true, want: "zero x between later"},
		{landed: false, between: true, want: "zero between later", err: freshet.ErrUncertain},
		{landed: false, between: true, named: true, want: "zero between x later"},
	} {
		for _, followed := range []bool{false, true} {
			t.Run(fmt.Sprintf("landed=%v,between=%v,named=%v,followed=%v", c.landed, c.between, c.named, followed), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					store := &tap{Store: newStore()}
					h, other := newHub(t, store), newHub(t, store.Store)
					create(t, h, "s")
					if followed {
						follow(t, h, "s", FollowOptions{})
					}
					appendText(t, h, "s", "zero")
					tries := uncertainTries(t, store, func(pass func() ([]freshet.Result, error)) {
						if c.landed {
							if _, err := pass(); err != nil {
								t.Error(err)
							}
						}
						if c.between {
							appendText(t, other, "s", "between")
						}
					})
					a := text("x")
					if c.named {
						a.Producer = &freshet.Producer{ID: "p"}
					}
					var wg sync.WaitGroup
					wg.Go(func() {
						r, err := h.Append(t.Context(), "s", a)
						if !errors.Is(err, c.err) || !errors.Is(r.Err, c.err) {
							t.Errorf("error %v, want %v", err, c.err)
						}
					})
					synctest.Wait()
					wg.Go(func() { appendText(t, h, "s", "later") })
					wg.Wait()
					if *tries != uncertainMost+2 {
						t.Errorf("%d calls, want %d that fail, one that does not, and one more", *tries, uncertainMost)
					}
					for _, h := range []*Hub{h, other} {
						wantText(t, follow(t, h, "s", FollowOptions{}), strings.Fields(c.want)...)
					}
				})
			})
		}
	}
}

const uncertainMost = 6

// uncertainTries lets the next calls of a store fail in turn as uncertain and
// as unavailable, the first one after first. It returns how many calls came.
func uncertainTries(t *testing.T, store *tap, first func(pass func() ([]freshet.Result, error))) *int {
	tries := new(int)
	var nonce freshet.Nonce
	store.onAppend = func(_ context.Context, call freshet.Call, pass func() ([]freshet.Result, error)) ([]freshet.Result, error) {
		switch *tries++; {
		case *tries == 1:
			nonce = call.Nonce
			first(pass)
			return nil, freshet.ErrUncertain
		case *tries > uncertainMost+1:
			return pass()
		case call.Nonce != nonce || !call.Retry || len(call.Appends) != 1:
			t.Errorf("try %d is not of the same call", *tries)
			return pass()
		case *tries > uncertainMost:
			return pass()
		case *tries%2 == 0:
			return nil, freshet.ErrUnavailable
		}
		return nil, context.DeadlineExceeded
	}
	return tries
}

// A stream that nothing is known of here: what has not landed cannot be told
// from what has, if it is not named; and what has landed is known by its nonce.
func TestRepairOfTheFirstAppend(t *testing.T) {
	for _, landed := range []bool{true, false} {
		bubble(t, func(t *testing.T) {
			store := &tap{Store: newStore()}
			h := newHub(t, store)
			create(t, h, "s")
			uncertainTries(t, store, func(pass func() ([]freshet.Result, error)) {
				if landed {
					_, _ = pass()
				}
			})
			_, err := h.Append(t.Context(), "s", text("x"))
			if landed && err != nil || !landed && !errors.Is(err, freshet.ErrUncertain) {
				t.Errorf("landed %v: error %v", landed, err)
			}
		})
	}
}

// A caller that leaves does not end the repair, which is not for it alone.
func TestRepairGoesOnWithoutItsCaller(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &tap{Store: newStore()}
		h := newHub(t, store)
		create(t, h, "s")
		appendText(t, h, "s", "zero")
		uncertainTries(t, store, func(func() ([]freshet.Result, error)) {})
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := h.Append(ctx, "s", text("x")); !errors.Is(err, freshet.ErrUncertain) {
			t.Errorf("the caller left with %v", err)
		}
		appendText(t, h, "s", "later")
		wantText(t, follow(t, h, "s", FollowOptions{}), "zero", "x", "later")
	})
}

// A creation whose first try landed is told as one.
func TestRepairOfACreation(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &uncertainCreator{Store: newStore()}
		h := newHub(t, store)
		if create(t, h, "s"); store.calls != 2 {
			t.Errorf("%d calls, want 2", store.calls)
		}
	})
}

type uncertainCreator struct {
	freshet.Store
	calls int
}

func (s *uncertainCreator) Create(ctx context.Context, name string, c freshet.Creation) (freshet.Info, bool, error) {
	info, created, err := s.Store.Create(ctx, name, c)
	if s.calls++; s.calls == 1 {
		return freshet.Info{}, false, freshet.ErrUncertain
	}
	return info, created, err
}
