package loss_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet/internal/chaos/checker"
	"github.com/freshet-stream/freshet/internal/fleet"
)

// The primaries of a Cluster whose replication is cut acknowledge more, and one
// of them dies.
func TestClusterFailoverToReplicaThatLagged(t *testing.T) {
	t.Parallel()
	c := keep[*fleet.Cluster](t)(fleet.StartCluster(t.Context(), t.TempDir(), fleet.ClusterOptions{}))
	primaries := c.Nodes[:3]
	checkLoss(t, losing{
		url: c.URL(),
		fork: func(t *testing.T) {
			for _, primary := range primaries {
				must(t, primary.AwaitReplicated(t.Context(), c.Replica(t.Context(), primary)))
				must(t, primary.CutReplicas(t.Context()))
			}
		},
		lose: func(t *testing.T) {
			for _, primary := range primaries {
				replica := c.Replica(t.Context(), primary)
				must(t, primary.Kill())
				must(t, c.AwaitPrimary(t.Context(), replica))
				must(t, primary.Start(t.Context()))
			}
			must(t, c.AwaitWhole(t.Context()))
		},
	})
}

// Slots move under load and a replica takes over in good order: nothing is lost,
// and calls that stall or fail come to an end by being repeated. Then a primary
// is killed under load: what its replica had not got is lost, and told.
func TestClusterUnderLoad(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c := keep[*fleet.Cluster](t)(fleet.StartCluster(ctx, t.TempDir(), fleet.ClusterOptions{}))
	r := newRig(t, c.URL())
	r.underLoad(2, checker.Options{}, func() {
		moved, keys := 0, 0
		for moved < 6 {
			for i, from := range c.Nodes[:3] {
				slot, ok := inUse(t, c, from)
				if !ok {
					continue
				}
				move, err := c.BeginMove(ctx, slot, c.Nodes[(i+1)%3])
				must(t, err)
				n, err := move.Keys(ctx, 2)
				must(t, err)
				pause(ctx, 50*time.Millisecond) // with some keys here and some there
				must(t, move.End(ctx))
				moved, keys = moved+1, keys+n
			}
		}
		if keys < 6 {
			t.Errorf("%d slots were moved, with %d keys", moved, keys)
		}
		to := c.Nodes[1]
		replica := c.Replica(ctx, to)
		now, err := c.Failover(ctx, to)
		must(t, err)
		if now != replica || to.IsPrimary(ctx) {
			t.Errorf("%s is no replica of %s", to.Name(), replica.Name())
		}
	})
	r = newRig(t, c.URL()+"&prefix=second")
	r.underLoad(3, checker.Options{MayLoseTail: true}, func() {
		victim := c.Nodes[2]
		replica := c.Replica(ctx, victim)
		must(t, victim.Kill())
		must(t, c.AwaitPrimary(ctx, replica))
		must(t, victim.Start(ctx))
		must(t, c.AwaitReplica(ctx, victim))
	})
}

// inUse returns a slot that has a stream, of those that a primary serves.
func inUse(t *testing.T, c *fleet.Cluster, primary *fleet.Redis) (slot int, ok bool) {
	t.Helper()
	text, err := primary.Do(t.Context(), "KEYS", "freshet:*:h:*")
	must(t, err)
	keys := strings.Fields(text)
	if len(keys) == 0 {
		return 0, false
	}
	slot, err = c.Slot(t.Context(), keys[rand.IntN(len(keys))])
	must(t, err)
	return slot, true
}
