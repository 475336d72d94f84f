package pebblestore

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, storetest.Subject{
		New: func(t storetest.TB, clock *storetest.Clock) func() freshet.Store {
			fs := vfs.NewMem()
			return func() freshet.Store { return open(t, fs, Options{Now: clock.Now}) }
		},
		Stall: func(t storetest.TB, clock *storetest.Clock) storetest.Stall {
			g := &gate{}
			return storetest.Stall{
				Store: open(t, faultFS{vfs.NewMem(), g.pass}, Options{Now: clock.Now}),
				Hold:  g.hold, Release: g.release,
				Held: func() int { return int(g.held.Load()) },
			}
		},
	})
}

// open opens a store of small dimensions in fs.
func open(t storetest.TB, fs vfs.FS, opts Options) *Store {
	t.Helper()
	opts.FS, opts.Logger = fs, quiet()
	opts.CacheBytes, opts.MemTableBytes, opts.Streams = 1<<20, 1<<20, 8
	s, err := Open("data", opts)
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	return s
}
