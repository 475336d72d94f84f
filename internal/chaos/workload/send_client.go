package workload

import (
	"context"
	"errors"
	"time"

	"github.com/freshet-stream/freshet/client"
	"github.com/freshet-stream/freshet/internal/chaos/history"
)

// anyDoor is the address that a line replaces by that of a door, for clients that
// know only one.
const anyDoor = "http://127.0.0.1:4437"

// A library appends with the producer of package client, which repeats by itself.
type library struct {
	opts     *Options
	client   *client.Client
	producer *client.Producer
	stop     context.CancelFunc
	// failures counts what followed the last fault.
	failures int
}

func newLibrary(opts *Options, l *line) (*library, error) {
	c, err := client.New(anyDoor, client.Options{HTTPClient: l.http})
	return &library{opts: opts, client: c}, err
}

func (s *library) perRecord() bool   { return false }
func (s *library) closesApart() bool { return true }

func (s *library) close() {
	if s.producer != nil {
		s.producer.Stop()
		s.stop()
	}
}

// send gives the records to the producer, whose door is any, and waits until they
// have landed.
func (s *library) send(ctx context.Context, _ Door, a *attempt) answer {
	if s.producer == nil {
		if err := s.start(ctx, a); err != nil {
			return unknown(err)
		}
	}
	before := s.producer.Stats().Retries
	err := s.pass(ctx, a)
	got := answer{outcome: history.Landed, duplicate: true, maybe: s.producer.Stats().Retries > before, err: err}
	var refused *client.Error
	switch {
	case err == nil:
	case errors.As(err, &refused) && !refused.Temporary():
		got.outcome, got.code = history.Rejected, refused.Code
	default:
		got.outcome = history.Unknown
	}
	return got
}

func (s *library) start(ctx context.Context, a *attempt) (err error) {
	ctx, s.stop = context.WithCancel(ctx)
	s.producer, err = s.client.Producer(ctx, a.stream, client.ProducerOptions{
		ID: a.producer.ID, Epoch: a.producer.Epoch, Seq: a.producer.Seq, ContentType: string(a.format),
		OnRetry: func(error, time.Duration) {
			if !isClosed(s.opts.Healed) {
				return
			}
			if s.failures++; s.failures > s.opts.Patience {
				s.stop()
			}
		},
	})
	return err
}

func (s *library) pass(ctx context.Context, a *attempt) error {
	if a.close != "" {
		return s.producer.Close(ctx, a.close)
	}
	records := make([]client.Record, len(a.records))
	for i, r := range a.records {
		records[i].Data = []byte(a.format.value(r, a.most))
		switch a.format {
		case events:
			records[i].Type = "note"
		case jsonValue:
			records[i].Data = a.format.piece(r, a.most)
		}
	}
	if err := s.producer.Append(ctx, records...); err != nil {
		return err
	}
	return s.producer.Flush(ctx)
}
