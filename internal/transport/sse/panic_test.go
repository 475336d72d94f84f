package sse

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet/internal/drain"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/internal/wire"
	"github.com/freshet-stream/freshet/memstore"
)

// A panic in the goroutine of one stream of a set is that of the handler, which
// net/http contains, and not the process' end.
func TestAPanicInASetIsTheHandlers(t *testing.T) {
	h := hub.New(hub.Options{Store: memstore.New(memstore.Options{})})
	defer h.Close()
	transport := New(Options{Hub: h, Heartbeat: time.Minute})
	s := &setSession{
		transport: &Transport{}, // without a hub
		response:  wire.Start(t.Context(), httptest.NewRecorder(), 200, transport.exchanges, drain.Set),
		cursor:    &setCursor{positions: make([]position, 1)},
	}
	defer func() {
		var f *failure
		if err, _ := recover().(error); !errors.As(err, &f) || !strings.Contains(f.Error(), "setsession.go") {
			t.Errorf("the handler did not panic with the goroutine's stack: %v", err)
		}
	}()
	s.run([]asked{{Stream: "s"}})
}
