package workload

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/chaos/history"
)

// A poster appends with a POST of a whole body: one atomic step.
type poster struct{ line *line }

func (s *poster) perRecord() bool   { return false }
func (s *poster) closesApart() bool { return false }
func (s *poster) close()            {}

func (s *poster) send(ctx context.Context, door Door, a *attempt) answer {
	ctx, cancel := context.WithTimeout(ctx, 2*s.line.idle)
	defer cancel()
	body := a.format.body(a.records, a.most)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, door.url(a.stream), bytes.NewReader(body))
	if err != nil {
		return unknown(err)
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", string(a.format))
	}
	return post(s.line, req, a)
}

// A streamer appends with a body that is sent piece by piece. Its records land
// as they arrive.
type streamer struct {
	line *line
	rng  *rand.Rand
	pace time.Duration
}

func (s *streamer) perRecord() bool   { return true }
func (s *streamer) closesApart() bool { return false }
func (s *streamer) close()            {}

func (s *streamer) send(ctx context.Context, door Door, a *attempt) answer {
	ctx, cancel := context.WithTimeout(ctx, 4*s.line.idle)
	defer cancel()
	read, write := io.Pipe()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, door.url(a.stream), read)
	if err != nil {
		return unknown(err)
	}
	req.Header.Set("Content-Type", string(a.format))
	if a.format == jsonValue {
		req.Header.Set("Content-Type", "application/x-ndjson")
	}
	req.Header.Set("Freshet-Producer-Scope", "record")
	written := make(chan struct{})
	go func() {
		defer close(written)
		for _, r := range a.records {
			if _, err := write.Write(a.format.piece(r, a.most)); err != nil {
				return
			}
			if rest(ctx, time.Duration(s.rng.Int64N(int64(s.pace)))) != nil {
				break
			}
		}
		_ = write.CloseWithError(ctx.Err())
	}()
	got := post(s.line, req, a)
	_ = read.Close()
	cancel()
	<-written
	return got
}

// post sends a request that appends, under the name that the append has.
func post(l *line, req *http.Request, a *attempt) answer {
	h := req.Header
	if a.close != "" {
		h.Set("Stream-Closed", "true")
		h.Set("Freshet-Close-Reason", string(a.close))
	}
	if p := a.producer; p != nil {
		h.Set("Producer-Id", p.ID)
		h.Set("Producer-Epoch", strconv.FormatUint(p.Epoch, 10))
		h.Set("Producer-Seq", strconv.FormatUint(p.Seq, 10))
	}
	resp, err := l.http.Do(req)
	if err != nil {
		return unknown(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return unknown(err)
	}
	return judge(resp, body, a)
}

// judge says what an answer to an append means.
func judge(resp *http.Response, body []byte, a *attempt) answer {
	h := resp.Header
	got := answer{outcome: history.Landed, offset: h.Get("Stream-Next-Offset")}
	if h.Get("Stream-Closed") == "true" {
		got.why = h.Get("Freshet-Close-Reason")
	}
	if resp.StatusCode/100 == 2 {
		// A close alone is answered so whether or not it changed anything.
		got.duplicate = a.producer != nil && resp.StatusCode == http.StatusNoContent || len(a.records) == 0
		return got
	}
	var problem struct{ Code string }
	_ = json.Unmarshal(body, &problem)
	got.code, got.err = problem.Code, &refusal{resp.StatusCode, string(body)}
	switch {
	case resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusRequestTimeout || got.code == "":
		// Without a code it was not a server of ours that answered.
		got.outcome = history.Unknown
	case got.code == freshet.ErrClosed.Code && a.producer != nil && knows(h, a):
		got.outcome, got.duplicate = history.Landed, true
	default:
		got.outcome = history.Rejected
	}
	return got
}

// knows reports whether a refusal because of the close shows that all of the
// append had landed before.
func knows(h http.Header, a *attempt) bool {
	epoch, err := strconv.ParseUint(h.Get("Producer-Epoch"), 10, 64)
	seq, err2 := strconv.ParseUint(h.Get("Producer-Seq"), 10, 64)
	return err == nil && err2 == nil && epoch == a.producer.Epoch && seq >= a.lastSeq()
}

// lastSeq returns the sequence number of the last thing in the append, if it
// counts records; the same as that of the first otherwise.
func (a *attempt) lastSeq() uint64 {
	if a.perRecord && len(a.records) > 0 {
		return a.producer.Seq + uint64(len(a.records)) - 1
	}
	return a.producer.Seq
}

// A refusal is an answer that is no success.
type refusal struct {
	status int
	body   string
}

func (r *refusal) Error() string { return strconv.Itoa(r.status) + " " + r.body }
