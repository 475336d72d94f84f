package redisstore

import (
	"fmt"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/redis/rueidis"
)

// What the first word of a reply may be.
const (
	replyFacts     = "facts"
	replyPage      = "page"
	replyGap       = "gap"
	replyJudged    = "judged"
	replyRefused   = "refused"
	replyFault     = "fault"
	replyOvertaken = "overtaken"
	replyPending   = "pending"
	replyDeleted   = "deleted"
)

// A reply is what a script has returned, read from front to back. Once reading
// has failed it gives zeros.
type reply struct {
	all, rest []rueidis.RedisMessage
	err       error
}

// newReply takes a list, or a single value as a list of one.
func newReply(result rueidis.RedisResult) (reply, error) {
	m, err := result.ToMessage()
	if err != nil && !rueidis.IsRedisNil(err) {
		return reply{}, fmt.Errorf("read reply: %w", err)
	}
	values := []rueidis.RedisMessage{m}
	if m.IsArray() {
		if values, err = m.ToArray(); err != nil {
			return reply{}, fmt.Errorf("read reply: %w", err)
		}
	}
	return reply{all: values, rest: values}, nil
}

// isPending reports whether another call has to be committed first.
func (r *reply) isPending() bool {
	word, err := r.all[0].ToString()
	return err == nil && word == replyPending
}

// hasPending reports whether the call itself has to be committed.
func (r *reply) hasPending() bool {
	n, err := r.all[len(r.all)-1].AsInt64()
	return len(r.all) > 1 && err == nil && n == 1
}

func (r *reply) next() (m rueidis.RedisMessage) {
	if len(r.rest) == 0 {
		r.fail()
		return m
	}
	m = r.rest[0]
	r.rest = r.rest[1:]
	return m
}

func (r *reply) fail() {
	if r.err == nil {
		r.err = fmt.Errorf("read reply of Redis: %w", errDamaged)
	}
}

// word returns a string, "" for none.
func (r *reply) word() string {
	m := r.next()
	if r.err != nil || m.IsNil() {
		return ""
	}
	s, err := m.ToString()
	if err != nil {
		r.fail()
	}
	return s
}

// int returns a number, 0 for none.
func (r *reply) int() int64 {
	m := r.next()
	if r.err != nil || m.IsNil() {
		return 0
	}
	n, err := m.AsInt64()
	if err != nil {
		r.fail()
	}
	return n
}

func (r *reply) time() (t time.Time) {
	if ms := r.int(); ms != 0 {
		t = time.UnixMilli(ms).UTC()
	}
	return t
}

func (r *reply) offset() freshet.Offset {
	o := freshet.Offset{Seq: uint64(r.int())}
	mark, err := parseMark(r.word())
	if err != nil {
		r.fail()
	}
	o.Mark = mark
	return o
}

// list returns a list inside, empty for none.
func (r *reply) list() reply {
	m := r.next()
	if r.err != nil || m.IsNil() {
		return reply{}
	}
	values, err := m.ToArray()
	if err != nil {
		r.fail()
	}
	return reply{all: values, rest: values}
}

func (r *reply) closure() *freshet.Closure {
	l := r.list()
	if len(l.rest) == 0 {
		return nil
	}
	c := &freshet.Closure{Closing: freshet.Closing{Reason: freshet.Reason(l.word()), Detail: []byte(l.word())}, At: l.time()}
	if id := l.word(); id != "" {
		c.By = &freshet.Producer{ID: id, Epoch: uint64(l.int()), Seq: uint64(l.int())}
	}
	if l.err != nil {
		r.err = l.err
	}
	return c
}

// facts reads what facts() of head.lua returns.
func (r *reply) facts(name string) (i freshet.Info, err error) {
	l := r.list()
	i.Name = name
	if i.Spec, err = decodeSpec(l.word(), l.word()); err != nil {
		return i, err
	}
	i.Created, i.Oldest, i.OldestAt, i.Tail = l.time(), l.offset(), l.time(), l.offset()
	i.Bytes, i.Appended, i.Touched, i.Closed = l.int(), l.time(), l.time(), l.closure()
	i.Lease, i.LeaseTerm, i.Watched = l.time(), time.Duration(l.int())*time.Millisecond, l.time()
	if m := l.next(); !m.IsNil() {
		if i.Meta, err = m.AsBytes(); err != nil {
			return i, fmt.Errorf("read meta: %w", err)
		}
	}
	if r.err == nil {
		r.err = l.err
	}
	return i, r.err
}
