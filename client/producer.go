package client

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/freshet-stream/freshet"
)

// defaultMaxBatch bounds the body of one append, in bytes.
const defaultMaxBatch = 256 << 10

// ErrStopped is what a [Producer] answers after its Stop or Close.
var ErrStopped = errors.New("the producer has stopped")

// ProducerOptions changes how a [Producer] works. The zero value works.
type ProducerOptions struct {
	// ID names the producer among those of its stream; "" means a random one.
	// Whoever gives one has to give a higher Epoch at each start, which fences
	// those of lower epochs, or to go on at the Seq that comes next.
	ID string
	// Epoch and Seq are the numbers of the first append.
	Epoch, Seq uint64
	// ContentType is the stream's; "" means to ask the server.
	ContentType string
	// MaxBatch bounds in bytes what is waiting to be sent, and so what one
	// request carries; a larger record travels alone. A producer holds up to
	// twice as much. 0 means 256 KiB.
	MaxBatch int
	// OnRetry, if not nil, is called before each wait that precedes a retry,
	// with what went wrong. It is called by the producer's goroutine and must
	// not call the producer.
	OnRetry func(err error, wait time.Duration)
}

// A Producer appends to one stream. It names its appends and repeats each until
// it is known to have landed, so that it lands exactly once (guarantee 4 of
// package freshet). It sends one append at a time; what is given to it
// meanwhile leaves together in the next one, as one record if the stream is
// text or bytes. Its methods are safe for concurrent use.
//
// A producer has a goroutine, which ends with Close, Stop, the context that it
// was made with, or an append that is refused for good: then every method
// returns why.
type Producer struct {
	client      *Client
	name        string
	contentType string
	maxBatch    int
	onRetry     func(error, time.Duration)
	cancel      context.CancelCauseFunc
	done        chan struct{}

	mu sync.Mutex
	// changed is closed and replaced whenever one of the fields below changes.
	changed chan struct{}
	next    freshet.Producer
	pending batch
	// sending says that an append is on its way.
	sending bool
	closing freshet.Reason
	err     error
	stats   ProducerStats
}

// ProducerStats is what a [Producer] has done so far.
type ProducerStats struct {
	// Bytes and Records are those that landed, and Appends in how many requests.
	Bytes   int64
	Records int64
	Appends int64
	// Retries counts the requests that repeated another.
	Retries int64
}

// Producer returns a producer for the stream with this name, which has to
// exist. It lives as long as ctx, and does not give up before.
func (c *Client) Producer(ctx context.Context, name string, opts ProducerOptions) (*Producer, error) {
	if opts.ContentType == "" {
		info, err := c.Info(ctx, name)
		if err != nil {
			return nil, err
		}
		opts.ContentType = info.ContentType
	}
	if opts.ID == "" {
		opts.ID = rand.Text()
	}
	if opts.MaxBatch <= 0 {
		opts.MaxBatch = defaultMaxBatch
	}
	first := freshet.Producer{ID: opts.ID, Epoch: opts.Epoch, Seq: opts.Seq}
	if err := errors.Join(first.Validate(), freshet.ValidateName(name)); err != nil {
		return nil, fmt.Errorf("start producer: %w", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	p := &Producer{
		client: c, name: name, contentType: opts.ContentType,
		maxBatch: opts.MaxBatch, onRetry: opts.OnRetry,
		cancel: cancel, done: make(chan struct{}), changed: make(chan struct{}),
		next: first, pending: batch{kind: freshet.KindOf(opts.ContentType)},
	}
	go p.run(ctx)
	return p, nil
}

// Append gives records to the producer, which copies them, and waits only while
// too much is waiting to be sent. That they landed is known after Flush or
// Close. If it returns an error, none of the records will land.
//
// A record of a text or bytes stream is what readers get joined with others; of
// a JSON stream it is one JSON value. Types are for event streams.
func (p *Producer) Append(ctx context.Context, records ...Record) error {
	size := 0
	for i := range records {
		if err := check(freshet.KindOf(p.contentType), &records[i]); err != nil {
			return fmt.Errorf("append to stream: %w", err)
		}
		size += len(records[i].Data)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.err == nil && p.closing == "" && p.pending.records > 0 && len(p.pending.body)+size > p.maxBatch {
		if err := p.await(ctx); err != nil {
			return err
		}
	}
	switch {
	case p.err != nil:
		return p.err
	case p.closing != "":
		return ErrStopped
	}
	for i := range records {
		p.pending.add(&records[i])
	}
	p.signal()
	return nil
}

// Flush waits until all that was given to the producer has landed.
func (p *Producer) Flush(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.err == nil && (p.sending || p.pending.records > 0) {
		if err := p.await(ctx); err != nil {
			return err
		}
	}
	return p.err
}

// Close closes the stream, in the same step as the append of what is still
// waiting, and waits until that has landed. The empty reason is
// [freshet.Completed]. The producer then is stopped; if ctx ends before, it
// still tries to close the stream until Stop is called or its own context ends.
func (p *Producer) Close(ctx context.Context, reason freshet.Reason) error {
	reason, err := freshet.ParseReason(string(reason))
	if err != nil {
		return fmt.Errorf("close stream: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil && p.closing == "" {
		p.closing = reason
		p.signal()
	}
	for p.err == nil {
		if err := p.await(ctx); err != nil {
			return err
		}
	}
	if errors.Is(p.err, ErrStopped) {
		return nil
	}
	return p.err
}

// Stop ends the producer and leaves the stream as it is. What has not landed
// may be lost; Flush before. It waits for the producer's goroutine.
func (p *Producer) Stop() {
	p.cancel(ErrStopped)
	<-p.done
}

// Done returns a channel that is closed when the producer has ended.
func (p *Producer) Done() <-chan struct{} { return p.done }

// Err returns why the producer has ended, or nil while it works. After a Close
// that succeeded it is [ErrStopped].
func (p *Producer) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Stats returns what the producer has done so far.
func (p *Producer) Stats() ProducerStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stats
}

// await waits for a change without the lock.
func (p *Producer) await(ctx context.Context) error {
	changed := p.changed
	p.mu.Unlock()
	defer p.mu.Lock()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-changed:
		return nil
	}
}

// signal wakes all who await. It needs the lock.
func (p *Producer) signal() {
	close(p.changed)
	p.changed = make(chan struct{})
}
