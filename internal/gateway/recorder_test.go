package gateway

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/memstore"
)

// An absentStore takes no appends while it is away.
type absentStore struct {
	freshet.Store
	away atomic.Bool
}

func (s *absentStore) Append(ctx context.Context, name string, c freshet.Call) ([]freshet.Result, error) {
	if s.away.Load() {
		return nil, freshet.ErrUnavailable
	}
	return s.Store.Append(ctx, name, c)
}

// A store that is back just in time gets what was to be recorded.
func TestRecorderOutlastsOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &absentStore{Store: memstore.New(memstore.Options{})}
		h := hub.New(hub.Options{Store: store})
		defer h.Close()
		if _, _, err := h.Create(t.Context(), "gen/x", freshet.Creation{Spec: freshet.Spec{ContentType: "text/event-stream"}}); err != nil {
			t.Fatal(err)
		}
		store.away.Store(true)
		time.AfterFunc(recordTime-time.Second, func() { store.away.Store(false) })
		r := startRecorder(t.Context(), h, "gen/x", func() { t.Error("the recorder has failed") })
		r.record(entry{record: &freshet.Record{Data: []byte("x")}, close: &freshet.Closing{Reason: freshet.Completed}})
		if <-r.done; r.err != nil {
			t.Fatal(r.err)
		}
		page, err := h.Read(t.Context(), "gen/x", freshet.Offset{}, freshet.Limit{})
		if err != nil || len(page.Records) != 1 || page.Info.Closed == nil {
			t.Errorf("got %+v, %v", page, err)
		}
	})
}
