package redisstore

import (
	"context"
	"strconv"
	"sync"

	"github.com/freshet-stream/freshet"
	"github.com/redis/rueidis"
)

// What waits while a command is on its way goes with the next one, together: a
// lane makes one step at a time, of as many streams as have come. Nothing waits
// for company. On a Cluster the streams of a step have to share a hash slot, so
// that each partition is a lane; otherwise a few lanes are enough to keep Redis
// at work while answers are read.

const (
	lanesOfOne    = 2
	flightStreams = 128
	flightBytes   = 1 << 20
)

type flights struct {
	store   *Store
	lanes   []lane
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

type lane struct {
	mu      sync.Mutex
	waiting []*passenger
	flying  bool
}

// A passenger is a call that waits to be made.
type passenger struct {
	keys   keys
	args   []string
	size   int
	landed chan landing
}

type landing struct {
	reply reply
	err   error
}

func (f *flights) init(s *Store) {
	f.store = s
	f.ctx, f.cancel = context.WithCancel(context.Background())
	n := lanesOfOne
	if s.client.Mode() == rueidis.ClientModeCluster {
		n = partitions
	}
	f.lanes = make([]lane, n)
}

func (f *flights) close() {
	f.cancel()
	f.running.Wait()
}

// board makes a call and returns its reply. If ctx ends before, the call may
// still be made.
func (f *flights) board(ctx context.Context, k keys, args []string) (reply, error) {
	if err := ctx.Err(); err != nil {
		return reply{}, err
	}
	p := &passenger{keys: k, args: args, landed: make(chan landing, 1)}
	for _, arg := range args {
		p.size += len(arg)
	}
	l := &f.lanes[k.partition%len(f.lanes)]
	l.mu.Lock()
	if f.ctx.Err() != nil {
		l.mu.Unlock()
		return reply{}, freshet.ErrUnavailable.With("the store is closed")
	}
	l.waiting = append(l.waiting, p)
	if !l.flying {
		l.flying = true
		f.running.Go(func() { f.fly(l) })
	}
	l.mu.Unlock()
	select {
	case landed := <-p.landed:
		return landed.reply, landed.err
	case <-ctx.Done():
		return reply{}, context.Cause(ctx)
	}
}

// fly makes steps until nothing waits.
func (f *flights) fly(l *lane) {
	for {
		some := l.take()
		if some == nil {
			return
		}
		replies, err := f.step(some)
		for i, p := range some {
			landed := landing{err: err}
			if err == nil {
				landed.reply, landed.err = replies[i], replies[i].err
			}
			p.landed <- landed
		}
	}
}

// take takes those that go next out of the lane, at least one if there is one.
func (l *lane) take() []*passenger {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, size := 0, 0
	for n < len(l.waiting) && n < flightStreams && (n == 0 || size+l.waiting[n].size <= flightBytes) {
		size += l.waiting[n].size
		n++
	}
	if n == 0 {
		l.flying, l.waiting = false, nil
		return nil
	}
	some := l.waiting[:n:n]
	l.waiting = l.waiting[n:]
	return some
}

func (f *flights) step(some []*passenger) ([]reply, error) {
	s := f.store
	args := []string{s.time()}
	var keys []string
	for _, p := range some {
		keys = append(keys, p.keys.all()...)
		args = append(append(args, strconv.Itoa(len(p.args))), p.args...)
	}
	r, err := s.step(f.ctx, s.client, s.scripts.together, keys, args...)
	if err != nil {
		return nil, err
	}
	replies := make([]reply, len(some))
	for i := range replies {
		replies[i] = r.list()
	}
	return replies, r.err
}
