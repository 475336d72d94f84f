package subject

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
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

// SyncTogether has writers write a record each gap, and one at a time sync what
// there is then. It returns how long each record waited to be on disk: in any log
// that syncs before it answers, and nothing else is at work.
func SyncTogether(dir string, record, writers int, gap, lasts time.Duration) (waited []time.Duration, err error) {
	f, err := os.CreateTemp(dir, "sync")
	if err != nil {
		return nil, fmt.Errorf("make file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	records, synced := make(chan time.Time, writers), make(chan error, 1)
	go func() { synced <- syncAll(f, record, records, &waited) }()
	var writing sync.WaitGroup
	for i := range writers {
		writing.Go(func() {
			time.Sleep(gap * time.Duration(i) / time.Duration(writers))
			pace := time.NewTicker(gap)
			defer pace.Stop()
			for range lasts / gap {
				<-pace.C
				records <- time.Now()
			}
		})
	}
	writing.Wait()
	close(records)
	return waited, <-synced
}

// syncAll writes a record for each time that comes, syncs all that have come, and
// adds how long ago their times are. It reads on if it fails.
func syncAll(f *os.File, size int, records <-chan time.Time, waited *[]time.Duration) (err error) {
	text := bytes.Repeat([]byte("x"), size)
	var came []time.Time
	for at := range records {
		if err != nil {
			continue
		}
		for came = append(came[:0], at); len(records) > 0; {
			came = append(came, <-records)
		}
		if _, err = f.Write(bytes.Repeat(text, len(came))); err == nil {
			err = unix.Fdatasync(int(f.Fd()))
		}
		for _, at := range came {
			*waited = append(*waited, time.Since(at))
		}
	}
	if err != nil {
		return fmt.Errorf("write and sync: %w", err)
	}
	return nil
}
