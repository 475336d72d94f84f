package workload_test

import (
	"net"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/chaos/checker"
	"github.com/freshet-stream/freshet/internal/chaos/history"
	"github.com/freshet-stream/freshet/internal/chaos/workload"
	"github.com/freshet-stream/freshet/memstore"
	"github.com/freshet-stream/freshet/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a server of a store.
func serve(t *testing.T, name string, store freshet.Store) workload.Door {
	t.Helper()
	s, err := server.New(server.Options{Store: store, Loopback: true, Name: name, Heartbeat: 100 * time.Millisecond, LongPoll: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Server{Handler: s}
	served := make(chan struct{})
	go func() {
		_ = web.Serve(l)
		close(served)
	}()
	t.Cleanup(func() {
		s.Close()
		_ = web.Close()
		<-served
	})
	return workload.Door{Name: name, Addr: l.Addr().String()}
}

// Two servers of one store, and no fault but readers that come and go.
func TestServersOfOneStoreKeepTheGuarantees(t *testing.T) {
	store := memstore.New(memstore.Options{})
	defer store.Close()
	doors := []workload.Door{serve(t, "one", store), serve(t, "two", store)}
	rec := history.NewRecorder(nil)
	err := workload.Run(t.Context(), workload.Options{Recorder: rec, Doors: doors, Seed: 1, Streams: 7, Pace: 10 * time.Millisecond})
	if err != nil {
		t.Error(err)
	}
	v := checker.Check(rec.Events(), checker.Options{})
	for i := range v.Violations {
		t.Error(&v.Violations[i])
	}
	v.Violations = nil
	t.Logf("%+v", v)
}
