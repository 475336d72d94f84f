package storetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/freshet-stream/freshet"
)

func creating() []clause {
	return []clause{
		{name: "Create/KeepsWhatItIsGiven", check: createKeepsWhatItIsGiven},
		{name: "Create/IsALock", check: createIsALock},
		{name: "Create/ReturnsAStreamThatExists", check: createReturnsAStreamThatExists},
		{name: "Create/AgainIsToldTrueAgain", check: createAgain},
		{name: "Create/WithAFirstAppendThatCloses(5)", check: createWithFirst},
		{name: "Create/RefusedFirstAppendCreatesNothing", check: createRefused},
		{name: "Create/AfterDeleteIsANewHistory(6)", check: createAfterDelete},
		{name: "Create/OverAnExpiredStream", check: createOverExpired},
		{name: "Create/ManyIncarnations", check: createManyIncarnations},
		{name: "Delete/LeavesNothing", check: deleteLeavesNothing},
		{name: "Missing/IsNotFoundForEveryMethod", check: func(e *env) { e.missing("nothing") }},
		{name: "Close/CallsAfterItFail", check: closeEndsCalls},
		{name: "Context/EndedOneIsHonoured", check: contextEnded},
	}
}

func createKeepsWhatItIsGiven(e *env) {
	spec := freshet.Spec{
		ContentType: "text/plain; charset=utf-8",
		Expires:     e.clock.Now().Add(48*time.Hour + 123456*time.Nanosecond).UTC(),
		Retain:      freshet.Retain{Records: 1 << 40, Bytes: 1 << 50, Age: 24 * time.Hour},
		KeepOpen:    7 * 24 * time.Hour,
		KeepClosed:  24 * time.Hour,
		Fork:        &freshet.Fork{Source: "other/stream", At: freshet.Offset{Seq: 7, Mark: 1<<63 | 9}},
	}
	meta := []byte("\x00meta\xff")
	before := e.clock.Now().UTC().Truncate(time.Millisecond)
	info, created, err := e.store().Create(e.Context(), "s", freshet.Creation{Spec: spec, Meta: meta, Nonce: freshet.NewNonce()})
	if err != nil || !created {
		e.Fatalf("create: %v, %v", created, err)
	}
	meta[0] = 'x' // what the store was given it may not hold on to
	e.equal("info", e.info("s"), info)
	e.equal("spec", info.Spec, spec)
	e.equal("meta", string(info.Meta), "\x00meta\xff")
	if info.Oldest.Seq != 0 || info.Oldest.Mark == 0 || info.Tail != info.Oldest || info.Name != "s" {
		e.Fatalf("the new stream is %+v", info)
	}
	if info.Created.Before(before) || !info.Appended.Equal(info.Created) || !info.Touched.Equal(info.Created) {
		e.Fatalf("created %v, appended %v, touched %v; it was %v", info.Created, info.Appended, info.Touched, before)
	}

	e.create("t", freshet.Spec{})
	e.equal("content type", e.info("t").Spec.ContentType, freshet.DefaultContentType)
	e.create("u", freshet.Spec{Expires: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)})
	e.equal("a late expiry", e.info("u").Spec.Expires.Year(), 9999)
}

func createIsALock(e *env) {
	for round := range 4 {
		var winners atomic.Int64
		var wg sync.WaitGroup
		marks := make([]freshet.Offset, 64)
		for i := range marks {
			s := e.store()
			wg.Go(func() {
				info, created, err := s.Create(e.Context(), "lock", freshet.Creation{Nonce: freshet.NewNonce()})
				if err != nil {
					e.Errorf("create: %v", err)
				}
				if created {
					winners.Add(1)
				}
				marks[i] = info.Oldest
			})
		}
		wg.Wait()
		if n := winners.Load(); n != 1 {
			e.Fatalf("round %d: %d callers were told that they created the stream", round, n)
		}
		for _, m := range marks {
			e.equal("the incarnation that a caller was told", m, marks[0])
		}
		if err := e.store().Delete(e.Context(), "lock"); err != nil {
			e.Fatalf("delete: %v", err)
		}
	}
}

func createReturnsAStreamThatExists(e *env) {
	e.create("s", freshet.Spec{ContentType: "text/plain"})
	e.append("s", freshet.Append{Records: text("a")})
	want := e.info("s")
	got, created, err := e.store().Create(e.Context(), "s", freshet.Creation{
		Spec: freshet.Spec{ContentType: "application/json"}, Meta: []byte("m"),
		Nonce: freshet.NewNonce(), First: &freshet.Append{Records: text("b")},
	})
	if err != nil || created {
		e.Fatalf("create over a stream: %v, %v", created, err)
	}
	e.equal("info", got, want)
	e.equal("data", e.data("s", freshet.Offset{}, freshet.Limit{}), []string{"a"})
}

func createAgain(e *env) {
	c := freshet.Creation{Nonce: freshet.NewNonce(), First: &freshet.Append{Records: text("a")}}
	for try := range 3 {
		_, created, err := e.store().Create(e.Context(), "s", c)
		if err != nil || !created {
			e.Fatalf("try %d: created %v, %v", try, created, err)
		}
		if try == 1 { // the caller need not be the last one to have written
			e.append("s", freshet.Append{Records: text("b")})
		}
	}
	e.equal("data", e.data("s", freshet.Offset{}, freshet.Limit{}), []string{"a", "b"})
}

func createWithFirst(e *env) {
	detail := []byte("why")
	info, created, err := e.store().Create(e.Context(), "s", freshet.Creation{Nonce: freshet.NewNonce(), First: &freshet.Append{
		Records: text("a", "b"), Producer: producer("p", 3, 0),
		Close: &freshet.Closing{Reason: freshet.Failed, Detail: detail},
	}})
	if err != nil || !created {
		e.Fatalf("create: %v, %v", created, err)
	}
	detail[0] = 'x'
	e.equal("info", e.info("s"), info)
	if c := info.Closed; c == nil || c.Reason != freshet.Failed || string(c.Detail) != "why" || *c.By != *producer("p", 3, 0) {
		e.Fatalf("closed %+v", c)
	}
	if info.Tail.Seq != 2 || info.Bytes != 2 {
		e.Fatalf("tail %v, %d bytes", info.Tail, info.Bytes)
	}
	e.equal("data", e.data("s", freshet.Offset{}, freshet.Limit{}), []string{"a", "b"})
	e.refused("s", freshet.Append{Records: text("c")}, freshet.ErrClosed)
}

func createRefused(e *env) {
	for name, c := range map[string]struct {
		first freshet.Append
		want  error
	}{
		"type":     {freshet.Append{Records: text("a"), ContentType: "text/plain"}, freshet.ErrTypeMismatch},
		"producer": {freshet.Append{Records: text("a"), Producer: producer("p", 0, 1)}, freshet.ErrSequence},
	} {
		_, created, err := e.store().Create(e.Context(), name, freshet.Creation{Nonce: freshet.NewNonce(), First: &c.first})
		if created || !errors.Is(err, c.want) {
			e.Errorf("%s: created %v, %v; want %v", name, created, err, c.want)
		}
		e.missing(name)
	}
}

func createAfterDelete(e *env) {
	e.create("s", freshet.Spec{ContentType: "text/plain"})
	old := e.append("s", freshet.Append{Records: text("a", "b"), Producer: producer("p", 0, 0), StreamSeq: "9", Meta: []byte("m")})
	begin := e.info("s").Oldest
	if err := e.store().Delete(e.Context(), "s"); err != nil {
		e.Fatalf("delete: %v", err)
	}
	e.missing("s")
	info := e.create("s", freshet.Spec{})
	if info.Oldest == begin || info.Spec.ContentType != freshet.DefaultContentType || info.Meta != nil || info.Bytes != 0 {
		e.Fatalf("the new stream has something of the old one: %+v", info)
	}
	e.equal("data", e.data("s", freshet.Offset{}, freshet.Limit{}), []string(nil))
	e.append("s", freshet.Append{Records: text("c", "d", "e"), Producer: producer("p", 0, 0), StreamSeq: "1"})
	for _, from := range []freshet.Offset{begin, old.Tail} {
		e.gap("s", from, freshet.GapDiverged)
	}
}

func createOverExpired(e *env) {
	unit := e.clock.unit()
	e.create("s", freshet.Spec{TTL: unit})
	old := e.append("s", freshet.Append{Records: text("a"), Producer: producer("p", 0, 0)})
	e.clock.Advance(unit)
	e.missing("s")
	e.create("s", freshet.Spec{})
	e.append("s", freshet.Append{Records: text("b"), Producer: producer("p", 0, 0)})
	e.gap("s", old.Tail, freshet.GapDiverged)
	e.sweep(0)
	e.equal("data", e.data("s", freshet.Offset{}, freshet.Limit{}), []string{"b"})
}

func createManyIncarnations(e *env) {
	var olds []freshet.Offset
	for range 50 {
		info := e.create("s", freshet.Spec{})
		if len(e.data("s", freshet.Offset{}, freshet.Limit{})) > 0 {
			e.Fatalf("a new stream has records")
		}
		for _, old := range olds {
			if _, err := e.store().Read(e.Context(), "s", old, freshet.Limit{}); !errors.Is(err, freshet.ErrGap) {
				e.Fatalf("read from a former incarnation: %v", err)
			}
		}
		olds = append(olds, info.Oldest, e.append("s", freshet.Append{Records: text("a"), Producer: producer("p", 0, 0)}).Tail)
		if err := e.store().Delete(e.Context(), "s"); err != nil {
			e.Fatalf("delete: %v", err)
		}
	}
}

func deleteLeavesNothing(e *env) {
	e.create("s", freshet.Spec{KeepOpen: e.clock.unit()})
	e.create("s/t", freshet.Spec{})
	e.append("s", freshet.Append{Records: text("a"), Lease: e.clock.unit()})
	e.append("s/t", freshet.Append{Records: text("b")})
	if err := e.store().Delete(e.Context(), "s"); err != nil {
		e.Fatalf("delete: %v", err)
	}
	e.missing("s")
	e.equal("data beside it", e.data("s/t", freshet.Offset{}, freshet.Limit{}), []string{"b"})
	e.clock.Advance(2 * e.clock.unit())
	e.sweep(0)
}

func closeEndsCalls(e *env) {
	e.create("s", freshet.Spec{})
	stores := e.stores
	e.stop()
	for _, s := range stores {
		for method, err := range probe(context.Background(), s, "s") {
			if err == nil {
				e.Errorf("%s of a closed store succeeds", method)
			}
		}
		if _, _, err := s.Create(context.Background(), "t", freshet.Creation{Nonce: freshet.NewNonce()}); err == nil {
			e.Errorf("create in a closed store succeeds")
		}
	}
}

func contextEnded(e *env) {
	e.create("s", freshet.Spec{})
	ctx, cancel := context.WithCancel(e.Context())
	cancel()
	for method, err := range probe(ctx, e.store(), "s") {
		if !errors.Is(err, context.Canceled) {
			e.Errorf("%s: %v, want the context's error", method, err)
		}
	}
}
