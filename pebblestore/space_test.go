package pebblestore

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/freshet-stream/freshet"
)

// Deleting gives the space back, of a large stream and of many small ones, and
// without anybody asking for a compaction.
func TestDeletingFreesSpace(t *testing.T) {
	s := open(t, vfs.NewMem(), Options{})
	defer s.Close()
	ctx := t.Context()
	write := func(name string, calls, size int) {
		if _, _, err := s.Create(ctx, name, freshet.Creation{Nonce: freshet.NewNonce()}); err != nil {
			t.Fatal(err)
		}
		for range calls {
			data := make([]byte, size)
			_, _ = rand.Read(data)
			_, err := s.Append(ctx, name, freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{{Records: []freshet.Record{{Data: data}}}}})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	write("kept", 4, 1000)
	empty := tables(t, s)
	write("large", 32, 256<<10)
	for i := range 100 {
		write(fmt.Sprintf("small/%d", i), 4, 10<<10)
	}
	full := tables(t, s)
	if full < empty+10<<20 {
		t.Fatalf("12 MB of records take %d bytes", full)
	}
	for _, name := range append(names(t, s, "small/"), "large") {
		if err := s.Delete(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	deadline := time.Now().Add(20 * time.Second)
	left := tables(t, s)
	for left > full/20 && time.Now().Before(deadline) {
		time.Sleep(50 * time.Millisecond)
		left = tables(t, s)
	}
	t.Logf("%d bytes in tables when full, %d after deleting", full, left)
	if left > full/20 {
		t.Errorf("%d of %d bytes are still in use:\n%s", left, full, s.db.Metrics())
	}
	if got := names(t, s, ""); len(got) != 1 || got[0] != "kept" {
		t.Errorf("the streams left are %q", got)
	}
}

// Guarantee 7: what a stream may not keep takes no space, whether it is many
// records or few large ones, and whether they are too many or too old.
func TestRetentionFreesSpace(t *testing.T) {
	for name, c := range map[string]struct {
		retain      freshet.Retain
		calls, size int
	}{
		"records": {freshet.Retain{Records: 100}, 5_000, 2 << 10},
		"bytes":   {freshet.Retain{Bytes: 512 << 10}, 100, 100 << 10},
		"age":     {freshet.Retain{Age: time.Second}, 100, 100 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			clock := time.Now()
			s := open(t, vfs.NewMem(), Options{Now: func() time.Time { return clock }})
			defer s.Close()
			if _, _, err := s.Create(t.Context(), "s", freshet.Creation{Nonce: freshet.NewNonce(), Spec: freshet.Spec{Retain: c.retain}}); err != nil {
				t.Fatal(err)
			}
			most := 0
			for i := range c.calls {
				data := make([]byte, c.size)
				_, _ = rand.Read(data)
				_, err := s.Append(t.Context(), "s", freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{{Records: []freshet.Record{{Data: data}}}}})
				if err != nil {
					t.Fatal(err)
				}
				if i%(c.calls/20) > 0 {
					continue
				}
				most = max(most, tables(t, s))
				clock = clock.Add(time.Second / 2)
				if _, err := s.Sweep(t.Context(), 10); err != nil {
					t.Fatal(err)
				}
			}
			info, err := s.Info(t.Context(), "s")
			if err != nil || info.Bytes > 3<<20 {
				t.Fatalf("%d bytes are kept, %v", info.Bytes, err)
			}
			const bound = 5 << 20
			deadline := time.Now().Add(20 * time.Second)
			left := tables(t, s)
			for left > bound && time.Now().Before(deadline) {
				time.Sleep(50 * time.Millisecond)
				left = tables(t, s)
			}
			t.Logf("of %d bytes written, %d are kept and take %d in tables, at most %d", c.calls*c.size, info.Bytes, left, most)
			if left > bound {
				t.Errorf("%d bytes are in use:\n%s", left, s.db.Metrics())
			}
		})
	}
}

// tables returns the bytes that the tables take, all memory flushed.
func tables(t *testing.T, s *Store) int {
	t.Helper()
	if err := s.db.Flush(); err != nil {
		t.Fatal(err)
	}
	total := s.db.Metrics().Total()
	return int(total.TablesSize)
}

func names(t *testing.T, s *Store, prefix string) (names []string) {
	t.Helper()
	infos, err := s.List(context.Background(), prefix, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range infos {
		names = append(names, info.Name)
	}
	return names
}
