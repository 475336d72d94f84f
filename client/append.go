package client

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/freshet-stream/freshet"
)

// An Append is what one request does to a stream: all of it or nothing.
type Append struct {
	// ContentType has to be the stream's if there is Data.
	ContentType string
	// Data is the request's body. To a JSON stream that is a value, or an array
	// of values; to an event stream the events as Server-Sent Events.
	Data []byte
	// Close, if not "", closes the stream for this reason after Data.
	Close freshet.Reason
	// Producer, if not nil, names the append, so that it can be repeated until
	// it is known to have landed.
	Producer *freshet.Producer
}

// Appended is what became of an [Append].
type Appended struct {
	// Tail is the offset after the stream's last record.
	Tail string
	// Duplicate says that the producer's append had landed before.
	Duplicate bool
}

// Append makes one request and does not repeat it: after an error that is no
// [*Error], or is [freshet.ErrUncertain], it may have landed. A [Producer] is
// what repeats.
func (c *Client) Append(ctx context.Context, name string, a Append) (Appended, error) {
	req, err := c.request(ctx, http.MethodPost, name, nil, bytes.NewReader(a.Data))
	if err != nil {
		return Appended{}, fmt.Errorf("append to stream: %w", err)
	}
	h := req.Header
	if a.ContentType != "" {
		h.Set("Content-Type", a.ContentType)
	}
	if a.Close != "" {
		h.Set("Stream-Closed", "true")
		h.Set("Freshet-Close-Reason", string(a.Close))
	}
	if p := a.Producer; p != nil {
		h.Set("Producer-Id", p.ID)
		h.Set("Producer-Epoch", strconv.FormatUint(p.Epoch, 10))
		h.Set("Producer-Seq", strconv.FormatUint(p.Seq, 10))
	}
	resp, err := c.do(req)
	if err != nil {
		return Appended{}, fmt.Errorf("append to stream: %w", err)
	}
	return Appended{
		Tail:      resp.Header.Get("Stream-Next-Offset"),
		Duplicate: a.Producer != nil && len(a.Data) > 0 && resp.StatusCode == http.StatusNoContent,
	}, nil
}

// Close closes the stream with this name. One that is closed already stays as
// it is, with the reason it has.
func (c *Client) Close(ctx context.Context, name string, reason freshet.Reason) error {
	if reason == "" {
		reason = freshet.Completed
	}
	if _, err := c.Append(ctx, name, Append{Close: reason}); err != nil {
		return fmt.Errorf("close stream: %w", err)
	}
	return nil
}
