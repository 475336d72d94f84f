package wire

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"
)

// A body that stops is given up, over every version of HTTP.
func TestABodyThatStops(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		ended := make(chan error, 1)
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body := &Body{r.Body, http.NewResponseController(w), 50 * time.Millisecond}
			_, err := io.Copy(io.Discard, body)
			ended <- err
		}))
		srv.EnableHTTP2 = http2
		srv.StartTLS()
		slow, stop := io.Pipe()
		go func() { _, _ = stop.Write([]byte("the beginning")) }()
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			if response, err := srv.Client().Post(srv.URL, "text/plain", slow); err == nil {
				_ = response.Body.Close()
			}
		}()
		select {
		case err := <-ended:
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("HTTP/2 %t: reading ended with %v", http2, err)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("HTTP/2 %t: a body that stopped is waited for", http2)
		}
		_ = slow.Close()
		<-sent
		srv.Close()
	}
}
