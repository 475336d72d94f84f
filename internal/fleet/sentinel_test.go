package fleet_test

import (
	"testing"

	"github.com/freshet-stream/freshet/internal/fleet"
)

func startSentinel(t *testing.T) *fleet.Sentinel {
	t.Helper()
	s, err := fleet.StartSentinel(t.Context(), t.TempDir(), fleet.SentinelOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// What a primary took after its replica was cut off is gone when the replica is
// promoted, and the old primary forgets it too.
func TestSentinelFailoverLosesWhatWasCut(t *testing.T) {
	s := startSentinel(t)
	primary, replica := s.Servers[0], s.Servers[1]
	if s.Primary(t.Context()) != primary {
		t.Fatal("the first server is not the primary")
	}
	do(t, primary, "SET", "key", "kept")
	if got := do(t, primary, "WAIT", "1", "0"); got != "1" {
		t.Fatalf("%s replicas have it", got)
	}
	if err := primary.CutReplicas(t.Context()); err != nil {
		t.Fatal(err)
	}
	do(t, primary, "SET", "key", "lost")
	if err := primary.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := s.AwaitPrimary(t.Context(), replica); err != nil {
		t.Fatal(err)
	}
	if got := do(t, replica, "GET", "key"); got != "kept" {
		t.Errorf("the new primary has %q", got)
	}
	if err := primary.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.AwaitReplica(t.Context(), primary); err != nil {
		t.Fatal(err)
	}
	if got := do(t, primary, "GET", "key"); got != "kept" {
		t.Errorf("the old primary has %q", got)
	}
}

func TestSentinelFailoverOnRequestLosesNothing(t *testing.T) {
	s := startSentinel(t)
	do(t, s.Servers[0], "SET", "key", "kept")
	do(t, s.Servers[0], "WAIT", "1", "0")
	now, err := s.Failover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if now != s.Servers[1] || do(t, now, "GET", "key") != "kept" {
		t.Errorf("the primary is %s, with %q", now.Name(), do(t, now, "GET", "key"))
	}
}
