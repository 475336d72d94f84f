package pebblestore

import (
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/freshet-stream/freshet"
)

// A fatality is the end of a database that cannot go on.
type fatality struct {
	dir      string
	log      *slog.Logger
	onFatal  func(error)
	once     sync.Once
	err      error // written before happened is closed
	happened chan struct{}
}

func newFatality(dir string, opts Options) *fatality {
	return &fatality{dir: dir, log: opts.Logger, onFatal: opts.OnFatal, happened: make(chan struct{})}
}

// cause returns nil, or after the end an error that says so.
func (f *fatality) cause() error {
	select {
	case <-f.happened:
		return freshet.ErrUnavailable.With("the store %s has failed and has to be opened again: %v", f.dir, f.err)
	default:
		return nil
	}
}

// end ends the database. It does not return: Pebble must not go on from where
// it met the error.
func (f *fatality) end(err error) {
	f.once.Do(func() {
		f.err = err
		f.log.Error("The store cannot go on. What was acknowledged is safe; free the disk or repair it, and start again.", "dir", f.dir, "error", err)
		if f.onFatal == nil {
			os.Exit(1)
		}
		close(f.happened)
		f.onFatal(err)
	})
	select {}
}

// A logger passes on what Pebble says. It is a [pebble.Logger].
type logger struct{ fatal *fatality }

var _ pebble.Logger = logger{}

func (l logger) Infof(format string, args ...any) {
	l.fatal.log.Debug(fmt.Sprintf(format, args...), "dir", l.fatal.dir)
}

func (l logger) Errorf(format string, args ...any) {
	l.fatal.log.Error(fmt.Sprintf(format, args...), "dir", l.fatal.dir)
}

func (l logger) Fatalf(format string, args ...any) {
	l.fatal.end(fmt.Errorf(format, args...))
}
