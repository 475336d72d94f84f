package fleet_test

import (
	"strings"
	"testing"

	"github.com/freshet-stream/freshet/internal/fleet"
)

func TestClusterFailsOverAndMovesSlots(t *testing.T) {
	ctx := t.Context()
	c, err := fleet.StartCluster(ctx, t.TempDir(), fleet.ClusterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	slot, err := c.Slot(ctx, "key")
	if err != nil {
		t.Fatal(err)
	}
	primary := c.Primary(ctx, slot)
	do(t, primary, "SET", "key", "kept")
	do(t, primary, "WAIT", "1", "0")

	// A failover on request loses nothing.
	replica, err := c.Failover(ctx, primary)
	if err != nil {
		t.Fatal(err)
	}
	if c.Primary(ctx, slot) != replica || do(t, replica, "GET", "key") != "kept" {
		t.Fatalf("%s has the slot", c.Primary(ctx, slot).Name())
	}

	// A slot moves key by key.
	to := c.Primary(ctx, (slot+8192)%16384)
	if to == replica {
		t.Fatal("one node has half of the slots")
	}
	move, err := c.BeginMove(ctx, slot, to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := replica.Do(ctx, "GET", "{key}new"); err == nil || !strings.Contains(err.Error(), "ASK") {
		t.Errorf("a key that is not there is answered by %v", err)
	}
	if n, err := move.Keys(ctx, 10); n != 1 || err != nil {
		t.Errorf("moved %d keys (%v)", n, err)
	}
	if err := move.End(ctx); err != nil {
		t.Fatal(err)
	}
	if got := do(t, to, "GET", "key"); got != "kept" {
		t.Errorf("where the slot is now there is %q", got)
	}

	// A failover behind a cut loses what came after it.
	if err := c.AwaitWhole(ctx); err != nil {
		t.Fatal(err)
	}
	heir := c.Replica(ctx, to)
	if got := do(t, to, "WAIT", "1", "0"); got != "1" {
		t.Fatalf("%s replicas have it", got)
	}
	if err := to.CutReplicas(ctx); err != nil {
		t.Fatal(err)
	}
	do(t, to, "SET", "key", "lost")
	if err := to.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := c.AwaitPrimary(ctx, heir); err != nil {
		t.Fatal(err)
	}
	if c.Primary(ctx, slot) != heir || do(t, heir, "GET", "key") != "kept" {
		t.Errorf("the slot is at %s", c.Primary(ctx, slot).Name())
	}
	if err := to.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.AwaitReplica(ctx, to); err != nil {
		t.Fatal(err)
	}
}
