package subject

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"log"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// quiet is a logger for a database that has nothing to say.
type quiet struct{ *log.Logger }

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}

// openPebble opens a database, with memory as pebblestore gives it, in which
// several set one new key after the other, each durably.
func openPebble(spec Spec) (*Subject, error) {
	db, err := pebble.Open(filepath.Join(spec.Dir, "pebble"), &pebble.Options{
		Logger:                      quiet{log.New(io.Discard, "", 0)},
		FormatMajorVersion:          pebble.FormatNewest,
		MemTableSize:                64 << 20,
		MemTableStopWritesThreshold: 3,
		WALBytesPerSync:             512 << 10,
	})
	if err != nil {
		return nil, err
	}
	var last atomic.Uint64
	record := bytes.Repeat([]byte("x"), spec.Record)
	work := func(d time.Duration) (int, error) {
		var sets atomic.Int64
		var failed error
		var once sync.Once
		var writers sync.WaitGroup
		until := time.Now().Add(d)
		for range spec.Writers {
			writers.Go(func() {
				for time.Now().Before(until) {
					key := binary.BigEndian.AppendUint64(nil, last.Add(1))
					if err := db.Set(key, record, pebble.Sync); err != nil {
						once.Do(func() { failed = err })
						return
					}
					sets.Add(1)
				}
			})
		}
		writers.Wait()
		return int(sets.Load()), failed
	}
	return &Subject{Work: work, Close: func() error { return errors.Join(db.Close()) }}, nil
}
