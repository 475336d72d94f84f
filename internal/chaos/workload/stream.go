package workload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/freshet-stream/freshet/internal/chaos/history"
)

// A stream is one stream of a lane, from before it exists until everybody has
// come to its end.
type stream struct {
	opts   *Options
	name   string
	format format
	lease  time.Duration
	// created is closed when it exists, half when halfAt appends have landed, over
	// when no producer does anything more.
	created, half, over chan struct{}
	halfAt              int64
	halfOnce            sync.Once
	// deleted says that somebody has begun to delete it, again that it is to be
	// created again then.
	deleted, again atomic.Bool
	// landed counts appends.
	landed atomic.Int64

	mu       sync.Mutex
	problems []error
}

func (o *Options) newStream(name string, f format) *stream {
	return &stream{opts: o, name: name, format: f, created: make(chan struct{}), half: make(chan struct{}), over: make(chan struct{})}
}

// reachHalf lets those begin who wait for the middle.
func (s *stream) reachHalf() { s.halfOnce.Do(func() { close(s.half) }) }

// complain notes what went wrong with the workload itself.
func (s *stream) complain(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, err)
}

// settled reports whether nothing keeps a follower from the end any more.
func (s *stream) settled() bool { return isClosed(s.over) && isClosed(s.opts.Healed) }

// create creates the stream.
func (s *stream) create(ctx context.Context, l *line, rng *rand.Rand) error {
	s.opts.Recorder.Add(history.Event{Kind: history.Created, Stream: s.name, Via: string(s.format), Lease: s.lease})
	err := s.put(ctx, l, rng)
	if err == nil {
		close(s.created)
	}
	return err
}

// put makes the request that creates the stream.
func (s *stream) put(ctx context.Context, l *line, rng *rand.Rand) error {
	header := http.Header{"Content-Type": {string(s.format)}}
	if s.lease > 0 {
		header.Set("Freshet-Lease", strconv.Itoa(int(s.lease/time.Second)))
	}
	return s.insist(ctx, l, rng, http.MethodPut, header, func(status int) bool {
		// A conflict is a stream that an earlier try created, and that has ended.
		return status == http.StatusOK || status == http.StatusCreated || status == http.StatusConflict
	})
}

// delete deletes it for good.
func (s *stream) delete(ctx context.Context, l *line, rng *rand.Rand) error {
	s.deleted.Store(true)
	return s.remove(ctx, l, rng)
}

// remove deletes it.
func (s *stream) remove(ctx context.Context, l *line, rng *rand.Rand) error {
	s.opts.Recorder.Add(history.Event{Kind: history.Deleted, Stream: s.name})
	return s.insist(ctx, l, rng, http.MethodDelete, nil, func(status int) bool {
		return status == http.StatusNoContent || status == http.StatusNotFound
	})
}

// insist sends a request without a body until its answer is one that is wanted.
func (s *stream) insist(ctx context.Context, l *line, rng *rand.Rand, method string, header http.Header, wanted func(status int) bool) error {
	for failures := 0; ; {
		status, err := s.ask(ctx, l, pick(rng, s.opts.Doors...), method, header)
		if err == nil && wanted(status) {
			return nil
		}
		if isClosed(s.opts.Healed) {
			failures++
		}
		if failures > s.opts.Patience {
			err = fmt.Errorf("%s %s: no answer but %d, %w", method, s.name, status, errors.Join(err, errGivenUp))
			s.complain(err)
			return err
		}
		if err := rest(ctx, time.Duration(10+rng.IntN(200))*time.Millisecond); err != nil {
			return err
		}
	}
}

func (s *stream) ask(ctx context.Context, l *line, door Door, method string, header http.Header) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*l.idle)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, door.url(s.name), nil)
	if err != nil {
		return 0, err
	}
	for k, v := range header {
		req.Header[k] = v
	}
	resp, err := l.http.Do(req)
	if err != nil {
		return 0, err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Body.Close()
}

// final reads all that the store has, from a door that answers.
func (s *stream) final(ctx context.Context, l *line, rng *rand.Rand) error {
	for failures := 0; ; failures++ {
		e, err := s.readAll(ctx, l, pick(rng, s.opts.Doors...))
		if err == nil {
			s.opts.Recorder.Add(e)
			return nil
		}
		if failures > s.opts.Patience {
			return fmt.Errorf("read %s at the end: %w", s.name, err)
		}
		if err := rest(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// readAll reads the stream page by page.
func (s *stream) readAll(ctx context.Context, l *line, door Door) (history.Event, error) {
	e := history.Event{Kind: history.Final, Stream: s.name, Offset: "-1"}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, door.url(s.name)+"?offset="+e.Offset, nil)
		if err != nil {
			return e, err
		}
		resp, err := l.http.Do(req)
		if err != nil {
			return e, err
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		switch {
		case err != nil:
			return e, err
		case resp.StatusCode == http.StatusNotFound && e.Offset == "-1":
			e.Gone, e.Offset = true, ""
			return e, nil
		case resp.StatusCode != http.StatusOK:
			return e, fmt.Errorf("the answer is %s: %.200s", resp.Status, body)
		}
		names, err := s.format.page(body)
		if err != nil {
			return e, err
		}
		e.Records = append(e.Records, names...)
		e.Offset, e.Server = resp.Header.Get("Stream-Next-Offset"), resp.Header.Get(serverHeader)
		switch {
		case resp.Header.Get("Stream-Closed") == "true":
			e.Why = strings.TrimSpace(resp.Header.Get("Freshet-Close-Reason"))
			return e, nil
		case resp.Header.Get("Stream-Up-To-Date") == "true":
			return e, nil
		}
	}
}
