package chaos_test

import (
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/chaos/checker"
	"github.com/freshet-stream/freshet/internal/chaos/history"
	"github.com/freshet-stream/freshet/internal/chaos/tamper"
	"github.com/freshet-stream/freshet/internal/chaos/workload"
	"github.com/freshet-stream/freshet/memstore"
	"github.com/freshet-stream/freshet/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a server of a store, with what wrap puts before it.
func serve(t *testing.T, name string, store freshet.Store, wrap func(http.Handler) http.Handler) workload.Door {
	t.Helper()
	s, err := server.New(server.Options{Store: store, Loopback: true, Name: name, Heartbeat: 100 * time.Millisecond, LongPoll: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Server{Handler: wrap(s)}
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

// A workload runs on two servers of one store, one of which has a bug, or both. The
// history that it leaves has to show it.
func TestPlantedBugsAreFoundLive(t *testing.T) {
	solo, unnamed := []string{"solo"}, []string{"unnamed"}
	for _, planted := range []struct {
		name string
		want checker.Guarantee
		bug  tamper.Bug
		// everywhere says that no server may be sound, since readers who come back
		// to a sound one are made good.
		everywhere bool
		plots      []string
	}{
		{"a record dropped", checker.NoGapsNoDuplicates, tamper.DropRecord(), false, solo},
		{"a record doubled", checker.NoGapsNoDuplicates, tamper.DoubleRecord(), false, solo},
		{"two records swapped", checker.NoGapsNoDuplicates, tamper.SwapRecords(), false, solo},
		{"two records swapped under their offsets", checker.Order, tamper.SwapData(), false, solo},
		{"a record forged", checker.CommittedFirst, tamper.ForgeRecord(), false, solo},
		{"an end lost", checker.EndIsEnd, tamper.LoseEnd(), true, solo},
		{"an end told twice", checker.EndIsEnd, tamper.TellEndTwice(), false, solo},
		{"an end with another reason", checker.EndIsEnd, tamper.TellOtherEnd(), false, solo},
		{"a silent gap", checker.NoGapsNoDuplicates, tamper.SkipOnResume(), false, solo},
		{"a restart", checker.HonestLoss, tamper.Restart(), false, solo},
		{"an acknowledged append lost", checker.ExactlyOnce, tamper.LoseAppend(), false, unnamed},
		{"an append doubled", checker.ExactlyOnce, tamper.DoubleAppend(), false, unnamed},
	} {
		t.Run(planted.name, func(t *testing.T) {
			t.Parallel()
			store := memstore.New(memstore.Options{})
			t.Cleanup(func() { _ = store.Close() })
			var handler *tamper.Handler
			doors := []workload.Door{serve(t, "broken", store, func(h http.Handler) http.Handler {
				handler = tamper.New(h, planted.bug)
				return handler
			})}
			if !planted.everywhere {
				doors = append(doors, serve(t, "sound", store, func(h http.Handler) http.Handler { return h }))
			}
			rec := history.NewRecorder(nil)
			// The workload may complain: producers notice some bugs by themselves.
			err := workload.Run(t.Context(), workload.Options{
				Recorder: rec, Doors: doors, Seed: 7, Lanes: 3, Streams: 4, Plots: planted.plots,
				Patience: 20, Pace: 10 * time.Millisecond,
			})
			if handler.Planted() == 0 {
				t.Fatal("the bug did not happen")
			}
			v := checker.Check(rec.Events(), checker.Options{})
			found := slices.ContainsFunc(v.Violations, func(v checker.Violation) bool { return v.Guarantee == planted.want })
			if !found {
				t.Errorf("it happened %d times and was not found; %d other violations are: %v (%v)", handler.Planted(), len(v.Violations), v.Violations, err)
			}
			t.Logf("it happened %d times and was found %d times; the workload says: %v", handler.Planted(), len(v.Violations), err)
		})
	}
}
