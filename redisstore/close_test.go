package redisstore

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/faultproxy"
	"github.com/freshet-stream/freshet/internal/fleet"
)

// Close ends all calls and leaves nothing behind, whatever Redis does meanwhile.
func TestCloseInEveryState(t *testing.T) {
	for _, state := range []struct {
		name string
		harm func(*fleet.Redis, *faultproxy.Proxy) error
	}{
		{"well", func(*fleet.Redis, *faultproxy.Proxy) error { return nil }},
		{"down", func(r *fleet.Redis, _ *faultproxy.Proxy) error { return r.Kill() }},
		{"paused", func(r *fleet.Redis, _ *faultproxy.Proxy) error { return r.Pause() }},
		{"stalled", func(_ *fleet.Redis, p *faultproxy.Proxy) error { p.Stall(); return nil }},
		{"subscribing anew", func(_ *fleet.Redis, p *faultproxy.Proxy) error {
			p.Delay(300 * time.Millisecond)
			if p.CutAll() == 0 {
				return errors.New("nothing was cut")
			}
			return nil
		}},
	} {
		t.Run(state.name, func(t *testing.T) {
			r := startRedis(t, fleet.RedisOptions{})
			before := goleak.IgnoreCurrent()
			proxy, err := faultproxy.New(faultproxy.Options{Target: r.Addr()})
			if err != nil {
				t.Fatal(err)
			}
			s := open(t, "redis://"+proxy.Addr(), Options{Prefix: "p"})
			create(t, s, "s")
			stop, err := s.Follow(t.Context(), "s", func(freshet.Hint) {})
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			if err := state.harm(r, proxy); err != nil {
				t.Fatal(err)
			}
			calls := []func(context.Context) error{
				func(ctx context.Context) error {
					_, err := s.Append(ctx, "s", freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{{Records: []freshet.Record{{Data: []byte("a")}}}}})
					return err
				},
				func(ctx context.Context) error { _, err := s.Info(ctx, "s"); return err },
				func(ctx context.Context) error { _, err := s.Sweep(ctx, 1); return err },
				func(ctx context.Context) error { _, err := s.List(ctx, "", "", 1); return err },
				func(ctx context.Context) error {
					_, err := s.Follow(ctx, "other", func(freshet.Hint) {})
					return err
				},
			}
			ended := make(chan error, len(calls))
			for _, call := range calls {
				go func() { ended <- call(context.WithoutCancel(t.Context())) }()
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			for range calls {
				select {
				case <-ended:
				case <-time.After(time.Minute):
					t.Fatal("a call goes on after Close")
				}
			}
			for i, call := range calls {
				if err := call(t.Context()); err == nil {
					t.Errorf("call %d after Close returned no error", i)
				}
			}
			if err := proxy.Close(); err != nil {
				t.Error(err)
			}
			if err := goleak.Find(before); err != nil {
				t.Error(err)
			}
		})
	}
}
