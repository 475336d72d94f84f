package workload

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/freshet-stream/freshet/sse"
)

// readLive follows as a client of Durable Streams does, with live=sse.
func (r *reader) readLive(ctx context.Context, door Door) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	resp, err := r.get(ctx, door, url.Values{"live": {"sse"}})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := r.accept(viaLive, resp); err != nil {
		return err
	}
	d := sse.NewDecoder(resp.Body, sse.DecoderOptions{})
	var pending []string
	ended := false
	for {
		e, err := d.Next()
		if err != nil && ended && errors.Is(err, io.EOF) {
			return errEnded
		}
		if err != nil {
			return err
		}
		switch string(e.Type) {
		case "data":
			names, err := r.format.page(e.Data)
			if err != nil {
				return err
			}
			pending = append(pending, names...)
		case "control":
			var c struct {
				StreamNextOffset string
				StreamClosed     bool
			}
			if err := json.Unmarshal(e.Data, &c); err != nil {
				return err
			}
			err := r.progress(ctx, c.StreamNextOffset, pending)
			pending = nil
			switch {
			case c.StreamClosed:
				r.end("", c.StreamNextOffset)
				ended = true
			case err != nil:
				return err
			}
		}
	}
}

// get asks for the stream from the reader's position, which in Durable Streams
// is a parameter.
func (r *reader) get(ctx context.Context, door Door, query url.Values) (*http.Response, error) {
	query.Set("offset", "-1")
	if r.cursor != "" {
		query.Set("offset", r.cursor)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, door.url(r.stream.name)+"?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	return r.line.http.Do(req)
}

// accept looks at the head of a response of Durable Streams: 410 and, to who has
// a position, 404 are how it tells a loss.
func (r *reader) accept(via string, resp *http.Response) error {
	switch {
	case resp.StatusCode == http.StatusGone:
		r.opened(via, resp.Header)
		r.gap(r.cursor, "-1", resp.Header.Get("Freshet-Gap"))
		return errHop
	case resp.StatusCode == http.StatusNotFound && isReal(r.cursor):
		r.opened(via, resp.Header)
		r.gap(r.cursor, "-1", "unknown")
		r.end("unknown", "")
		return errEnded
	case resp.StatusCode == http.StatusNotFound:
		return errMissing
	case resp.StatusCode/100 != 2:
		return statusError(resp)
	}
	r.opened(via, resp.Header)
	return nil
}

// progress notes a position with or without records before it.
func (r *reader) progress(ctx context.Context, offset string, names []string) error {
	if len(names) == 0 {
		r.placed(offset)
		return nil
	}
	return r.shown(ctx, offset, names)
}
