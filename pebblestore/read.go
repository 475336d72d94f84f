package pebblestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/freshet-stream/freshet"
)

// errMissing says that the database does not have the records that a sight
// promises: they were cleared away meanwhile.
var errMissing = errors.New("records are missing")

// Read implements [freshet.Store].
func (s *Store) Read(ctx context.Context, name string, from freshet.Offset, limit freshet.Limit) (freshet.Page, error) {
	st, err := s.acquire(ctx, name)
	if err != nil {
		return freshet.Page{}, err
	}
	defer s.cache.release(st)
	for {
		seen, err := st.view(ctx)
		if err != nil {
			return freshet.Page{}, err
		}
		if !seen.exists(s.now()) {
			return freshet.Page{}, freshet.ErrNotFound
		}
		page, err := s.readPage(seen, from, limit)
		if errors.Is(err, errMissing) && st.seen.Load() != seen {
			continue
		}
		if err != nil && !errors.Is(err, freshet.ErrGap) {
			err = fmt.Errorf("read stream %q: %w", name, err)
		}
		return page, err
	}
}

// readPage reads no further than what is published, with one seek.
func (s *Store) readPage(seen *sight, from freshet.Offset, limit freshet.Limit) (freshet.Page, error) {
	page := freshet.Page{Info: seen.info}
	r := pageReader{store: s, seen: seen}
	defer r.close()
	from, err := seen.info.Locate(from, r.mark)
	if err != nil || from.Seq == seen.info.Tail.Seq {
		return page, err
	}
	if r.it == nil {
		err = r.seek(from.Seq + 1)
	}
	size := 0
	for err == nil && !r.full {
		page.Records, size, err = r.take(page.Records, size, limit)
	}
	return page, err
}

// A pageReader reads the records of one incarnation, from the one that it was
// sought to up to the tail.
type pageReader struct {
	store *Store
	seen  *sight
	it    *pebble.Iterator
	next  uint64 // the number of the next record to take
	full  bool
	typ   string // the last type, which is mostly that of the next record too
}

func (r *pageReader) close() {
	if r.it != nil {
		_ = r.it.Close() // what it met was returned when it stood there
	}
}

// seek moves to the block that has the record seq.
func (r *pageReader) seek(seq uint64) (err error) {
	r.it, err = r.store.db.NewIter(&pebble.IterOptions{LowerBound: recordKey(r.seen.inc, seq), UpperBound: incarnationKey(r.seen.inc + 1)})
	if err != nil {
		return err
	}
	r.next = seq
	if !r.it.First() {
		return errors.Join(r.it.Error(), errMissing)
	}
	return nil
}

// mark returns the mark of the record seq, after which the page starts.
func (r *pageReader) mark(seq uint64) (freshet.Mark, error) {
	if err := r.seek(seq); err != nil {
		return 0, err
	}
	b, err := r.block()
	if err != nil {
		return 0, err
	}
	for b.left > 0 {
		raw, err := b.next()
		if err != nil {
			return 0, err
		}
		if raw.offset.Seq == seq {
			r.next = seq + 1
			return raw.offset.Mark, nil
		}
	}
	return 0, errMissing
}

func (r *pageReader) block() (blockReader, error) {
	value, err := r.it.ValueAndErr()
	if err != nil {
		return blockReader{}, err
	}
	return readBlock(value, recordKeySeq(r.it.Key()))
}

// take takes what the limit lets it of the block that the iterator stands on,
// copied in one piece, and moves on to the next block.
func (r *pageReader) take(records []freshet.Record, size int, limit freshet.Limit) ([]freshet.Record, int, error) {
	b, err := r.block()
	if err != nil {
		return records, size, err
	}
	first, end, n := b, b, 0
	for scan := b; scan.left > 0 && !r.full; {
		raw, err := scan.next()
		switch {
		case err != nil:
			return records, size, err
		case raw.offset.Seq < r.next:
			first, end = scan, scan
		case raw.offset.Seq > r.next:
			return records, size, errMissing
		case !limit.Takes(len(records)+n, size, raw.size()):
			r.full = true
		default:
			end, size, n = scan, size+raw.size(), n+1
			r.next++
			r.full = raw.offset.Seq == r.seen.info.Tail.Seq
		}
	}
	records, err = r.copy(records, first, n, len(first.rest)-len(end.rest))
	if err != nil || r.full {
		return records, size, err
	}
	if !r.it.Next() {
		return records, size, errors.Join(r.it.Error(), errMissing)
	}
	return records, size, nil
}

// copy appends the next n records of a block, which take size bytes of it.
func (r *pageReader) copy(records []freshet.Record, b blockReader, n, size int) ([]freshet.Record, error) {
	b.rest = bytes.Clone(b.rest[:size])
	for range n {
		raw, err := b.next()
		if err != nil {
			return records, err
		}
		if string(raw.typ) != r.typ {
			r.typ = string(raw.typ)
		}
		records = append(records, freshet.Record{Offset: raw.offset, Type: r.typ, ID: string(raw.name), Data: raw.data})
	}
	return records, nil
}
