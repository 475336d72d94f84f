package loss_test

import (
	"testing"

	"github.com/freshet-stream/freshet/internal/fleet"
)

// A primary whose replication is cut acknowledges more, and dies. Sentinel makes
// the replica the primary, which knows nothing of that.
func TestSentinelFailover(t *testing.T) {
	t.Parallel()
	s := keep[*fleet.Sentinel](t)(fleet.StartSentinel(t.Context(), t.TempDir(), fleet.SentinelOptions{}))
	old, replica := s.Servers[0], s.Servers[1]
	checkLoss(t, losing{
		url: s.URL(),
		fork: func(t *testing.T) {
			must(t, old.AwaitReplicated(t.Context(), replica))
			must(t, old.CutReplicas(t.Context()))
		},
		lose: func(t *testing.T) {
			must(t, old.Kill())
			must(t, s.AwaitPrimary(t.Context(), replica))
		},
	})
	// The old primary comes back with what it alone has, as a replica that gives
	// it up.
	must(t, old.Start(t.Context()))
	must(t, s.AwaitReplica(t.Context(), old))
}
