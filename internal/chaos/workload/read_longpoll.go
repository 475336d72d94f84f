package workload

import (
	"context"
	"io"
	"net/http"
	"net/url"
)

// readLongPoll follows by one request after the other to the same door.
func (r *reader) readLongPoll(ctx context.Context, door Door) error {
	cursor := ""
	for {
		next, ended, err := r.poll(ctx, door, cursor)
		if err != nil {
			return err
		}
		if ended {
			return errEnded
		}
		cursor = next
	}
}

// poll makes one request. It is a connection of its own as far as the history is
// concerned.
func (r *reader) poll(ctx context.Context, door Door, cursor string) (next string, ended bool, err error) {
	query := url.Values{"live": {"long-poll"}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	resp, err := r.get(ctx, door, query)
	if err != nil {
		return "", false, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", false, err
	}
	if err := r.accept(viaLongPoll, resp); err != nil {
		return "", false, err
	}
	h := resp.Header
	names, err := r.format.page(body)
	if err != nil {
		return "", false, err
	}
	offset := h.Get("Stream-Next-Offset")
	if resp.StatusCode == http.StatusNoContent {
		names = nil
	}
	err = r.progress(ctx, offset, names)
	if h.Get("Stream-Closed") == "true" {
		r.end(h.Get("Freshet-Close-Reason"), offset)
		return "", true, nil
	}
	return h.Get("Stream-Cursor"), false, err
}
