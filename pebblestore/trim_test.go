package pebblestore

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/freshet-stream/freshet"
)

// A loss of power while the space of trimmed records is given back leaves what
// the stream keeps, and no more: in a stream of tiny records and of large ones,
// trimmed by appends and by the sweep.
func TestPowerLossWhileTrimming(t *testing.T) {
	for name, c := range map[string]struct {
		retain      freshet.Retain
		size, total int
	}{
		"tiny":  {freshet.Retain{Records: 100}, 8, 1500},
		"large": {freshet.Retain{Records: 20}, 40 << 10, 300},
		"old":   {freshet.Retain{Records: 300, Age: 20 * time.Second}, 8, 1500},
	} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			disk := vfs.NewCrashableMem()
			clock := time.Now()
			s := open(t, disk, Options{Now: func() time.Time { return clock }})
			defer s.Close()
			create(t, s, "s", c.retain)
			freed := uint64(0)
			for i := range c.total {
				appendNumber(t, s, i, c.size)
				clock = clock.Add(time.Second / 8)
				if i%100 == 99 && c.retain.Age > 0 {
					if _, err := s.Sweep(t.Context(), 10); err != nil {
						t.Fatal(err)
					}
				}
				if i%100 < 97 && rng.IntN(60) > 0 {
					continue
				}
				after := open(t, disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50 * rng.IntN(2), RNG: rng}), Options{Now: s.now})
				checkKept(t, after, s, i+1)
				st, _ := after.acquire(t.Context(), "s")
				freed = max(freed, st.head.freed)
				after.cache.release(st)
				appendNumber(t, after, i+1, c.size)
				if err := after.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if freed == 0 {
				t.Error("no space was given back")
			}
		})
	}
}

func create(t *testing.T, s *Store, name string, retain freshet.Retain) {
	t.Helper()
	if _, _, err := s.Create(t.Context(), name, freshet.Creation{Nonce: freshet.NewNonce(), Spec: freshet.Spec{Retain: retain}}); err != nil {
		t.Fatal(err)
	}
}

// appendNumber appends the i-th record.
func appendNumber(t *testing.T, s *Store, i, size int) {
	t.Helper()
	call := freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{{Records: []freshet.Record{{Data: fmt.Appendf(nil, "%0*d", size, i)}}}}}
	if _, err := s.Append(t.Context(), "s", call); err != nil {
		t.Fatal(err)
	}
}

// checkKept checks that a store has of n records what it has to keep, which is
// what the one before the loss has.
func checkKept(t *testing.T, after, before *Store, n int) {
	t.Helper()
	want, err := before.Info(t.Context(), "s")
	if err != nil {
		t.Fatal(err)
	}
	page, err := after.Read(t.Context(), "s", freshet.Offset{}, freshet.Limit{})
	if err != nil {
		t.Fatalf("after %d records: %v", n, err)
	}
	if got := page.Info; got.Oldest != want.Oldest || got.Tail != want.Tail || got.Bytes != want.Bytes || !got.OldestAt.Equal(want.OldestAt) {
		t.Fatalf("after %d records the stream is %+v, and was %+v", n, got, want)
	}
	if len(page.Records) != int(want.Tail.Seq-want.Oldest.Seq) || want.Tail.Seq != uint64(n) {
		t.Fatalf("after %d records there are %d between %v and %v", n, len(page.Records), want.Oldest, want.Tail)
	}
	for _, r := range page.Records {
		if number, err := strconv.ParseUint(string(r.Data), 10, 64); err != nil || number != r.Offset.Seq-1 {
			t.Fatalf("record %v is %.20q", r.Offset, r.Data)
		}
	}
}
