package wire

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/freshet-stream/freshet/internal/drain"
)

// Once a response has ended, net/http may have given its writer to another
// request, or over HTTP/2 to nobody: it is not touched any more, however late the
// group or the request's context end.
func TestAnEndedResponseIsLeftAlone(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		group := new(drain.Group)
		ctx, cancel := context.WithCancel(t.Context())
		responses := make(chan *Response, 2)
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			r := Start(ctx, w, http.StatusOK, group, drain.SSE)
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
			late := <-responses
			late.cut()
			late.part()
		}
		cancel()
		group.End()
		srv.Close()
	}
}
