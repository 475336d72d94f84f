package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/freshet-stream/freshet"
)

// produce starts a producer of a script's stream.
func produce(t *testing.T, c *Client, opts ProducerOptions) *Producer {
	t.Helper()
	opts.ContentType = plain
	p, err := c.Producer(t.Context(), "s", opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p
}

func text(s string) Record { return Record{Data: []byte(s)} }

// slow replies after a second.
func slow(r reply) reply {
	return func(req *http.Request) (*http.Response, error) {
		time.Sleep(time.Second)
		return r(req)
	}
}

// Guarantee 4, on the producer's side: the same append under the same numbers,
// whatever the network and the server make of it.
func TestProducerRepeats(t *testing.T) {
	play(t, plain, func(t *testing.T, c *Client, s *script) {
		var waits []time.Duration
		p := produce(t, c, ProducerOptions{ID: "me", Epoch: 3, Seq: 7, OnRetry: func(_ error, wait time.Duration) { waits = append(waits, wait) }})
		if err := p.Append(t.Context(), text("one")); err != nil {
			t.Fatal(err)
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := p.Append(t.Context(), text("two")); err != nil {
			t.Fatal(err)
		}
		if err := p.Close(t.Context(), freshet.Failed); err != nil {
			t.Fatal(err)
		}
		for i, r := range s.asked {
			seq, body := "7", "one"
			if i == len(s.asked)-1 {
				seq, body = "8", "two"
			}
			h := r.Header
			got := []string{r.Method, h.Get("Producer-Id"), h.Get("Producer-Epoch"), h.Get("Producer-Seq"), h.Get("Content-Type"), s.bodies[i]}
			if want := []string{"POST", "me", "3", seq, plain, body}; fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("request %d was %q, not %q", i, got, want)
			}
		}
		last := s.asked[len(s.asked)-1].Header
		if last.Get("Stream-Closed") != "true" || last.Get("Freshet-Close-Reason") != "failed" {
			t.Errorf("closed with %v", last)
		}
		between(t, waits[1], 9*time.Second, 9*time.Second)
		if stats := p.Stats(); stats != (ProducerStats{Bytes: 6, Records: 2, Appends: 2, Retries: 6}) {
			t.Errorf("stats are %+v", stats)
		}
		if err := p.Append(t.Context(), text("three")); !errors.Is(err, ErrStopped) {
			t.Errorf("got %v after Close", err)
		}
	},
		fail(errCut),
		refuse(503, freshet.ErrUncertain, "Retry-After", "9"),
		answer(502),
		answer(500),
		refuse(429, freshet.ErrProducers),
		answer(408),
		answer(http.StatusNoContent), // A duplicate: the first try had landed.
		answer(http.StatusOK),
	)
}

// What is written while an append is under way leaves together in the next.
func TestProducerBatches(t *testing.T) {
	for contentType, want := range map[string][2]string{
		plain:                      {"0", "123"},
		"application/octet-stream": {"0", "123"},
		"application/json":         {"[0]", "[1,2,3]"},
		"text/event-stream":        {"data: 0\n\n", "data: 1\n\ndata: 2\n\ndata: 3\n\n"},
	} {
		play(t, contentType, func(t *testing.T, c *Client, s *script) {
			p, err := c.Producer(t.Context(), "s", ProducerOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 4 {
				if err := p.Append(t.Context(), text(fmt.Sprint(i))); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
			}
			if err := p.Close(t.Context(), ""); err != nil {
				t.Fatal(err)
			}
			if s.bodies[0] != want[0] || s.bodies[1] != want[1] {
				t.Errorf("%s: sent %q", contentType, s.bodies)
			}
			if h := s.asked[1].Header; h.Get("Producer-Seq") != "1" || h.Get("Freshet-Close-Reason") != "completed" {
				t.Errorf("%s: closed with %v", contentType, h)
			}
		}, slow(answer(200)), slow(answer(200)))
	}
}

// Guarantee 7, on the producer's side.
func TestProducerHoldsBack(t *testing.T) {
	play(t, plain, func(t *testing.T, c *Client, s *script) {
		p := produce(t, c, ProducerOptions{MaxBatch: 10})
		write := func(s string) time.Duration {
			begun := time.Now()
			if err := p.Append(t.Context(), text(s)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			return time.Since(begun)
		}
		if write("0123456") != 0 || write("01234") != 0 || write("56789") != 0 {
			t.Error("an append waited that had room")
		}
		if took := write(strings.Repeat("x", 100)); took != time.Second {
			t.Errorf("an append waited %v for room", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := p.Append(ctx, text("never")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s.bodies[1] != "0123456789" || s.bodies[2] != strings.Repeat("x", 100) {
			t.Errorf("sent %q", s.bodies)
		}
	}, slow(answer(200)), slow(answer(200)), slow(answer(200)))
}

func TestProducerEndsForGood(t *testing.T) {
	closed := func(headers ...string) reply {
		return refuse(409, freshet.ErrClosed, append(headers, "Stream-Closed", "true")...)
	}
	for name, test := range map[string]struct {
		reply reply
		want  error
	}{
		"fenced":                  {answer(403, "Producer-Epoch", "9"), freshet.ErrFenced},
		"sequence gap":            {answer(409, "Producer-Expected-Seq", "4", "Producer-Received-Seq", "7"), freshet.ErrSequence},
		"closed":                  {closed(), freshet.ErrClosed},
		"closed before":           {closed("Producer-Epoch", "3", "Producer-Seq", "6"), freshet.ErrClosed},
		"closed in another epoch": {closed("Producer-Epoch", "4", "Producer-Seq", "7"), freshet.ErrClosed},
		"closed after it landed":  {closed("Producer-Epoch", "3", "Producer-Seq", "7"), nil},
		"missing":                 {refuse(404, freshet.ErrNotFound), freshet.ErrNotFound},
		"other type":              {refuse(409, freshet.ErrTypeMismatch), freshet.ErrTypeMismatch},
		"too large":               {answer(413), freshet.ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, plain, func(t *testing.T, c *Client, _ *script) {
				p := produce(t, c, ProducerOptions{ID: "me", Epoch: 3, Seq: 7})
				if err := p.Append(t.Context(), text("one")); err != nil {
					t.Fatal(err)
				}
				err := p.Flush(t.Context())
				if test.want == nil && err == nil {
					return
				}
				if !errors.Is(err, test.want) {
					t.Errorf("got %v", err)
				}
				<-p.Done()
				again := p.Append(t.Context(), text("two"))
				if !errors.Is(again, test.want) || !errors.Is(p.Err(), test.want) {
					t.Errorf("then got %v and %v", again, p.Err())
				}
			}, fail(errCut), test.reply)
		})
	}
}

func TestProducerContextAndStop(t *testing.T) {
	hang := func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() }
	play(t, plain, func(t *testing.T, c *Client, _ *script) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		p, err := c.Producer(ctx, "s", ProducerOptions{ContentType: plain})
		if err != nil {
			t.Fatal(err)
		}
		_ = p.Append(t.Context(), text("one"))
		if err := p.Close(t.Context(), ""); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	}, hang)
	play(t, plain, func(t *testing.T, c *Client, _ *script) {
		p := produce(t, c, ProducerOptions{})
		_ = p.Append(t.Context(), text("one"))
		synctest.Wait()
		p.Stop()
		p.Stop()
		if err := p.Flush(t.Context()); !errors.Is(err, ErrStopped) {
			t.Errorf("got %v", err)
		}
	}, hang)
}

// What no stream of the kind would take is refused before it is sent, and does
// the producer no harm.
func TestProducerRefusesBadRecords(t *testing.T) {
	for _, test := range []struct {
		contentType string
		record      Record
		want        error
	}{
		{plain, Record{}, freshet.ErrEmpty},
		{plain, Record{Type: "a", Data: []byte("b")}, freshet.ErrRecord},
		{"application/json", text("{"), freshet.ErrRecord},
		{"application/json", text("\"\xff\""), freshet.ErrRecord},
		{"text/event-stream", Record{Type: "stream-gap", Data: []byte("b")}, freshet.ErrRecord},
		{"text/event-stream", Record{Type: "a\nb", Data: []byte("b")}, freshet.ErrRecord},
		{"text/event-stream", Record{Type: "a"}, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{t: t, contentType: test.contentType, replies: []reply{answer(200)}}
			c, _ := New("http://freshet.test", Options{HTTPClient: &http.Client{Transport: s}})
			p, err := c.Producer(t.Context(), "s", ProducerOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Stop()
			if err := p.Append(t.Context(), test.record); !errors.Is(err, test.want) || p.Err() != nil {
				t.Errorf("%s %+v: got %v", test.contentType, test.record, err)
			}
			if err := p.Flush(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestProducerCopies(t *testing.T) {
	play(t, plain, func(t *testing.T, c *Client, s *script) {
		p := produce(t, c, ProducerOptions{})
		data := []byte("before")
		_ = p.Append(t.Context(), Record{Data: data})
		copy(data, bytes.Repeat([]byte("x"), 6))
		if err := p.Flush(t.Context()); err != nil || s.bodies[0] != "before" {
			t.Errorf("sent %q, %v", s.bodies, err)
		}
	}, answer(200))
}
