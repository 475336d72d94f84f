package durablestreams

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/memstore"
)

// A bubbleRig is a transport without a network, under fake time.
type bubbleRig struct {
	*testing.T
	hub       *hub.Hub
	transport *Transport
}

func inBubble(t *testing.T, test func(r *bubbleRig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := hub.New(hub.Options{Store: memstore.New(memstore.Options{})})
		defer h.Close()
		test(&bubbleRig{t, h, New(Options{Hub: h})})
	})
}

func (r *bubbleRig) do(method, name string, body io.Reader, headers ...string) *http.Response {
	r.Helper()
	request := httptest.NewRequestWithContext(r.Context(), method, "/"+name, body)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	r.transport.ServeStream(w, request, name)
	return w.Result()
}

// after lets time pass, and the sweep too.
func (r *bubbleRig) after(d time.Duration) (closed *freshet.Closure) {
	r.Helper()
	time.Sleep(d)
	synctest.Wait()
	info, err := r.hub.Info(r.Context(), "s")
	if err != nil {
		r.Fatal(err)
	}
	return info.Closed
}

func TestLeaseOfPutAndPost(t *testing.T) {
	for name, begin := range map[string]func(r *bubbleRig){
		"PUT": func(r *bubbleRig) { r.do("PUT", "s", nil, "Content-Type", "text/plain", "Freshet-Lease", "20") },
		"POST": func(r *bubbleRig) {
			r.do("PUT", "s", nil, "Content-Type", "text/plain")
			r.do("POST", "s", unsized("x"), "Content-Type", "text/plain", "Freshet-Lease", "20")
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(r *bubbleRig) {
				begin(r)
				for range 10 {
					if c := r.after(15 * time.Second); c != nil {
						r.Fatalf("closed %+v", c)
					}
					if response := r.do("POST", "s", nil, "Freshet-Lease", "20"); response.StatusCode != 204 {
						r.Fatal(response.Status)
					}
				}
				if c := r.after(30 * time.Second); c == nil || c.Reason != freshet.Interrupted {
					r.Errorf("closed %+v", c)
				}
				response := r.do("POST", "s", nil, "Freshet-Lease", "20")
				if response.StatusCode != 409 || response.Header.Get("Freshet-Close-Reason") != "interrupted" {
					r.Errorf("renewing a closed stream: %s %v", response.Status, response.Header)
				}
			})
		})
	}
}

// A producer that thinks keeps its stream by its open body, and loses it when
// that is gone.
func TestAnOpenBodyRenewsTheLease(t *testing.T) {
	for name, headers := range map[string][]string{
		"of the body":   {"Freshet-Lease", "10"},
		"of the stream": {},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(r *bubbleRig) {
				r.do("PUT", "s", nil, "Content-Type", "text/plain", "Freshet-Lease", "10")
				body, pipe := io.Pipe()
				done := make(chan *http.Response, 1)
				go func() { done <- r.do("POST", "s", body, append(headers, "Content-Type", "text/plain")...) }()
				for range 5 {
					if c := r.after(time.Minute); c != nil {
						r.Fatalf("closed %+v", c)
					}
					if _, err := io.WriteString(pipe, "x"); err != nil {
						r.Fatal(err)
					}
				}
				_ = pipe.CloseWithError(io.ErrUnexpectedEOF)
				if response := <-done; response.StatusCode != 400 {
					r.Errorf("a body that broke off: %s", response.Status)
				}
				if c := r.after(20 * time.Second); c == nil || c.Reason != freshet.Interrupted {
					r.Errorf("closed %+v", c)
				}
			})
		})
	}
}
