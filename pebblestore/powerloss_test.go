package pebblestore

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/storetest"
)

// A machine has its disk in memory. Its syncs take a while, so that a cut finds
// some under way.
type machine struct {
	disk   *vfs.MemFS
	unsafe bool
	lost   int64
}

func (m *machine) Open(t storetest.TB) freshet.Store {
	slow := faultFS{m.disk, func(string) error {
		time.Sleep(time.Duration(rand.IntN(200)) * time.Microsecond)
		return nil
	}}
	return open(t, slow, Options{unsafe: m.unsafe})
}

func (m *machine) Cut(percent int, rng *rand.Rand) storetest.Machine {
	before := sizes(m.disk)
	after := &machine{disk: m.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rng})}
	for name, size := range sizes(after.disk) {
		after.lost += max(0, before[name]-size)
	}
	return after
}

func (m *machine) Lost() int64 { return m.lost }

func sizes(fs *vfs.MemFS) map[string]int64 {
	sizes := map[string]int64{}
	names, _ := fs.List("data")
	for _, name := range names {
		if stat, err := fs.Stat("data/" + name); err == nil {
			sizes[name] = stat.Size()
		}
	}
	return sizes
}

func TestPowerLoss(t *testing.T) {
	points := 500
	if testing.Short() {
		points = 60
	}
	found := storetest.CheckPowerLoss(t, func() storetest.Machine { return &machine{disk: vfs.NewCrashableMem()} }, points)
	t.Logf("%d points, unsynced data lost at %d; %d acknowledged calls looked for, %d others found", found.Points, found.Lossy, found.Appends, found.Open)
	for _, p := range found.Problems[:min(len(found.Problems), 10)] {
		t.Error(p)
	}
	if found.Points < points || found.Lossy < points/10 || found.Appends < points || found.Open == 0 {
		t.Errorf("the faults did not happen: %+v", found)
	}
}

// A store that acknowledges before the fsync must be found out.
func TestPowerLossIsNoticed(t *testing.T) {
	found := storetest.CheckPowerLoss(t, func() storetest.Machine { return &machine{disk: vfs.NewCrashableMem(), unsafe: true} }, 20)
	t.Logf("%d problems at %d points", len(found.Problems), found.Points)
	if len(found.Problems) < found.Points/2 {
		t.Fatalf("a store without fsync has only %d problems: %q", len(found.Problems), found.Problems)
	}
}
