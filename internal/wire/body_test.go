package wire

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"
)

// A body that stops is given up, and its sender told so, over every version of HTTP.
func TestABodyThatStops(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body := &Body{body: r.Body, control: http.NewResponseController(w), stall: 50 * time.Millisecond}
			_, err := io.Copy(io.Discard, body)
			body.Done()
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("HTTP/2 %t: reading ended with %v", http2, err)
			}
			w.WriteHeader(http.StatusBadRequest)
		}))
		srv.EnableHTTP2 = http2
		srv.StartTLS()
		slow, stop := io.Pipe()
		go func() { _, _ = stop.Write([]byte("the beginning")) }()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		for _, length := range []int64{-1, 100} {
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, srv.URL, slow)
			if err != nil {
				t.Fatal(err)
			}
			request.ContentLength = length
			response, err := srv.Client().Do(request)
			if err != nil {
				t.Fatalf("HTTP/2 %t, length %d: %v", http2, length, err)
			}
			_ = response.Body.Close()
			if response.StatusCode != http.StatusBadRequest {
				t.Errorf("HTTP/2 %t, length %d: got %s", http2, length, response.Status)
			}
			slow, stop = io.Pipe()
			go func() { _, _ = stop.Write([]byte("the beginning")) }()
		}
		cancel()
		_ = slow.Close()
		srv.Close()
	}
}
