package redisstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/redis/rueidis"
)

// step makes a step of a script. What Redis certainly did not execute because it
// is on the way to somewhere else is sent again for as long as Options.Patience,
// and so is what alters nothing; what Redis may have executed is
// [freshet.ErrUncertain].
func (s *Store) step(ctx context.Context, c doer, p *script, keys []string, args ...string) (r reply, err error) {
	err = s.insist(ctx, func() (again bool, err error) {
		result := p.do(ctx, c, keys, args)
		err = result.Error()
		switch {
		case err == nil, rueidis.IsRedisNil(err):
			r, err = newReply(result)
			return false, err
		case p.readOnly:
			return judgeReadFault(err)
		}
		return judgeFault(err)
	})
	return r, err
}

// insist tries something until it does not say that it is to be tried again, or
// patience ends.
func (s *Store) insist(ctx context.Context, try func() (again bool, err error)) error {
	giveUp := time.Now().Add(s.opts.Patience)
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		if s.closed.Load() {
			return freshet.ErrUnavailable.With("the store is closed")
		}
		again, err := try()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !again || time.Now().After(giveUp):
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause/2 + rand.N(pause/2)):
		}
	}
}

// passing are the errors of a Redis that is starting, failing over, moving a
// slot, or busy with somebody's script. It has not executed what it was sent.
var passing = []string{"LOADING", "CLUSTERDOWN", "TRYAGAIN", "MASTERDOWN", "READONLY", "MOVED", "ASK", "NOSCRIPT", "NOREPLICAS", "BUSY"}

// judgeReadFault is judgeFault for what alters nothing, and may be sent again if
// there was no answer.
func judgeReadFault(err error) (again bool, fault error) {
	if again, fault = judgeFault(err); errors.Is(fault, freshet.ErrUncertain) {
		return true, freshet.ErrUnavailable.With("Redis gave no answer: %v", err)
	}
	return again, fault
}

// judgeFault says what an error of the client means, and whether it is worth
// sending the same again.
func judgeFault(err error) (again bool, fault error) {
	var dial *net.OpError
	if answer, ok := rueidis.IsRedisErr(err); ok {
		word, _, _ := strings.Cut(answer.Error(), " ")
		for _, p := range passing {
			again = again || word == p
		}
		return again, freshet.ErrUnavailable.With("Redis says: %s", answer.Error())
	}
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		return true, freshet.ErrUnavailable.With("Redis cannot be reached: %v", err)
	case errors.Is(err, rueidis.ErrNoSlot):
		return true, freshet.ErrUnavailable.With("nobody in the Redis Cluster serves the stream's slot")
	}
	// That includes a connection which was closed because the primary is another
	// one now: what was on its way through it may have been executed.
	return false, fmt.Errorf("%w: Redis gave no answer: %w", freshet.ErrUncertain, err)
}

// connected calls fn with what its steps go through: if replicas have to be
// waited for, one connection, which the command that does it looks at.
func (s *Store) connected(ctx context.Context, fn func(doer) error) error {
	if s.opts.Replicas == 0 {
		return fn(s.client)
	}
	return s.client.Dedicated(func(c rueidis.DedicatedClient) error { return fn(c) })
}

// wait returns when the replicas have all that was executed on a connection
// before, or [freshet.ErrUncertain].
func (s *Store) wait(ctx context.Context, c doer) error {
	if s.opts.Replicas == 0 {
		return nil
	}
	n, err := c.Do(ctx, c.B().Wait().Numreplicas(int64(s.opts.Replicas)).Timeout(s.opts.ReplicaTimeout.Milliseconds()).Build()).AsInt64()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("%w: wait for replicas: %w", freshet.ErrUncertain, err)
	case n < int64(s.opts.Replicas):
		return freshet.ErrUncertain.With("%d of the %d replicas that are asked for have the change", n, s.opts.Replicas)
	}
	return nil
}

// judged makes a step that judges a call. If replicas are asked for it waits
// for them, and then lets the change be seen; that of another call too that
// somebody has left at this point.
func (s *Store) judged(ctx context.Context, p *script, k keys, name, nonce string, args []string) (r reply, err error) {
	err = s.connected(ctx, func(c doer) error {
		for {
			if r, err = s.step(ctx, c, p, k.all(), args...); err != nil {
				return err
			}
			pending := nonce
			if r.isPending() {
				_, pending = r.word(), r.word()
			} else if !r.hasPending() {
				return nil
			}
			err := s.commit(ctx, c, k, name, pending)
			if err != nil && pending == nonce && ctx.Err() == nil {
				// The call is made, and somebody may let it be seen.
				return fmt.Errorf("%w: %w", freshet.ErrUncertain, err)
			}
			if err != nil || pending == nonce {
				return err
			}
		}
	})
	return r, err
}

// commit waits for the replicas and then lets be seen what the call with the
// nonce has changed.
func (s *Store) commit(ctx context.Context, c doer, k keys, name, nonce string) error {
	if err := s.wait(ctx, c); err != nil {
		return err
	}
	_, err := s.step(ctx, c, s.scripts.commit, k.all(), s.time(), name, k.channel, nonce)
	return err
}
