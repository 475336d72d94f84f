package subject

import (
	"bytes"
	"context"
	"errors"
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

// SyncAtPace writes a record each gap, or as soon as it can, and syncs it. It
// returns how long each took: what a disk that is busy no more than so adds to what
// has to be on it.
func SyncAtPace(ctx context.Context, dir string, record int, gap, lasts time.Duration) (took []time.Duration, err error) {
	f, err := os.CreateTemp(dir, "pace")
	if err != nil {
		return nil, fmt.Errorf("make file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	text := bytes.Repeat([]byte("x"), record)
	begun := time.Now()
	for at := begun; at.Sub(begun) < lasts && ctx.Err() == nil; at = at.Add(gap) {
		time.Sleep(time.Until(at))
		start := time.Now()
		if start.Sub(begun) >= lasts {
			break
		}
		if _, err := f.Write(text); err != nil {
			return took, err
		}
		if err := unix.Fdatasync(int(f.Fd())); err != nil {
			return took, fmt.Errorf("fdatasync: %w", err)
		}
		took = append(took, time.Since(start))
	}
	return took, ctx.Err()
}
