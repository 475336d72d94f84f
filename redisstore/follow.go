package redisstore

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/wake"
	"github.com/redis/rueidis"
)

// follows are the subscriptions of a store: one a stream, however many followers
// it has here. They have connections of their own: what Redis holds for one with
// subscriptions is bounded as hints are (client-output-buffer-limit pubsub), which
// a few pages would exceed.
type follows struct {
	store    *Store
	client   rueidis.Client
	registry wake.Registry
	ctx      context.Context
	cancel   context.CancelFunc
	running  sync.WaitGroup

	mu   sync.Mutex
	subs map[string]*subscription
}

// settleTime is for how long the nodes of a Cluster may disagree on who is whose
// replica.
const settleTime = 2 * time.Second

// A subscription exists as long as its goroutine.
type subscription struct {
	name, channel string
	// wanted counts the followers. It is guarded by the mutex of follows.
	wanted int
	// held is closed while Redis has acknowledged the subscription, and made anew
	// when it is lost.
	held chan struct{}
	// acknowledged says that it has been held before, lost or not.
	acknowledged bool
	// abandon lets go of a subscription that cannot be ended in good order.
	abandon context.CancelFunc
}

func (f *follows) open(ctx context.Context, s *Store) (err error) {
	opts := s.opts
	opts.client.ClientName += "-hints"
	opts.client.PipelineMultiplex = -1 // one connection a node
	if f.client, err = connect(ctx, opts); err != nil {
		return err
	}
	f.store, f.subs = s, map[string]*subscription{}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return nil
}

func (f *follows) close() {
	f.mu.Lock()
	f.cancel()
	f.mu.Unlock()
	f.running.Wait()
	f.client.Close()
}

// Follow implements [freshet.Store]. When the subscription was lost and holds
// again, there is a hint.
func (s *Store) Follow(ctx context.Context, name string, wake func(freshet.Hint)) (stop func(), err error) {
	f := &s.follows
	leave := f.registry.Follow(name, wake)
	sub, held := f.want(name)
	stop = sync.OnceFunc(func() {
		leave()
		f.unwant(sub)
	})
	if sub == nil {
		leave()
		return nil, freshet.ErrUnavailable.With("the store is closed")
	}
	patience := time.NewTimer(s.opts.Patience)
	defer patience.Stop()
	select {
	case <-held:
		return stop, nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-f.ctx.Done():
		err = freshet.ErrUnavailable.With("the store is closed")
	case <-patience.C:
		err = freshet.ErrUnavailable.With("Redis has not acknowledged the subscription for %v", s.opts.Patience)
	}
	stop()
	return nil, fmt.Errorf("follow %q: %w", name, err)
}

// want counts one follower more, and returns what is closed when the
// subscription holds. There is none if the store is closed.
func (f *follows) want(name string) (sub *subscription, held chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ctx.Err() != nil {
		return nil, nil
	}
	if sub = f.subs[name]; sub == nil {
		k := f.store.keys(name)
		sub = &subscription{name: name, channel: k.channel, held: make(chan struct{}), abandon: func() {}}
		f.subs[name] = sub
		f.running.Go(func() { f.receive(sub) })
	}
	sub.wanted++
	return sub, sub.held
}

// unwant counts one follower less. After the last one the subscription ends,
// unless another one comes before it has.
func (f *follows) unwant(sub *subscription) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if sub.wanted--; sub.wanted == 0 {
		f.end(sub)
	}
}

// end tells Redis that the subscription is not wanted any more. The lock is held.
func (f *follows) end(sub *subscription) {
	if f.ctx.Err() != nil {
		return
	}
	f.running.Go(func() {
		err := f.client.Do(f.ctx, f.client.B().Sunsubscribe().Channel(sub.channel).Build()).Error()
		if err != nil {
			f.mu.Lock()
			defer f.mu.Unlock()
			sub.abandon()
		}
	})
}

// receive keeps a subscription for as long as it is wanted.
func (f *follows) receive(sub *subscription) {
	for pause := time.Duration(0); f.isWanted(sub); pause = min(2*pause+10*time.Millisecond, time.Second) {
		if !f.rest(pause) {
			return
		}
		began := time.Now()
		if err := f.receiveOnce(sub); err != nil && f.ctx.Err() == nil {
			f.store.opts.Logger.Debug("subscription lost", "stream", sub.name, "error", err)
		}
		if time.Since(began) > time.Second {
			pause = 0
		}
	}
}

// receiveOnce subscribes and passes on hints until the subscription is lost or
// ended.
func (f *follows) receiveOnce(sub *subscription) error {
	ctx, cancel := context.WithCancel(f.ctx)
	defer cancel()
	f.mu.Lock()
	sub.abandon = cancel
	f.mu.Unlock()
	defer f.loosen(sub)
	ctx = rueidis.WithOnSubscriptionHook(ctx, func(s rueidis.PubSubSubscription) {
		if s.Kind == "ssubscribe" {
			f.hold(sub)
		}
	})
	return f.client.Receive(ctx, f.client.B().Ssubscribe().Channel(sub.channel).Build(), func(m rueidis.PubSubMessage) {
		hint, err := decodeHint(m.Message)
		if err != nil {
			f.store.opts.Logger.Warn("read hint", "stream", sub.name, "error", err)
		}
		f.registry.Tell(sub.name, hint)
	})
}

// rest waits, and returns false if the store is closed.
func (f *follows) rest(pause time.Duration) bool {
	select {
	case <-f.ctx.Done():
		return false
	case <-time.After(pause):
		return true
	}
}

// isWanted reports whether the subscription has followers. If it has none it is
// no more.
func (f *follows) isWanted(sub *subscription) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if sub.wanted > 0 && f.ctx.Err() == nil {
		return true
	}
	delete(f.subs, sub.name)
	return false
}

// hold notes that Redis has acknowledged the subscription. If it is not for the
// first time, hints may have been missed in between, and on a Cluster still are:
// a node that was the primary takes subscriptions as a replica before the new one
// passes hints on to it. If nobody wants it any more, it was asked for after its
// end.
func (f *follows) hold(sub *subscription) {
	f.mu.Lock()
	if sub.wanted == 0 {
		f.end(sub)
	}
	again := sub.acknowledged
	sub.acknowledged = true
	select {
	case <-sub.held:
	default:
		close(sub.held)
	}
	if again && f.client.Mode() == rueidis.ClientModeCluster && f.ctx.Err() == nil {
		f.running.Go(func() {
			if f.rest(settleTime) {
				f.registry.Tell(sub.name, freshet.Hint{})
			}
		})
	}
	f.mu.Unlock()
	if again {
		f.registry.Tell(sub.name, freshet.Hint{})
	}
}

// loosen notes that the subscription is lost.
func (f *follows) loosen(sub *subscription) {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-sub.held:
		sub.held = make(chan struct{})
	default:
	}
}
