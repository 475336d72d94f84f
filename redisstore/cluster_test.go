package redisstore

import (
	"testing"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/fleet"
	"github.com/freshet-stream/freshet/storetest"
)

func TestClusterStore(t *testing.T) {
	c, err := fleet.StartCluster(t.Context(), t.TempDir(), fleet.ClusterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	storetest.Run(t, storetest.Subject{
		New: func(t storetest.TB, clock *storetest.Clock) func() freshet.Store {
			prefix := newPrefix()
			return func() freshet.Store { return open(t, c.URL(), Options{Prefix: prefix, Now: clock.Now}) }
		},
		Fleet: true,
		Scale: 20,
	})
}
