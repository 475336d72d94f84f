package redisstore

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/freshet-stream/freshet"
	"github.com/redis/rueidis"
)

// The bits of an append's first argument; see judge.lua.
const (
	argMedia = 1 << iota
	argProducer
	argCounts
	argStreamSeq
	argExpect
	argClose
	argLease
	argMeta
)

// Create implements [freshet.Store].
func (s *Store) Create(ctx context.Context, name string, c freshet.Creation) (freshet.Info, bool, error) {
	k, nonce := s.keys(name), hex.EncodeToString(c.Nonce[:])
	args := []string{s.time(), name, k.channel, nonce, flag(s.opts.Replicas > 0), markText(freshet.NewMark())}
	args, err := appendSpec(args, &c.Spec)
	if err != nil {
		return freshet.Info{}, false, fmt.Errorf("create %q: %w", name, err)
	}
	args = appendOptional(args, c.Meta)
	if c.First == nil {
		args = append(args, "0")
	} else {
		args = appendAppend(append(args, "1"), c.First)
	}
	r, err := s.judged(ctx, s.scripts.create, k, name, nonce, args)
	if err != nil {
		return freshet.Info{}, false, fmt.Errorf("create %q: %w", name, err)
	}
	if r.word() == replyRefused {
		result, _, err := decodeResult(r.word())
		if err == nil {
			err = result.Err
		}
		return freshet.Info{}, false, err
	}
	created := r.int() == 1
	info, err := r.facts(name)
	return info, created, err
}

// Append implements [freshet.Store].
func (s *Store) Append(ctx context.Context, name string, call freshet.Call) ([]freshet.Result, error) {
	k, nonce := s.keys(name), hex.EncodeToString(call.Nonce[:])
	const try = 4 // where the arguments have the number of the try
	args := []string{
		name, k.channel, nonce, s.writer, "",
		flag(call.Retry), strconv.FormatUint(call.Tail.Seq, 10), markText(call.Tail.Mark), strconv.Itoa(len(call.Appends)),
	}
	for i := range call.Appends {
		args = appendAppend(args, &call.Appends[i])
	}
	for {
		args[try] = strconv.FormatUint(s.tries.Add(1), 10)
		r, err := s.appendOnce(ctx, k, name, nonce, args)
		if err != nil {
			return nil, fmt.Errorf("append to %q: %w", name, err)
		}
		switch r.word() {
		case replyJudged:
			results := r.results(&call)
			return results, r.err
		case replyOvertaken: // by a call that was made at the same time
		case replyFault:
			return nil, fmt.Errorf("append to %q: %w", name, freshet.ErrUnavailable.With("Redis says: %s", r.word()))
		default:
			return nil, freshet.ErrNotFound
		}
	}
}

// appendOnce makes one try of a call.
func (s *Store) appendOnce(ctx context.Context, k keys, name, nonce string, args []string) (reply, error) {
	if s.opts.Replicas > 0 {
		return s.judged(ctx, s.scripts.awaited, k, name, nonce, append([]string{s.time()}, args...))
	}
	r, err := s.flights.board(ctx, k, args)
	for err == nil && r.isPending() { // of a server that waits for replicas
		_, pending := r.word(), r.word()
		if err = s.commit(ctx, s.client, k, name, pending); err == nil {
			r, err = s.flights.board(ctx, k, args)
		}
	}
	return r, err
}

// appendAppend writes the arguments that say what an append is.
func appendAppend(args []string, a *freshet.Append) []string {
	flags, first := 0, len(args)
	args = append(args, "")
	if a.ContentType != "" {
		flags |= argMedia
		args = append(args, freshet.MediaType(a.ContentType))
	}
	if p := a.Producer; p != nil {
		flags |= argProducer
		args = append(args, p.ID, strconv.FormatUint(p.Epoch, 10), strconv.FormatUint(p.Seq, 10))
	}
	if a.PerRecord {
		flags |= argCounts
	}
	if a.StreamSeq != "" {
		flags |= argStreamSeq
		args = append(args, a.StreamSeq)
	}
	if a.Expect != nil {
		flags |= argExpect
		args = append(args, strconv.FormatUint(a.Expect.Seq, 10), markText(a.Expect.Mark))
	}
	if a.Close != nil {
		flags |= argClose
		reason := a.Close.Reason
		if reason == "" {
			reason = freshet.Completed
		}
		args = append(args, string(reason), rueidis.BinaryString(a.Close.Detail))
	}
	if a.Lease > 0 {
		flags |= argLease
		args = append(args, milliseconds(a.Lease))
	}
	if a.Meta != nil {
		flags |= argMeta
		args = append(args, rueidis.BinaryString(a.Meta))
	}
	args[first] = strconv.Itoa(flags)
	return appendBlocks(args, a)
}

func appendBlocks(args []string, a *freshet.Append) []string {
	count, blocks := len(args), 0
	args = append(args, "")
	for rest := a.Records; len(rest) > 0; blocks++ {
		var sizes *strings.Builder
		if a.PerRecord {
			sizes = &strings.Builder{}
		}
		b := cutBlock(rest, sizes)
		args = append(args, strconv.Itoa(b.records), strconv.Itoa(b.bytes), rueidis.BinaryString(b.data))
		if a.PerRecord {
			args = append(args, sizes.String())
		}
		rest = rest[b.records:]
	}
	args[count] = strconv.Itoa(blocks)
	return args
}

// appendOptional writes whether there is a value, and the value.
func appendOptional(args []string, v []byte) []string {
	if v == nil {
		return append(args, "0")
	}
	return append(args, "1", rueidis.BinaryString(v))
}

func markText(m freshet.Mark) string { return fmt.Sprintf("%016x", uint64(m)) }
