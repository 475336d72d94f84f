package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// checkModel makes random calls to a store and to the model, and compares what
// they answer. A store that tells the real time is not given deadlines, and
// its times are not compared.
func checkModel(t *testing.T, subject Subject) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t, subject)
		defer m.stop()
		actions := map[string]func(*rapid.T){
			"":       m.invariant,
			"create": m.create,
			"append": m.append,
			"again":  m.again,
			"retry":  m.retry,
			"read":   m.read,
			"list":   m.list,
			"delete": m.delete,
			"renew":  m.renew,
		}
		if !subject.RealTime {
			actions["sweep"], actions["wait"] = m.sweep, m.wait
		}
		if !subject.Volatile {
			actions["reopen"] = func(*rapid.T) { m.stop(); m.start() }
		}
		t.Repeat(actions)
	})
}

// A machine is the store and the model, side by side.
type machine struct {
	subject Subject
	clock   *Clock
	open    func() freshet.Store
	stores  []freshet.Store
	turn    int

	model model
	names []string
	calls map[string]freshet.Call // the last of each stream
	// offsets are those that were ever given out, by any incarnation of any
	// stream.
	offsets []freshet.Offset
}

func newMachine(t *rapid.T, subject Subject) *machine {
	m := &machine{
		subject: subject, clock: newClock(subject.RealTime),
		model: model{streams: map[string]*modelStream{}},
		names: []string{"a", "a/b", "ab", "ü}"},
		calls: map[string]freshet.Call{},
	}
	m.open = subject.New(t, m.clock)
	m.start()
	return m
}

func (m *machine) start() {
	m.stores = append(m.stores, m.open())
	if m.subject.Fleet {
		m.stores = append(m.stores, m.open())
	}
}

func (m *machine) stop() {
	for _, s := range m.stores {
		_ = s.Close()
	}
	m.stores = nil
}

// store is called once in each action, which is one moment of the model.
func (m *machine) store() freshet.Store {
	m.model.now = m.clock.Now().UTC().Truncate(time.Millisecond)
	m.turn++
	return m.stores[m.turn%len(m.stores)]
}

func (m *machine) equal(t *rapid.T, what string, got, want any) {
	t.Helper()
	options := cmp.Options{equality()}
	if m.subject.RealTime {
		options = append(options, cmp.Comparer(func(a, b time.Time) bool { return a.IsZero() == b.IsZero() }))
	}
	if diff := cmp.Diff(want, got, options); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// invariant compares the info of every stream.
func (m *machine) invariant(t *rapid.T) {
	s := m.store()
	for _, name := range m.names {
		info, err := s.Info(context.Background(), name)
		st := m.model.get(name)
		if st == nil {
			m.equal(t, "error of "+name, err, error(freshet.ErrNotFound))
			continue
		}
		m.equal(t, "error of "+name, err, error(nil))
		m.equal(t, "info of "+name, comparable(info), comparable(st.info))
	}
}

func (m *machine) create(t *rapid.T) {
	s, name := m.store(), m.name(t)
	c := freshet.Creation{Spec: m.spec(t), Nonce: freshet.NewNonce(), Meta: m.bytes(t, "meta")}
	if st := m.model.streams[name]; st != nil && rapid.IntRange(0, 3).Draw(t, "same") == 0 {
		c.Nonce = st.creator
	}
	if rapid.Bool().Draw(t, "first") {
		a := m.drawAppend(t, name)
		a.Expect = nil
		c.First = &a
	}
	isNew := m.model.get(name) == nil
	info, created, err := s.Create(context.Background(), name, c)
	st, wantCreated, wantErr := m.model.create(name, c, info.Oldest)
	m.equal(t, "error", err, wantErr)
	m.equal(t, "created", created, wantCreated)
	if err != nil {
		return
	}
	m.equal(t, "info", comparable(info), comparable(st.info))
	if isNew {
		if info.Oldest.Mark == 0 || info.Oldest.Seq != 0 {
			t.Fatalf("a stream begins at %v", info.Oldest)
		}
		delete(m.calls, name)
	}
	m.offsets = append(m.offsets, info.Oldest, info.Tail)
}

func (m *machine) append(t *rapid.T) {
	s, name := m.store(), m.name(t)
	call := freshet.Call{Nonce: freshet.NewNonce()}
	for range rapid.IntRange(1, 4).Draw(t, "appends") {
		call.Appends = append(call.Appends, m.drawAppend(t, name))
	}
	if st := m.model.get(name); st != nil {
		call.Tail = st.info.Tail
	}
	m.land(t, s, name, call)
	m.calls[name] = call
}

// again makes the last call of a stream again, by its nonce.
func (m *machine) again(t *rapid.T) {
	s, name := m.store(), m.name(t)
	call, ok := m.calls[name]
	if !ok {
		t.Skip("no call to make again")
	}
	call.Retry = true
	if rapid.IntRange(0, 3).Draw(t, "tail unknown") == 0 {
		call.Tail = freshet.Offset{}
	}
	m.land(t, s, name, call)
}

// retry makes the last call of a stream again as a producer does that knows
// nothing of nonces.
func (m *machine) retry(t *rapid.T) {
	s, name := m.store(), m.name(t)
	call, ok := m.calls[name]
	if !ok {
		t.Skip("no call to repeat")
	}
	call.Nonce = freshet.NewNonce()
	m.land(t, s, name, call)
	m.calls[name] = call
}

func (m *machine) land(t *rapid.T, s freshet.Store, name string, call freshet.Call) {
	results, err := s.Append(context.Background(), name, call)
	st := m.model.get(name)
	if st == nil {
		m.equal(t, "error", err, error(freshet.ErrNotFound))
		return
	}
	m.equal(t, "error", err, error(nil))
	m.equal(t, "results", results, st.append(call, m.model.now))
	for _, r := range results {
		m.offsets = append(m.offsets, r.Tail)
	}
}

func (m *machine) read(t *rapid.T) {
	s, name := m.store(), m.name(t)
	from := m.offset(t, name)
	limit := freshet.Limit{Records: rapid.IntRange(0, 4).Draw(t, "records"), Bytes: rapid.IntRange(0, 60).Draw(t, "bytes")}
	page, err := s.Read(context.Background(), name, from, limit)
	st := m.model.get(name)
	if st == nil {
		m.equal(t, "error", err, error(freshet.ErrNotFound))
		return
	}
	records, why := st.read(from, limit)
	if why != "" {
		var gap *freshet.GapError
		if !errors.As(err, &gap) {
			t.Fatalf("read from %v: %v, want a gap", from, err)
		}
		m.equal(t, "gap", *gap, freshet.GapError{Why: why, Oldest: st.info.Oldest, Tail: st.info.Tail})
		return
	}
	m.equal(t, "error", err, error(nil))
	m.equal(t, "records", page.Records, records)
	m.equal(t, "the page's info", comparable(page.Info), comparable(st.info))
}

func (m *machine) list(t *rapid.T) {
	s := m.store()
	prefix := rapid.SampledFrom([]string{"", "a", "a/", "ü", "z"}).Draw(t, "prefix")
	after := rapid.SampledFrom(append(m.names, "", "zz")).Draw(t, "after")
	n := rapid.IntRange(1, 5).Draw(t, "n")
	infos, err := s.List(context.Background(), prefix, after, n)
	m.equal(t, "error", err, error(nil))
	var want []freshet.Info
	for _, name := range slices.Sorted(slices.Values(m.names)) {
		if st := m.model.get(name); st != nil && strings.HasPrefix(name, prefix) && name > after && len(want) < n {
			want = append(want, comparable(st.info))
		}
	}
	for i := range infos {
		infos[i] = comparable(infos[i])
	}
	m.equal(t, "list", infos, want)
}

func (m *machine) delete(t *rapid.T) {
	s, name := m.store(), m.name(t)
	err := s.Delete(context.Background(), name)
	if m.model.get(name) == nil {
		m.equal(t, "error", err, error(freshet.ErrNotFound))
		return
	}
	m.equal(t, "error", err, error(nil))
	delete(m.model.streams, name)
}

func (m *machine) renew(t *rapid.T) {
	s, name := m.store(), m.name(t)
	r := freshet.Renewal{Touch: rapid.Bool().Draw(t, "touch"), Watched: m.duration(t, "watched")}
	if !m.subject.RealTime {
		r.Lease = m.duration(t, "lease")
	}
	err := s.Renew(context.Background(), name, r)
	st := m.model.get(name)
	if st == nil {
		m.equal(t, "error", err, error(freshet.ErrNotFound))
		return
	}
	m.equal(t, "error", err, error(nil))
	st.renew(r, m.model.now)
}

func (m *machine) sweep(t *rapid.T) {
	done, err := m.store().Sweep(context.Background(), 100)
	m.equal(t, "error", err, error(nil))
	m.equal(t, fmt.Sprintf("swept at %v", m.model.now), done, m.model.sweep())
}

func (m *machine) wait(t *rapid.T) { m.clock.Advance(m.duration(t, "wait")) }
