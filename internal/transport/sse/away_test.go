package sse

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/memstore"
)

// away is a store that cannot be reached.
type away struct{ freshet.Store }

func (away) Info(context.Context, string) (freshet.Info, error) {
	return freshet.Info{}, freshet.ErrUnavailable
}

func (away) Follow(context.Context, string, func(freshet.Hint)) (func(), error) {
	return nil, freshet.ErrUnavailable
}

// An EventSource takes 503 for the end, and a response that breaks off for a
// reason to come back, with the id that it has.
func TestStoreThatIsAwayIsAReconnect(t *testing.T) {
	r := newRigOver(t, time.Minute, away{memstore.New(memstore.Options{})})
	for _, id := range []string{"", freshet.Offset{Seq: 1, Mark: 1}.String(), freshet.Offset{Seq: 1, Mark: 1}.String() + "-end"} {
		got := r.get("s", id)
		if got.response.StatusCode != http.StatusOK {
			t.Errorf("with the id %q it gets %s", id, got.response.Status)
		}
		got.end(io.ErrUnexpectedEOF)
	}
	if got := r.get("s?offset=nonsense", ""); got.response.StatusCode != http.StatusBadRequest {
		t.Errorf("what is wrong for ever gets %s", got.response.Status)
	}
}
