package storetest

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// patience is for how long a test waits for what has to come.
const patience = 20 * time.Second

// An env is what one test works with: the stores that are open on one place.
// Its methods end the test where a call does not do what it has to; they may
// be called concurrently but for reopen.
type env struct {
	*testing.T
	subject Subject
	clock   *Clock
	open    func() freshet.Store
	stores  []freshet.Store
	turn    atomic.Uint64
}

func newEnv(t *testing.T, s Subject) *env {
	e := &env{T: t, subject: s, clock: newClock(s.RealTime)}
	e.open = s.New(t, e.clock)
	e.start()
	t.Cleanup(e.stop)
	return e
}

func (e *env) start() {
	e.stores = append(e.stores, e.open())
	if e.subject.Fleet {
		e.stores = append(e.stores, e.open())
	}
}

func (e *env) stop() {
	for _, s := range e.stores {
		if err := s.Close(); err != nil {
			e.Errorf("close store: %v", err)
		}
	}
	e.stores = nil
}

// reopen closes the stores and opens them again.
func (e *env) reopen() {
	e.stop()
	e.start()
}

// store returns an open store, another one at each call if there are several.
func (e *env) store() freshet.Store {
	return e.stores[e.turn.Add(1)%uint64(len(e.stores))]
}

func (e *env) create(name string, spec freshet.Spec) freshet.Info {
	e.Helper()
	info, created, err := e.store().Create(e.Context(), name, freshet.Creation{Spec: spec, Nonce: freshet.NewNonce()})
	if err != nil || !created {
		e.Fatalf("create %q: created %v, %v", name, created, err)
	}
	return info
}

// call makes one call with a nonce of its own.
func (e *env) call(name string, appends ...freshet.Append) []freshet.Result {
	e.Helper()
	return e.again(name, freshet.Call{Nonce: freshet.NewNonce(), Appends: appends})
}

func (e *env) again(name string, call freshet.Call) []freshet.Result {
	e.Helper()
	results, err := e.store().Append(e.Context(), name, call)
	if err != nil {
		e.Fatalf("append to %q: %v", name, err)
	}
	if len(results) != len(call.Appends) {
		e.Fatalf("append to %q: %d results of %d appends", name, len(results), len(call.Appends))
	}
	return results
}

// append makes one append that has to land now.
func (e *env) append(name string, a freshet.Append) freshet.Result {
	e.Helper()
	r := e.call(name, a)[0]
	if r.Err != nil || r.Duplicate {
		e.Fatalf("append to %q: %v, duplicate %v", name, r.Err, r.Duplicate)
	}
	return r
}

// refused makes one append that has to be refused with the error want.
func (e *env) refused(name string, a freshet.Append, want error) freshet.Result {
	e.Helper()
	r := e.call(name, a)[0]
	if !errors.Is(r.Err, want) {
		e.Fatalf("append to %q: %v, want %v", name, r.Err, want)
	}
	return r
}

func (e *env) info(name string) freshet.Info {
	e.Helper()
	info, err := e.store().Info(e.Context(), name)
	if err != nil {
		e.Fatalf("info of %q: %v", name, err)
	}
	return info
}

// page reads one page.
func (e *env) page(name string, from freshet.Offset, limit freshet.Limit) freshet.Page {
	e.Helper()
	page, err := e.store().Read(e.Context(), name, from, limit)
	if err != nil {
		e.Fatalf("read %q from %v: %v", name, from, err)
	}
	return page
}

// data reads everything after an offset, page by page.
func (e *env) data(name string, from freshet.Offset, limit freshet.Limit) (data []string) {
	e.Helper()
	for {
		page := e.page(name, from, limit)
		if len(page.Records) == 0 {
			return data
		}
		for _, r := range page.Records {
			data = append(data, string(r.Data))
		}
		from = page.Records[len(page.Records)-1].Offset
	}
}

// missing checks that the stream does not exist for any method.
func (e *env) missing(name string) {
	e.Helper()
	for method, err := range probe(e.Context(), e.store(), name) {
		if !errors.Is(err, freshet.ErrNotFound) {
			e.Errorf("%s of %q, which does not exist: %v", method, name, err)
		}
	}
	infos, err := e.store().List(e.Context(), name, "", 1)
	if err != nil || len(infos) > 0 && infos[0].Name == name {
		e.Errorf("list has %q, which does not exist; %v", name, err)
	}
}

// probe returns what each method that needs the stream says.
func probe(ctx context.Context, s freshet.Store, name string) map[string]error {
	_, info := s.Info(ctx, name)
	_, read := s.Read(ctx, name, freshet.Offset{}, freshet.Limit{})
	_, append := s.Append(ctx, name, freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{{Records: text("x")}}})
	return map[string]error{
		"info": info, "read": read, "append": append,
		"renew":  s.Renew(ctx, name, freshet.Renewal{Touch: true}),
		"delete": s.Delete(ctx, name),
	}
}

// sweep sweeps until nothing is due and checks how much was.
func (e *env) sweep(want int) {
	e.Helper()
	done, err := e.store().Sweep(e.Context(), 1000)
	if err != nil || done != want {
		e.Fatalf("sweep did %d, %v; want %d", done, err, want)
	}
}

// equal compares what came with what had to come.
func (e *env) equal(what string, got, want any) {
	e.Helper()
	if diff := cmp.Diff(want, got, equality()); diff != "" {
		e.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// equality takes nothing and empty for the same, errors by errors.Is, and bytes
// as a whole, which is quick.
func equality() cmp.Option {
	return cmp.Options{
		cmpopts.EquateEmpty(), cmpopts.EquateErrors(),
		cmp.FilterValues(func(a, b []byte) bool { return len(a) > 0 && len(b) > 0 }, cmp.Comparer(bytes.Equal)),
	}
}

func text(data ...string) []freshet.Record {
	records := make([]freshet.Record, len(data))
	for i, s := range data {
		records[i].Data = []byte(s)
	}
	return records
}

func producer(id string, epoch, seq uint64) *freshet.Producer {
	return &freshet.Producer{ID: id, Epoch: epoch, Seq: seq}
}

func closing(reason freshet.Reason) *freshet.Closing { return &freshet.Closing{Reason: reason} }
