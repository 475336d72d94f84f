package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/sse"
)

// A longPollSource asks again and again (Durable Streams, section 5.7).
type longPollSource struct {
	follower *Follower
	// cursor is echoed from answer to request.
	cursor string
	// ended is what is left to tell after the last message.
	ended *EndError
}

func (f *Follower) openLongPoll() (source, error) {
	if err := f.resolve(); err != nil {
		return nil, err
	}
	return &longPollSource{follower: f}, nil
}

func (s *longPollSource) close() {}

func (s *longPollSource) next() (message, error) {
	if s.ended != nil {
		return message{end: s.ended}, nil
	}
	f := s.follower
	query := url.Values{"offset": {f.at}, "live": {"long-poll"}}
	if f.at == "" {
		query.Set("offset", "-1")
	}
	if s.cursor != "" {
		query.Set("cursor", s.cursor)
	}
	asked := time.Now()
	w := newWatch(f.ctx, f.opts.IdleTimeout)
	defer w.stop()
	req, err := f.client.request(w.ctx, http.MethodGet, f.name, query, nil)
	if err != nil {
		return message{}, err
	}
	resp, err := f.client.http.Do(req)
	if err != nil {
		return message{}, w.explain(err)
	}
	defer resp.Body.Close()
	m, err := s.answer(resp, w)
	if err != nil {
		return m, w.explain(err)
	}
	if m.isNothing() && time.Since(asked) < hasty {
		// A server that does not wait is not to be asked in a tight loop.
		return m, sleep(f.ctx, f.pause.next(0))
	}
	return m, nil
}

// hasty is how soon an answer without news comes from a server that does not
// wait for any.
const hasty = time.Second

func (s *longPollSource) answer(resp *http.Response, w *watch) (message, error) {
	switch resp.StatusCode {
	case http.StatusOK, http.StatusNoContent:
	case http.StatusNotFound, http.StatusGone:
		return s.lost(errorOf(resp))
	default:
		return message{}, errorOf(resp)
	}
	h := resp.Header
	m := message{at: h.Get("Stream-Next-Offset")}
	if m.at == "" {
		return m, fmt.Errorf("%w: its answer has no Stream-Next-Offset", ErrProtocol)
	}
	body, err := io.ReadAll(w.reader(resp.Body))
	if err != nil {
		return message{}, err
	}
	if m.records, err = recordsOf(h.Get("Content-Type"), body, m.at); err != nil {
		return message{}, err
	}
	s.cursor = h.Get("Stream-Cursor")
	if len(m.records) > 0 {
		s.follower.kind, s.follower.known = freshet.KindOf(h.Get("Content-Type")), true
	}
	if h.Get("Stream-Closed") == "true" {
		m.end = &EndError{Reason: freshet.Reason(h.Get("Freshet-Close-Reason")), Offset: m.at}
	}
	return m, nil
}

// lost tells what a refusal means to a reader who has been somewhere: a gap, and
// where the stream is gone its end.
func (s *longPollSource) lost(err error) (message, error) {
	var refused *Error
	if !errors.As(err, &refused) || !s.follower.isReal() {
		return message{}, err
	}
	gap := &GapError{Why: refused.Header.Get("Freshet-Gap"), Requested: s.follower.at, Resumed: "-1"}
	if refused.Status == http.StatusNotFound {
		gap.Why = freshet.GapUnknown
		s.ended = &EndError{Reason: freshet.Reason(gap.Why), Offset: s.follower.at}
	}
	return message{gap: gap}, nil
}

// recordsOf cuts the body of an answer into records. Only the last is known to
// end at an offset.
func recordsOf(contentType string, body []byte, at string) (records []Record, err error) {
	switch kind := freshet.KindOf(contentType); {
	case len(body) == 0:
		return nil, nil
	case kind == freshet.KindJSON:
		var values []json.RawMessage
		if err := json.Unmarshal(body, &values); err != nil {
			return nil, fmt.Errorf("%w: its answer is not a JSON array: %w", ErrProtocol, err)
		}
		for _, v := range values {
			records = append(records, Record{Data: v})
		}
	case kind == freshet.KindEvents:
		if records, err = eventsOf(body); err != nil {
			return nil, err
		}
	default:
		records = []Record{{Data: body}}
	}
	if len(records) > 0 {
		records[len(records)-1].Offset = at
	}
	return records, nil
}

// eventsOf reads a whole event stream.
func eventsOf(body []byte) (records []Record, err error) {
	d := sse.NewDecoder(bytes.NewReader(body), sse.DecoderOptions{FlushAtEOF: true, MaxEventBytes: max(len(body), 1)})
	for {
		event, err := d.Next()
		switch {
		case errors.Is(err, io.EOF):
			return records, nil
		case err != nil:
			return nil, fmt.Errorf("%w: its answer is not an event stream: %w", ErrProtocol, err)
		}
		records = append(records, Record{Type: string(event.Type), Data: bytes.Clone(event.Data)})
	}
}
