package workload

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/sse"
)

// readSSE follows as an EventSource does, which knows nothing but the last id.
func (r *reader) readSSE(ctx context.Context, door Door) error {
	url, exact := door.url(r.stream.name), r.rng.IntN(2) == 0
	if exact {
		url += "?encoding=json"
	}
	if !isClosed(r.created) {
		url = door.url(r.stream.name) + "?wait=20"
		exact = false
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/event-stream")
	sent := r.cursor
	if r.ended && r.encores == 0 && sent != "" {
		// The last time it comes back with what it was told last, the end. Over
		// WebSocket the end of an empty stream has no offset to come back with.
		sent += endSuffix
	}
	if sent != "" {
		req.Header.Set("Last-Event-ID", sent)
	}
	resp, err := r.line.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNoContent:
		r.opened(viaSSE, resp.Header)
		r.refused()
		return errEnded
	case http.StatusNotFound:
		return errMissing
	default:
		return statusError(resp)
	}
	r.opened(viaSSE, resp.Header)
	d := sse.NewDecoder(resp.Body, sse.DecoderOptions{IDOnly: true, LastEventID: r.cursor})
	return r.readEvents(ctx, d, exact || r.format == jsonValue)
}

// readEvents reads until the response is over, also after the end: nothing is to
// come then.
func (r *reader) readEvents(ctx context.Context, d *sse.Decoder, isJSON bool) error {
	ended := false
	for {
		e, err := d.Next()
		switch {
		case err != nil && ended && errors.Is(err, io.EOF):
			return errEnded
		case err != nil:
			return err
		}
		switch typ := string(e.Type); {
		case typ == freshet.TypeClosed:
			var end struct{ Reason string }
			if err := json.Unmarshal(e.Data, &end); err != nil {
				return err
			}
			r.end(end.Reason, string(e.ID))
			ended = true
		case typ == freshet.TypeGap:
			var g struct{ Requested, Resumed, Why string }
			if err := json.Unmarshal(e.Data, &g); err != nil {
				return err
			}
			r.gap(g.Requested, g.Resumed, g.Why)
			r.cursor = string(e.ID) // which stays if the event has none
		case e.Data == nil:
			r.placed(string(e.ID))
		default:
			names := r.format.names(string(e.Data))
			if isJSON {
				if names, err = r.format.one(e.Data); err != nil {
					return err
				}
			}
			if err := r.shown(ctx, string(e.ID), names); err != nil {
				return err
			}
		}
	}
}

// statusError says that a response is none that can be read.
func statusError(resp *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
	return fmt.Errorf("the answer is %s: %s", resp.Status, body)
}
