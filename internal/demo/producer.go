package demo

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/hub"
)

// lease is after how long the store closes a sample answer whose server has
// disappeared.
const lease = 15 * time.Second

// closeTime bounds the closing of a stream once its producer is to end.
const closeTime = 5 * time.Second

// A producer writes one sample answer, as a model would.
type producer struct {
	hub  *hub.Hub
	log  *slog.Logger
	name string
	gap  time.Duration
}

// run appends n tokens, beginning again when the answer is over, and closes the
// stream. It returns early if somebody else closed or removed it.
func (p *producer) run(ctx context.Context, answer [][]byte, n int) {
	tick := time.NewTicker(p.gap)
	defer tick.Stop()
	for i := range n {
		select {
		case <-tick.C:
		case <-ctx.Done():
			p.close(freshet.Interrupted)
			return
		}
		record := freshet.Record{Data: answer[i%len(answer)]}
		_, err := p.hub.Append(ctx, p.name, freshet.Append{Records: []freshet.Record{record}})
		switch {
		case err == nil:
		case stopped(err):
			return
		case ctx.Err() != nil:
			p.close(freshet.Interrupted)
			return
		default:
			p.log.Warn("append to sample answer", "stream", p.name, "error", err)
			p.close(freshet.Failed)
			return
		}
	}
	p.close(freshet.Completed)
}

// stopped reports whether the stream has ended by another's hand.
func stopped(err error) bool {
	return errors.Is(err, freshet.ErrClosed) || errors.Is(err, freshet.ErrNotFound)
}

// close closes the stream, whatever has ended the producer.
func (p *producer) close(reason freshet.Reason) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	_, err := p.hub.Append(ctx, p.name, freshet.Append{Close: &freshet.Closing{Reason: reason}})
	if err != nil && !stopped(err) {
		p.log.Warn("close sample answer", "stream", p.name, "error", err)
	}
}
