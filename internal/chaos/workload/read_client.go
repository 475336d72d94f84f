package workload

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/freshet-stream/freshet/client"
	"github.com/freshet-stream/freshet/internal/chaos/history"
)

// readClient follows with the follower of package client, which comes back by
// itself; each of its connections leads to some door.
func (s *stream) readClient(ctx context.Context, name string, rng *rand.Rand, via client.Transport) {
	r := s.newReader(name, rng)
	r.line.scatter(rand.New(rand.NewPCG(rng.Uint64(), 0)), s.opts.Doors)
	defer r.line.close()
	c, err := client.New(anyDoor, client.Options{HTTPClient: r.line.http})
	if err != nil {
		s.complain(err)
		return
	}
	f := r.follow(ctx, c, via)
	defer f.Close()
	var names []string
	for {
		record, err := f.Next()
		if err != nil {
			r.finish(err)
			return
		}
		names = append(names, r.namesOf(record)...)
		if record.Offset != "" {
			_ = r.shown(ctx, record.Offset, names)
			names = nil
		}
	}
}

func (r *reader) follow(ctx context.Context, c *client.Client, via client.Transport) *client.Follower {
	var f *client.Follower
	f = c.Follow(ctx, r.stream.name, client.FollowOptions{
		Via: via, IdleTimeout: r.opts.Idle,
		OnDrop: func(err error, _ time.Duration) {
			r.add(history.Event{Kind: history.Dropped, Via: viaClient, Why: fmt.Sprint(err)})
			if r.settled() {
				// Its pauses grow, so that coming back in vain has to count for more.
				r.line.signs.Add(r.line.patience / 4)
			}
			if r.impatient(err) || r.deleted.Load() && !isReal(f.Offset()) {
				f.Close()
			}
		},
		OnGap: func(gap *client.GapError) error {
			r.gap(gap.Requested, gap.Resumed, gap.Why)
			return nil
		},
	})
	return f
}

// finish notes why the follower has stopped.
func (r *reader) finish(err error) {
	var end *client.EndError
	switch {
	case errors.As(err, &end):
		r.end(string(end.Reason), end.Offset)
	case r.line.bored():
		// It has given up already.
	case r.deleted.Load() && !isReal(r.cursor):
		r.add(history.Event{Kind: history.Left})
	default:
		r.add(history.Event{Kind: history.GaveUp, Why: err.Error()})
	}
}

// namesOf returns the names of what may be several lines of text joined. The
// client has decoded the value of a JSON stream only as far as it is JSON.
func (r *reader) namesOf(record client.Record) []string {
	if r.format == jsonValue {
		names, err := r.format.one(record.Data)
		if err != nil {
			return []string{history.Name(err.Error())}
		}
		return names
	}
	return r.format.names(string(record.Data))
}
