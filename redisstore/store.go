// Package redisstore keeps streams in Redis 7 or later, or what speaks like it:
// one server, one with replicas behind Sentinel, or a Cluster. It is the store
// of a fleet: servers that share a Redis share their streams.
//
// Committed means there: as durable as Redis is configured to be. A change is
// one script, which Redis runs as a whole; with appendfsync always it is on disk
// when the call returns, with everysec a loss of power may take the last second,
// and a failover takes what the replica had not got. [Options].Replicas makes a
// change wait for replicas before it is shown to anyone or acknowledged. What is
// lost all the same is recognised by the marks of offsets: readers who saw it
// are told a gap.
//
// Streams are spread over 256 partitions by a hash of their name. All keys of a
// partition have its tag, so that they share a hash slot and a stream changes
// together with the index of names and deadlines. Hints travel by sharded
// pub/sub, a channel a stream, and carry the change if it is small.
//
// # When Redis fails or moves
//
// What Redis certainly did not execute is sent again, from 10 to 500 ms apart,
// for as long as [Options].Patience, and then is [freshet.ErrUnavailable]. A call
// that alters a stream and got no answer is [freshet.ErrUncertain] at once: it may
// have landed, and is repeated by the caller with its nonce. A connection that is
// silent for write_timeout (10 s) counts as lost. A try that Redis gets only after
// a later one of the same store, since it was stopped or cut off meanwhile, does
// not land any more.
//
// A failover looks like an outage: as long as the Sentinels' down-after and
// election take, or cluster-node-timeout and its election. Then calls find the new
// primary: told by the Sentinels, or from one node of the Cluster to the other; at
// the latest when the topology is looked at, every 5 s. What the replica had not
// got is lost; all else follows from the marks.
//
// A slot of a Cluster that moves takes its streams' keys along one by one. While
// some are here and some there, or a stream has not all of the keys it may have,
// the stream cannot be altered and in part not be read: Redis answers TRYAGAIN, and
// calls wait. Hints of what is altered at the new place meanwhile reach nobody, so
// that followers come to know of it when they compare with the store. Once the slot
// belongs to the other node, Redis ends the subscriptions, which are made anew there
// within about a second; whoever follows is then told to look.
package redisstore

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/redis/rueidis"
)

// A Store is a [freshet.Store] in Redis.
type Store struct {
	opts    Options
	client  rueidis.Client
	scripts scripts
	follows follows
	flights flights
	closed  atomic.Bool

	// writer names this store, and tries counts what it has tried to append. A
	// try that was given up may come to Redis long after: when its connection was
	// cut off and heals, or Redis was stopped and goes on. A stream refuses those
	// that a later one has overtaken.
	writer string
	tries  atomic.Uint64
}

var _ freshet.Store = (*Store)(nil)

// Open connects to the Redis of a URL and checks that it can keep streams: that
// it is new enough and evicts nothing. Whoever has the store closes it.
//
//	redis://[user:password@]host[:port][/db]            rediss:// for TLS
//	redis://node1:7000?addr=node2:7000                  a Cluster
//	redis://sentinel1:26379?addr=sentinel2:26379&master_set=NAME
//
// The parameters prefix, replicas and replica_timeout set the [Options] of that
// name; dial_timeout, write_timeout, client_name and skip_verify are those of
// the connections.
func Open(ctx context.Context, url string, opts Options) (*Store, error) {
	if err := opts.parseURL(url); err != nil {
		return nil, err
	}
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	client, err := connect(ctx, opts)
	if err != nil {
		return nil, err
	}
	s := &Store{opts: opts, client: client, scripts: loadScripts(), writer: newNonce()[:16]}
	s.flights.init(s)
	if err := s.check(ctx); err != nil {
		client.Close()
		return nil, err
	}
	if err := s.follows.open(ctx, s); err != nil {
		client.Close()
		return nil, err
	}
	return s, nil
}

// Close implements [freshet.Store]. Redis keeps what it has.
func (s *Store) Close() error {
	if s.closed.CompareAndSwap(false, true) {
		s.follows.close()
		s.flights.close()
		s.client.Close()
	}
	return nil
}

// time is the argument of every script that says what time it is: nothing, if
// Redis is to look at its clock.
func (s *Store) time() string {
	if s.opts.Now == nil {
		return ""
	}
	return strconv.FormatInt(s.opts.Now().UnixMilli(), 10)
}

// Info implements [freshet.Store].
func (s *Store) Info(ctx context.Context, name string) (freshet.Info, error) {
	k := s.keys(name)
	r, err := s.step(ctx, s.client, s.scripts.info, []string{k.head}, s.time())
	if err != nil {
		return freshet.Info{}, fmt.Errorf("read info of %q: %w", name, err)
	}
	if r.word() != replyFacts {
		return freshet.Info{}, freshet.ErrNotFound
	}
	return r.facts(name)
}

// Renew implements [freshet.Store].
func (s *Store) Renew(ctx context.Context, name string, renewal freshet.Renewal) error {
	k := s.keys(name)
	r, err := s.step(ctx, s.client, s.scripts.renew, k.all(), s.time(), name, flag(renewal.Touch), milliseconds(renewal.Lease), milliseconds(renewal.Watched))
	if err != nil {
		return fmt.Errorf("renew %q: %w", name, err)
	}
	if r.int() == 0 {
		return freshet.ErrNotFound
	}
	return r.err
}

// Delete implements [freshet.Store].
func (s *Store) Delete(ctx context.Context, name string) error {
	k, nonce := s.keys(name), newNonce()
	r, err := s.judged(ctx, s.scripts.delete, k, name, nonce, []string{s.time(), name, k.channel, nonce, flag(s.opts.Replicas > 0)})
	if err != nil {
		return fmt.Errorf("delete %q: %w", name, err)
	}
	if r.word() != replyDeleted {
		return freshet.ErrNotFound
	}
	return nil
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// newNonce names a step that is no call of the caller's.
func newNonce() string {
	nonce := freshet.NewNonce()
	return hex.EncodeToString(nonce[:])
}

// milliseconds rounds up, so that nothing ends early.
func milliseconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Millisecond-1)/time.Millisecond), 10)
}
