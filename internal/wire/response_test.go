package wire

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Once a response has ended, net/http may have given its writer to another
// request, or over HTTP/2 to nobody: it is not touched any more, however late the
// group or the request's context end.
func TestAnEndedResponseIsLeftAlone(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		group := NewGroup()
		ctx, cancel := context.WithCancel(t.Context())
		responses := make(chan *Response, 2)
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			r := group.Start(ctx, w, http.StatusOK)
			_ = r.Write([]byte("x"))
			r.End()
			responses <- r
		}))
		srv.EnableHTTP2 = http2
		srv.StartTLS()
		for range 2 {
			response, err := srv.Client().Get(srv.URL)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(response.Body); err != nil || string(got) != "x" {
				t.Errorf("got %q, error %v", got, err)
			}
			_ = response.Body.Close()
			// As when it had begun before the end.
			(<-responses).cut()
		}
		cancel()
		group.Close()
		srv.Close()
	}
}
