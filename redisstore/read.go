package redisstore

import (
	"context"
	"fmt"
	"strconv"

	"github.com/freshet-stream/freshet"
)

// Read implements [freshet.Store].
func (s *Store) Read(ctx context.Context, name string, from freshet.Offset, limit freshet.Limit) (freshet.Page, error) {
	k := s.keys(name)
	r, err := s.step(ctx, s.client, s.scripts.read, []string{k.head, k.records}, s.time(),
		strconv.FormatUint(from.Seq, 10), markText(from.Mark), strconv.Itoa(limit.Records), strconv.Itoa(limit.Bytes))
	if err != nil {
		return freshet.Page{}, fmt.Errorf("read %q: %w", name, err)
	}
	switch r.word() {
	case replyPage:
		return r.page(name, from, limit)
	case replyGap:
		gap := &freshet.GapError{Why: r.word(), Oldest: r.offset(), Tail: r.offset()}
		if r.err != nil {
			return freshet.Page{}, r.err
		}
		return freshet.Page{}, gap
	}
	return freshet.Page{}, freshet.ErrNotFound
}

// page reads what read.lua returns. The first block may begin before the
// offset, and the last one go beyond the limit.
func (r *reply) page(name string, from freshet.Offset, limit freshet.Limit) (page freshet.Page, err error) {
	if page.Info, err = r.facts(name); err != nil {
		return page, err
	}
	size, full := 0, false
	take := func(record freshet.Record) bool {
		if record.Offset.Seq <= from.Seq {
			return true
		}
		if full = !limit.Takes(len(page.Records), size, record.Size()); full {
			return false
		}
		size += record.Size()
		page.Records = append(page.Records, record)
		return true
	}
	blocks := r.list()
	for len(blocks.rest) > 0 && blocks.err == nil && !full {
		if err := decodeBlock(uint64(blocks.int()), blocks.word(), blocks.word(), take); err != nil {
			return page, fmt.Errorf("read %q: %w", name, err)
		}
	}
	return page, blocks.err
}
