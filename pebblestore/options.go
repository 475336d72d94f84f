package pebblestore

import (
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options configure a [Store]. The zero value works.
type Options struct {
	// FS is where the directory is. Nil is the operating system's.
	FS vfs.FS
	// Now tells the time. Nil is [time.Now].
	Now func() time.Time
	// Logger gets what the database has to say. Nil is [slog.Default].
	Logger *slog.Logger
	// CacheBytes bounds the memory for blocks read from disk. 0 is 64 MiB.
	CacheBytes int64
	// MemTableBytes is how much is written to memory before it goes to a file
	// of its own; three times as much may be in use. 0 is 64 MiB.
	MemTableBytes uint64
	// Streams is how many idle streams keep their state in memory. 0 is 4096.
	Streams int
	// OpenFiles bounds the descriptors for data files. 0 is 1000.
	OpenFiles int
	// OnFatal is called, once, when the database cannot go on: after a failed
	// fsync, when the disk is full, when data is corrupt. Nil logs the error
	// and ends the process with status 1, which is the right thing for a
	// server: started again, it has all that was acknowledged, and nothing
	// else is certain. If a function is given and returns, calls that were
	// writing return [freshet.ErrUncertain], all later ones
	// [freshet.ErrUnavailable], and Close leaves the database open; goroutines
	// and the lock of the directory are then held until the process ends.
	OnFatal func(error)

	// unsafe gives up the guarantee of the package, so that its tests can show
	// that they would notice.
	unsafe bool
}

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.CacheBytes <= 0 {
		o.CacheBytes = 64 << 20
	}
	if o.MemTableBytes <= 0 {
		o.MemTableBytes = 64 << 20
	}
	if o.Streams <= 0 {
		o.Streams = 4096
	}
	if o.OpenFiles <= 0 {
		o.OpenFiles = 1000
	}
	return o
}

// engine returns the options of the database: few large memtables, since a log
// is mostly written and its newest part read from the windows of servers; and
// a flush soon after a deletion, since its space comes back only then.
func (o Options) engine(lock *pebble.Lock, logger pebble.Logger) *pebble.Options {
	return &pebble.Options{
		FS:                          o.FS,
		Lock:                        lock,
		Logger:                      logger,
		FormatMajorVersion:          pebble.FormatNewest,
		CacheSize:                   o.CacheBytes,
		MemTableSize:                o.MemTableBytes,
		MemTableStopWritesThreshold: 3,
		MaxOpenFiles:                o.OpenFiles,
		L0CompactionThreshold:       2,
		L0StopWritesThreshold:       1000,
		LBaseMaxBytes:               int64(o.MemTableBytes),
		FlushDelayDeleteRange:       10 * time.Second,
		WALBytesPerSync:             512 << 10,
	}
}
