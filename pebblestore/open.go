package pebblestore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// format is the version of the keys and values. A store of another one is not
// opened.
const format = 1

// Open opens the store in a directory, which is made if it does not exist. One
// process at a time can have it open. Whoever opens a store closes it.
func Open(dir string, opts Options) (*Store, error) {
	opts = opts.withDefaults()
	if err := opts.FS.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make store directory: %w", err)
	}
	lock, err := pebble.LockDirectory(dir, opts.FS)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("lock store %s: %w", dir, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open store %s: another freshet has it open; give each its own directory, or a store that servers can share (%w)", dir, err)
	}
	s := &Store{
		lock: lock, dir: dir, now: opts.Now, log: opts.Logger,
		fatal: newFatality(dir, opts), durable: &pebble.WriteOptions{Sync: !opts.unsafe},
		cache: newCache(opts.Streams), committers: newCommitters(),
	}
	s.db, err = pebble.Open(dir, opts.engine(lock, logger{s.fatal}))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", dir, err), lock.Close())
	}
	if err := s.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", dir, err), s.Close())
	}
	return s, nil
}

// start checks the format and reserves incarnation numbers.
func (s *Store) start() error {
	next := uint64(1)
	value, closer, err := s.db.Get([]byte{keyFormat})
	switch {
	case errors.Is(err, pebble.ErrNotFound):
		if err := s.isNew(); err != nil {
			return err
		}
	case err != nil:
		return fmt.Errorf("read format: %w", err)
	default:
		defer closer.Close()
		d := decoder{rest: value}
		if v := d.byte(); v != format {
			return fmt.Errorf("it has the format %d and this freshet reads %d; use the freshet that wrote it", v, format)
		}
		if next = d.uint(); d.failed {
			return errors.New("read format: it is damaged")
		}
	}
	s.incs.last.Store(next)
	value = binary.AppendUvarint([]byte{format}, next+reserved)
	if err := s.db.Set([]byte{keyFormat}, value, pebble.Sync); err != nil {
		return fmt.Errorf("write format: %w", err)
	}
	return nil
}

// isNew returns an error if the database has something else in it.
func (s *Store) isNew() error {
	it, err := s.db.NewIter(nil)
	if err != nil {
		return fmt.Errorf("read database: %w", err)
	}
	if it.First() {
		err = errors.New("it is a Pebble database, but not one of freshet's")
	}
	return errors.Join(err, it.Close())
}

// reserved is how many incarnation numbers are set aside when a store is
// opened, so that giving one out writes nothing: 2^40, more than one process
// ever creates, for 2^24 times of opening.
const reserved = 1 << 40

// incarnations gives out the numbers of incarnations. No number is given out
// twice in the life of a store.
type incarnations struct{ last atomic.Uint64 }

func (i *incarnations) next() uint64 { return i.last.Add(1) }
