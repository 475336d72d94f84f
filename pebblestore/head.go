package pebblestore

import (
	"encoding/binary"
	"time"

	"github.com/freshet-stream/freshet"
)

// headVersion is the first byte of a head.
const headVersion = 1

// A head is what is written anew with each call.
type head struct {
	// gone says that the stream was deleted, and only has to be cleared away.
	gone bool
	// listed is under which time the stream stands among the deadlines, zero
	// if it does not. It is never after the true deadline.
	listed time.Time
	// freed is up to which number the records that were given up are gone from
	// the database, and dead the size of those that are not.
	freed uint64
	dead  int64
}

const (
	headGone = 1 << iota
	headClosed
	headResults
	headRetains
)

func appendHead(dst []byte, h head, s *freshet.State) []byte {
	info := &s.Info
	var flags byte
	if h.gone {
		flags |= headGone
	}
	if info.Closed != nil {
		flags |= headClosed
	}
	if s.LastResults != nil {
		flags |= headResults
	}
	if !info.Spec.Retain.IsNone() {
		flags |= headRetains
	}
	dst = append(dst, headVersion, flags)
	dst = appendTime(dst, h.listed)
	dst = appendOffset(dst, info.Oldest)
	dst = appendOffset(dst, info.Tail)
	dst = binary.AppendUvarint(dst, uint64(info.Bytes))
	dst = appendTime(dst, info.Appended)
	dst = appendTime(dst, info.Touched)
	dst = appendTime(dst, info.Lease)
	dst = binary.AppendUvarint(dst, uint64(info.LeaseTerm))
	dst = appendTime(dst, info.Watched)
	dst = appendBytes(dst, s.StreamSeq)
	if info.Closed != nil {
		dst = appendClosure(dst, info.Closed)
	}
	if s.LastResults != nil {
		dst = append(dst, s.LastNonce[:]...)
		dst = appendResults(dst, s.LastResults)
	}
	if flags&headRetains != 0 {
		dst = appendTime(dst, info.OldestAt)
		dst = binary.AppendUvarint(dst, h.freed)
		dst = binary.AppendUvarint(dst, uint64(h.dead))
	}
	return dst
}

// decodeHead is the inverse of appendHead. It sets the fields of s, whose name
// is known.
func decodeHead(value []byte, s *freshet.State) (head, error) {
	d := decoder{rest: value}
	if v := d.byte(); v != headVersion {
		return head{}, errDamaged
	}
	flags := d.byte()
	h := head{gone: flags&headGone != 0, listed: d.time()}
	info := &s.Info
	info.Oldest, info.Tail = d.offset(), d.offset()
	info.Bytes = int64(d.uint())
	info.Appended, info.Touched, info.Lease = d.time(), d.time(), d.time()
	info.LeaseTerm = d.duration()
	info.Watched = d.time()
	s.StreamSeq = d.string()
	if flags&headClosed != 0 {
		info.Closed = d.closure()
	}
	if flags&headResults != 0 {
		copy(s.LastNonce[:], d.take(uint64(len(s.LastNonce))))
		s.LastResults = d.results(info.Closed)
	}
	if flags&headRetains != 0 {
		info.OldestAt = d.time()
		h.freed, h.dead = d.uint(), int64(d.uint())
	}
	if d.failed {
		return head{}, errDamaged
	}
	return h, nil
}

func appendClosure(dst []byte, c *freshet.Closure) []byte {
	dst = appendBytes(dst, string(c.Reason))
	dst = appendBytes(dst, c.Detail)
	dst = appendTime(dst, c.At)
	if c.By == nil {
		return append(dst, 0)
	}
	dst = append(dst, 1)
	dst = appendBytes(dst, c.By.ID)
	dst = binary.AppendUvarint(dst, c.By.Epoch)
	return binary.AppendUvarint(dst, c.By.Seq)
}

func (d *decoder) closure() *freshet.Closure {
	c := &freshet.Closure{Closing: freshet.Closing{Reason: freshet.Reason(d.string()), Detail: d.clone()}, At: d.time()}
	if d.byte() == 1 {
		c.By = &freshet.Producer{ID: d.string(), Epoch: d.uint(), Seq: d.uint()}
	}
	return c
}
