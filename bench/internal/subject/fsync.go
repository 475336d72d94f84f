package subject

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// openFsync opens a file to which records are written one by one, each followed
// by fdatasync(2): what a log without group commit can do.
func openFsync(spec Spec) (*Subject, error) {
	f, err := os.Create(filepath.Join(spec.Dir, "fsync"))
	if err != nil {
		return nil, err
	}
	record := bytes.Repeat([]byte("x"), spec.Record)
	work := func(d time.Duration) (n int, err error) {
		for until := time.Now().Add(d); time.Now().Before(until); n++ {
			if _, err := f.Write(record); err != nil {
				return n, err
			}
			if err := unix.Fdatasync(int(f.Fd())); err != nil {
				return n, fmt.Errorf("fdatasync: %w", err)
			}
		}
		return n, nil
	}
	return &Subject{Work: work, Close: f.Close}, nil
}
