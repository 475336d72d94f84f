package child

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"
)

// Usage is what a process has used.
type Usage struct {
	// CPU is the time in user and kernel mode (getrusage(2)).
	CPU time.Duration
	// RSS is the resident memory, Heap what is allocated on the heap and Stack
	// that of goroutines, in bytes. They are measured when asked to settle.
	RSS, Heap, Stack int64
}

// usage measures this process. To settle is to collect garbage first and to
// give back what is free.
func usage(settle bool) (u Usage, err error) {
	if settle {
		runtime.GC()
		debug.FreeOSMemory()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		u.Heap, u.Stack = int64(m.HeapAlloc), int64(m.StackInuse)
		if u.RSS, err = resident(); err != nil {
			return u, err
		}
	}
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return u, fmt.Errorf("get usage: %w", err)
	}
	u.CPU = time.Duration(r.Utime.Nano() + r.Stime.Nano())
	return u, nil
}

// resident reads the resident memory from /proc (proc(5)).
func resident() (int64, error) {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, fmt.Errorf("read resident memory: %w", err)
	}
	fields := bytes.Fields(b)
	if len(fields) < 2 {
		return 0, fmt.Errorf("read resident memory: %q", b)
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize()), err
}
