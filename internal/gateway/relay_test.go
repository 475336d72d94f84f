package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/server"
)

// What the upstream says is told as it is, but for ids, and recorded.
func TestAnswerIsTheUpstreams(t *testing.T) {
	r := newRig(t, 1)
	for path := range prompts {
		for _, prompt := range []string{"tokens=20", "calls=2", "reasoning=5", "refuse", "tokens=3 error=4"} {
			body := question(path, prompt)
			want := r.direct(path, body)
			response := r.post(0, path, body)
			got := read(t, response)
			if told(got) != want {
				t.Errorf("%s, %s: got\n%s\nwant\n%s", path, prompt, told(got), want)
			}
			if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream; charset=utf-8" {
				t.Errorf("%s: got %s, %s", path, response.Status, response.Header.Get("Content-Type"))
			}
			name := streamOf(t, response)
			reason := freshet.Completed
			if strings.Contains(prompt, "error") {
				reason = freshet.Failed
			}
			if closed := r.end(name); closed.Reason != reason {
				t.Errorf("%s, %s: closed as %s, want %s", path, prompt, closed.Reason, reason)
			}
			for _, block := range events(got) {
				if id := idOf(t, block); !strings.HasPrefix("gen/"+id, name+".") {
					t.Fatalf("the id %s does not name %s", id, name)
				}
			}
		}
	}
}

// A body that ends before its answer does is a failure, and so is a connection
// that breaks: each is told in-band, as the endpoint tells errors.
func TestEndsThatTheUpstreamDidNotTell(t *testing.T) {
	patient := newRig(t, 1)
	hasty := newRig(t, 1, func(o *server.Options) { o.UpstreamStall = 250 * time.Millisecond })
	for path := range prompts {
		for prompt, code := range map[string]string{
			"end=5": "upstream_truncated", "cut=5": "upstream_error", "stall=5": "upstream_stalled", "end=0": "upstream_truncated",
		} {
			r := patient
			if code == "upstream_stalled" {
				r = hasty
			}
			response := r.post(0, path, question(path, prompt))
			got := read(t, response)
			if !strings.Contains(got, code) || strings.Contains(got, "[DONE]") || strings.Contains(got, `"error":null`+"}") {
				t.Errorf("%s, %s: got %s", path, prompt, got)
			}
			if closed := r.end(streamOf(t, response)); closed.Reason != freshet.Failed || !strings.Contains(string(closed.Detail), code) {
				t.Errorf("%s, %s: closed as %s, %s", path, prompt, closed.Reason, closed.Detail)
			}
		}
	}
}

// An answer other than 2xx reaches the caller with its status, its body and the
// headers that clients act on.
func TestRefusalsArePassedOn(t *testing.T) {
	r := newRig(t, 1)
	for path := range prompts {
		body := question(path, "status=429 retry-after=7")
		want := r.direct(path, body)
		response := r.post(0, path, body)
		if got := read(t, response); got != want || response.StatusCode != http.StatusTooManyRequests ||
			response.Header.Get("Retry-After") != "7" || response.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: got %s %v %s, want %s", path, response.Status, response.Header, got, want)
		}
	}
}

// An upstream that is away is a 502 in the endpoint's own form.
func TestUpstreamAway(t *testing.T) {
	r := newRig(t, 1, func(o *server.Options) { o.Upstreams[0].Base = "http://127.0.0.1:1/v1" })
	for path := range prompts {
		response := r.post(0, path, question(path, "x"))
		if got := read(t, response); response.StatusCode != http.StatusBadGateway || !strings.Contains(got, `"error"`) && !strings.Contains(got, `"code"`) {
			t.Errorf("%s: got %s %s", path, response.Status, got)
		}
	}
}

// Without stream:true nothing is recorded and the answer is the upstream's.
func TestAnswersThatAreNoStream(t *testing.T) {
	r := newRig(t, 1)
	for path := range prompts {
		body := strings.Replace(question(path, "tokens=5"), `"stream":true`, `"stream":false`, 1)
		want := r.direct(path, body)
		response := r.post(0, path, body)
		if got := read(t, response); got != want || response.Header.Get("Freshet-Stream") != "" {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

// No head is sent before the upstream's, and no event is held back until the
// next one.
func TestEventsLeaveAsTheyCome(t *testing.T) {
	step := make(chan struct{})
	upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for n := 0; ; n++ {
			select {
			case <-step:
			case <-r.Context().Done():
				return
			}
			switch n {
			case 0:
				w.Header().Set("Content-Type", "text/event-stream")
				w.Header().Set("X-Request-Id", "r1")
				_ = http.NewResponseController(w).Flush()
			case 4:
				fmt.Fprint(w, "data: [DONE]\n\n")
				return
			default:
				fmt.Fprintf(w, "data:  {\"n\": %d}\n\n", n)
				_ = http.NewResponseController(w).Flush()
			}
		}
	})
	r := newRigBefore(t, 1, upstream)
	answers := make(chan *http.Response, 1)
	go func() {
		request, _ := http.NewRequestWithContext(t.Context(), "POST", r.urls[0]+"/v1/chat/completions", strings.NewReader(`{"stream":true}`))
		response, err := r.client.Do(request)
		if err != nil {
			t.Error(err)
		}
		answers <- response
	}()
	select {
	case response := <-answers:
		t.Fatalf("answered by %s before the upstream", response.Status)
	case step <- struct{}{}:
	}
	// The head comes although there is no event yet.
	response := <-answers
	defer response.Body.Close()
	if response.Header.Get("X-Request-Id") != "r1" {
		t.Errorf("got the head %v", response.Header)
	}
	for n := 1; n < 4; n++ {
		step <- struct{}{}
		if got := readEvents(t, response, 1)[0]; told(got) != fmt.Sprintf("data:  {\"n\": %d}\n\n", n) {
			t.Errorf("got %q", got)
		}
	}
	step <- struct{}{}
	if got := read(t, response); told(got) != "data: [DONE]\n\n" {
		t.Errorf("got %q", got)
	}
}

// A blind store tells a number of times nothing of a stream that has a head.
type blind struct {
	freshet.Store
	times atomic.Int64
}

func (s *blind) sees(info *freshet.Info, err error) error {
	if strings.Contains(string(info.Meta), `"status"`) && s.times.Add(-1) >= 0 {
		return freshet.ErrUnavailable
	}
	return err
}

func (s *blind) Info(ctx context.Context, name string) (freshet.Info, error) {
	info, err := s.Store.Info(ctx, name)
	return info, s.sees(&info, err)
}

func (s *blind) Read(ctx context.Context, name string, from freshet.Offset, limit freshet.Limit) (freshet.Page, error) {
	page, err := s.Store.Read(ctx, name, from, limit)
	return page, s.sees(&page.Info, err)
}

// Who waits for the head of an answer while the store is away gets it later, and
// nothing that would make them ask once more.
func TestHeadOutlastsOutage(t *testing.T) {
	store := &blind{}
	store.times.Store(4)
	r := newRig(t, 1, func(o *server.Options) { store.Store, o.Store = o.Store, store })
	body := question(chat, "tokens=3")
	got := read(t, r.post(0, chat, body))
	if left := store.times.Load(); left > 0 {
		t.Errorf("the store was to be asked %d times more", left)
	}
	if c := r.origin.Counts(); c.Requests != 1 || told(got) != r.direct(chat, body) {
		t.Errorf("the upstream saw %+v, the caller %q", c, got)
	}
}
