package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/freshet-stream/freshet"
)

// run sends batch after batch until the producer ends.
func (p *Producer) run(ctx context.Context) {
	defer close(p.done)
	defer p.cancel(ErrStopped)
	for {
		sent, reason, err := p.take(ctx)
		if err == nil {
			err = p.deliver(ctx, sent.finish(), reason)
		}
		p.mu.Lock()
		p.sending = false
		if err == nil {
			p.next.Seq++
			p.stats.Bytes += int64(sent.bytes)
			p.stats.Records += int64(sent.landed())
			p.stats.Appends++
			if reason != "" {
				err = ErrStopped
			}
		}
		p.err = err
		p.signal()
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// take waits for something to send.
func (p *Producer) take(ctx context.Context) (batch, freshet.Reason, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.pending.records == 0 && p.closing == "" {
		if err := p.await(ctx); err != nil {
			return batch{}, "", err
		}
	}
	if ctx.Err() != nil {
		return batch{}, "", context.Cause(ctx)
	}
	sent := p.pending
	p.pending = batch{kind: sent.kind}
	p.sending = true
	p.signal()
	return sent, p.closing, nil
}

// deliver makes one append until it is known to have landed or to be refused
// for good.
func (p *Producer) deliver(ctx context.Context, body []byte, reason freshet.Reason) error {
	producer := p.next
	a := Append{Data: body, Close: reason, Producer: &producer}
	if len(body) > 0 {
		a.ContentType = p.contentType
	}
	var pause backoff
	for {
		_, err := p.client.Append(ctx, p.name, a)
		switch {
		case err == nil || landed(err, producer):
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("append to stream: %w", context.Cause(ctx))
		case isFinal(err):
			return err
		}
		wait := pause.next(waitAfter(err))
		if p.onRetry != nil {
			p.onRetry(err, wait)
		}
		if err := sleep(ctx, wait); err != nil {
			return fmt.Errorf("append to stream: %w", err)
		}
		p.mu.Lock()
		p.stats.Retries++
		p.mu.Unlock()
	}
}

// landed reports whether a refusal shows that an earlier try had landed: the
// stream was closed meanwhile, after it took this sequence number.
func landed(err error, p freshet.Producer) bool {
	var refused *Error
	if !errors.As(err, &refused) || refused.Status != http.StatusConflict || refused.Header.Get("Stream-Closed") != "true" {
		return false
	}
	epoch, err := strconv.ParseUint(refused.Header.Get("Producer-Epoch"), 10, 64)
	if err != nil || epoch != p.Epoch {
		return false
	}
	seq, err := strconv.ParseUint(refused.Header.Get("Producer-Seq"), 10, 64)
	return err == nil && seq >= p.Seq
}
