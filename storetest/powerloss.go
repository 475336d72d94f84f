package storetest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/freshet-stream/freshet"
)

// A Machine is a computer with a disk, whose power can be cut.
type Machine interface {
	// Open opens the store on the machine's disk.
	Open(t TB) freshet.Store
	// Cut returns the machine as it comes up if the power goes now: its disk
	// has all that was synced, and of each piece that was not, whether it has
	// it is decided by chance. The machine itself goes on.
	Cut(unsyncedPercent int, rng *rand.Rand) Machine
	// Lost is how many bytes the cut that this machine comes from took away.
	Lost() int64
}

// A PowerLoss is what was found by cutting the power.
type PowerLoss struct {
	// Points is how many times it was cut, Lossy at how many of them something
	// was lost that had been written.
	Points, Lossy int
	// Appends is how many acknowledged appends were looked for, all points
	// taken together, Open how many were not acknowledged yet, and were there.
	Appends, Open int
	// Problems are the promises that were not kept.
	Problems []string
}

const pointsARun = 20

// CheckPowerLoss cuts the power at random points, at least as many as asked
// for, while several streams are created, appended to, closed and deleted, by
// producers with and without names, and others read them. Each time it opens
// the store on what is left, and checks that everything that was acknowledged
// or seen is there, once and in order, that no append is torn, and that
// repeating the last call changes nothing.
func CheckPowerLoss(t TB, boot func() Machine, points int) PowerLoss {
	var found PowerLoss
	for run := uint64(0); found.Points < points; run++ {
		rng := rand.New(rand.NewPCG(run, 0x6672657368))
		cuts := runUntilCut(t, boot(), rng)
		for _, problem := range checkCuts(t, cuts, &found) {
			found.Problems = append(found.Problems, fmt.Sprintf("run %d: %s", run, problem))
		}
	}
	return found
}

// A cut is a machine after a loss of power, and what its store owes.
type cut struct {
	machine Machine
	owed    []debt
}

// runUntilCut runs the workload on a machine and cuts its power several times.
func runUntilCut(t TB, m Machine, rng *rand.Rand) (cuts []cut) {
	store := m.Open(t)
	l := newLedger(t, store, rng.Uint64())
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for w := range l.writers {
		wg.Go(func() { l.write(w, stop) })
	}
	wg.Go(func() { l.watch(stop) })
	for range pointsARun {
		time.Sleep(time.Duration(rng.IntN(3000)) * time.Microsecond)
		owed := l.owed() // first what is owed, then the cut
		cuts = append(cuts, cut{m.Cut(50*rng.IntN(2), rng), owed})
	}
	close(stop)
	wg.Wait()
	l.stop()
	if err := store.Close(); err != nil {
		t.Fatalf("close store: %v", err)
	}
	return cuts
}

// checkCuts opens what is left after each cut, some at a time.
func checkCuts(t TB, cuts []cut, found *PowerLoss) (problems []string) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i, c := range cuts {
		wg.Go(func() {
			store := c.machine.Open(t)
			v := verifier{store: store}
			for _, d := range c.owed {
				v.stream(d)
			}
			if err := store.Close(); err != nil {
				v.problem("close store: %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			found.Points++
			found.Appends += v.appends
			found.Open += v.open
			if c.machine.Lost() > 0 {
				found.Lossy++
			}
			for _, p := range v.problems {
				problems = append(problems, fmt.Sprintf("cut %d: %s", i, p))
			}
		})
		if i%4 == 3 {
			wg.Wait()
		}
	}
	wg.Wait()
	return problems
}
