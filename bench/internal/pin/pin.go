// Package pin puts processes on one core each (sched_setaffinity(2)), so that
// what is measured and what puts load on it do not share one.
package pin

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// pinned is the environment variable that says that Self has done its work.
const pinned = "FRESHET_BENCH_PINNED"

// Cores are where the two sides of a benchmark run.
type Cores struct{ Server, Load int }

// Two reports whether the sides have a core each.
func (c Cores) Two() bool { return c.Server != c.Load }

// Self returns the cores of the benchmarks and sees to it that this process,
// all of its threads, runs on that of the load: by starting it anew if need be.
// With one core there is nothing to choose.
func Self() (Cores, error) {
	var cores Cores
	if n, _ := fmt.Sscanf(os.Getenv(pinned), "%d,%d", &cores.Server, &cores.Load); n == 2 {
		return cores, nil
	}
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return cores, fmt.Errorf("get the cores of this process: %w", err)
	}
	var found []int
	for core := 0; len(found) < 2 && core < 64*len(set); core++ {
		if set.IsSet(core) {
			found = append(found, core)
		}
	}
	if len(found) < 2 {
		return Cores{found[0], found[0]}, nil
	}
	cores = Cores{found[0], found[1]}
	self, err := os.Executable()
	if err != nil {
		return cores, fmt.Errorf("find this program: %w", err)
	}
	runtime.LockOSThread()
	if err := set1(cores.Load); err != nil {
		return cores, err
	}
	env := append(os.Environ(), fmt.Sprintf("%s=%d,%d", pinned, cores.Server, cores.Load))
	return cores, fmt.Errorf("start anew: %w", syscall.Exec(self, os.Args, env))
}

// Start starts a command on the core of the server. What it starts inherits
// that, and Go's runtime there sees one core.
func (c Cores) Start(cmd *exec.Cmd) error {
	if !c.Two() {
		return cmd.Start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := set1(c.Server); err != nil {
		return err
	}
	err := cmd.Start()
	if back := set1(c.Load); back != nil && err == nil {
		err = back
	}
	return err
}

// set1 puts the calling thread on one core.
func set1(core int) error {
	var set unix.CPUSet
	set.Set(core)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("pin to core %d: %w", core, err)
	}
	return nil
}
