package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/freshet-stream/freshet"
)

// CreateOptions says what a stream is created as.
type CreateOptions struct {
	// ContentType is a media type; "" leaves it to the server.
	ContentType string
	// TTL, if not zero, ends the stream when it was neither read nor appended to
	// for as long. Whole seconds.
	TTL time.Duration
	// Expires, if not zero, is when the stream ends.
	Expires time.Time
	// Data, if not empty, is appended in the same step.
	Data []byte
	// Closed closes the stream in the same step.
	Closed bool
}

// Create creates the stream with this name. One that exists and was created
// alike is fine: created is then false. One that is different, or closed when
// opts is not, is [freshet.ErrConflict].
func (c *Client) Create(ctx context.Context, name string, opts CreateOptions) (created bool, err error) {
	req, err := c.request(ctx, http.MethodPut, name, nil, bytes.NewReader(opts.Data))
	if err != nil {
		return false, fmt.Errorf("create stream: %w", err)
	}
	if opts.ContentType != "" {
		req.Header.Set("Content-Type", opts.ContentType)
	}
	if opts.TTL > 0 {
		req.Header.Set("Stream-TTL", strconv.FormatInt(int64(opts.TTL/time.Second), 10))
	}
	if !opts.Expires.IsZero() {
		req.Header.Set("Stream-Expires-At", opts.Expires.UTC().Format(time.RFC3339))
	}
	if opts.Closed {
		req.Header.Set("Stream-Closed", "true")
	}
	resp, err := c.do(req)
	if err != nil {
		var refused *Error
		if errors.As(err, &refused) && refused.Status == http.StatusConflict && refused.Code == "" {
			refused.Code = freshet.ErrConflict.Code
		}
		return false, fmt.Errorf("create stream: %w", err)
	}
	return resp.StatusCode == http.StatusCreated, nil
}

// Delete deletes the stream with this name and all that is in it.
func (c *Client) Delete(ctx context.Context, name string) error {
	req, err := c.request(ctx, http.MethodDelete, name, nil, nil)
	if err == nil {
		_, err = c.do(req)
	}
	if err != nil {
		return fmt.Errorf("delete stream: %w", err)
	}
	return nil
}

// Info is what a server tells of a stream without its records.
type Info struct {
	// ContentType is the stream's media type.
	ContentType string
	// Tail is the offset after the last record.
	Tail string
	// Closed says that the stream takes no more records, and Reason why. Reason
	// is "" if the server does not tell.
	Closed bool
	Reason freshet.Reason
}

// Kind returns how the stream's content is cut into records.
func (i *Info) Kind() freshet.Kind { return freshet.KindOf(i.ContentType) }

// Info looks at the stream with this name. A missing one is
// [freshet.ErrNotFound].
func (c *Client) Info(ctx context.Context, name string) (Info, error) {
	req, err := c.request(ctx, http.MethodHead, name, nil, nil)
	if err != nil {
		return Info{}, fmt.Errorf("look at stream: %w", err)
	}
	resp, err := c.do(req)
	if err != nil {
		var refused *Error
		if errors.As(err, &refused) && refused.Status == http.StatusNotFound {
			// The answer to HEAD has no body that could say so.
			refused.Detail = fmt.Sprintf("the stream %s does not exist", name)
		}
		return Info{}, fmt.Errorf("look at stream: %w", err)
	}
	h := resp.Header
	return Info{
		ContentType: h.Get("Content-Type"),
		Tail:        h.Get("Stream-Next-Offset"),
		Closed:      h.Get("Stream-Closed") == "true",
		Reason:      freshet.Reason(h.Get("Freshet-Close-Reason")),
	}, nil
}
