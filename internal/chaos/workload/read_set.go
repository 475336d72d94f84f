package workload

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/chaos/history"
	"github.com/freshet-stream/freshet/sse"
)

// A setReader follows several streams in one response of /v1/follow. What it is
// shown of each goes to a reader of that stream.
type setReader struct {
	opts *Options
	rng  *rand.Rand
	line *line
	body []byte
	// readers are those of the streams by name.
	readers map[string]*reader
	// cursor is that of the whole set.
	cursor string
	// hop is after how many events it leaves for another server.
	hop  int
	ends int
}

// newSetReader returns a reader of streams that exist.
func (o *Options) newSetReader(name string, rng *rand.Rand, streams ...*stream) *setReader {
	s := &setReader{opts: o, rng: rng, line: newLine(o), readers: map[string]*reader{}}
	s.line.settled = func() bool {
		for _, r := range s.readers {
			if !r.settled() {
				return false
			}
		}
		return true
	}
	type wanted struct {
		Stream string `json:"stream"`
	}
	var body struct {
		Streams []wanted `json:"streams"`
	}
	for _, one := range streams {
		s.readers[one.name] = &reader{stream: one, name: name, rng: rng, line: s.line}
		body.Streams = append(body.Streams, wanted{one.name})
	}
	s.body, _ = json.Marshal(body)
	return s
}

// read follows until all streams have ended, and then comes back once.
func (s *setReader) read(ctx context.Context) {
	defer s.line.close()
	for ctx.Err() == nil {
		s.hop = 5 + s.rng.IntN(100)
		err := s.connect(ctx, pick(s.rng, s.opts.Doors...))
		s.each(func(r *reader) { r.add(history.Event{Kind: history.Dropped, Why: fmt.Sprint(err)}) })
		switch {
		case errors.Is(err, errEnded):
			return
		case s.line.bored():
			s.each(func(r *reader) {
				if !r.ended {
					r.add(history.Event{Kind: history.GaveUp, Why: fmt.Sprint(err)})
				}
			})
			return
		case !errors.Is(err, errHop):
			_ = rest(ctx, time.Duration(5+s.rng.IntN(200))*time.Millisecond)
		}
	}
}

func (s *setReader) each(do func(r *reader)) {
	for _, r := range s.readers {
		do(r)
	}
}

func (s *setReader) connect(ctx context.Context, door Door) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("http://%s/v1/follow", door.Addr), bytes.NewReader(s.body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if s.cursor != "" {
		req.Header.Set("Last-Event-ID", s.cursor)
	}
	resp, err := s.line.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNoContent:
		s.each(func(r *reader) {
			r.opened(viaSet, resp.Header)
			r.refused()
		})
		return errEnded
	default:
		return statusError(resp)
	}
	s.each(func(r *reader) { r.opened(viaSet, resp.Header) })
	return s.readEvents(ctx, resp.Body)
}

func (s *setReader) readEvents(ctx context.Context, body io.Reader) error {
	d := sse.NewDecoder(body, sse.DecoderOptions{IDOnly: true, LastEventID: s.cursor})
	for {
		e, err := d.Next()
		if err != nil {
			if errors.Is(err, io.EOF) && s.ends == len(s.readers) {
				return errHop
			}
			return err
		}
		s.cursor = string(e.ID)
		if e.Data == nil {
			continue
		}
		if err := s.take(ctx, &e); err != nil {
			return err
		}
	}
}

// take gives an event to the reader of its stream.
func (s *setReader) take(ctx context.Context, e *sse.Event) error {
	var m struct {
		Stream, Offset, Reason, Requested, Resumed, Why string
		Data                                            json.RawMessage
	}
	if err := json.Unmarshal(e.Data, &m); err != nil {
		return err
	}
	r := s.readers[m.Stream]
	if r == nil {
		return fmt.Errorf("nobody asked for %q", m.Stream)
	}
	r.hop = 2 // it is the set that hops
	switch string(e.Type) {
	case freshet.TypeClosed:
		if !r.ended {
			s.ends++
		}
		r.ended = true
		r.end(m.Reason, "")
	case freshet.TypeGap:
		r.gap(m.Requested, m.Resumed, m.Why)
	case "record":
		names, err := r.format.one(m.Data)
		if err != nil {
			return err
		}
		if err := r.shown(ctx, m.Offset, names); err != nil {
			return err
		}
	default:
		return fmt.Errorf("what is the event %q?", e.Type)
	}
	if s.hop--; s.hop <= 0 {
		return errHop
	}
	return nil
}
