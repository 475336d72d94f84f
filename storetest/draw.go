package storetest

import (
	"time"

	"github.com/freshet-stream/freshet"
	"pgregory.net/rapid"
)

// What the machine makes its calls of. Values come from few, so that calls
// meet.

func (m *machine) name(t *rapid.T) string { return rapid.SampledFrom(m.names).Draw(t, "name") }

func (m *machine) duration(t *rapid.T, label string) time.Duration {
	return rapid.SampledFrom([]time.Duration{0, time.Millisecond, 10 * time.Second, 20 * time.Second, time.Minute}).Draw(t, label)
}

func (m *machine) bytes(t *rapid.T, label string) []byte {
	return rapid.SampledFrom([][]byte{nil, []byte("x"), []byte("other")}).Draw(t, label)
}

func (m *machine) spec(t *rapid.T) freshet.Spec {
	spec := freshet.Spec{ContentType: rapid.SampledFrom([]string{"", "text/plain", "Text/Plain; charset=utf-8"}).Draw(t, "type")}
	if rapid.Bool().Draw(t, "bounded") {
		spec.Retain.Records = rapid.Uint64Range(0, 6).Draw(t, "retain records")
		spec.Retain.Bytes = rapid.Int64Range(0, 60).Draw(t, "retain bytes")
	}
	if m.subject.RealTime {
		return spec
	}
	spec.Retain.Age = m.duration(t, "retain age")
	switch rapid.IntRange(0, 3).Draw(t, "end") {
	case 0:
		spec.TTL = m.duration(t, "ttl")
	case 1:
		spec.Expires = m.model.now.Add(m.duration(t, "expires") + time.Second + 7*time.Microsecond)
	case 2:
		spec.KeepOpen, spec.KeepClosed = m.duration(t, "keep open"), m.duration(t, "keep closed")
	}
	return spec
}

func (m *machine) drawAppend(t *rapid.T, name string) freshet.Append {
	var a freshet.Append
	for range rapid.IntRange(0, 3).Draw(t, "records") {
		a.Records = append(a.Records, freshet.Record{
			Type: rapid.SampledFrom([]string{"", "", "t", "type"}).Draw(t, "type"),
			ID:   rapid.SampledFrom([]string{"", "", "id"}).Draw(t, "id"),
			Data: []byte(rapid.StringN(0, 8, 20).Draw(t, "data")),
		})
	}
	chance := func(label string, in int) bool { return rapid.IntRange(1, in).Draw(t, label) == 1 }
	if chance("producer", 2) {
		a.Producer = m.producer(t, name)
	}
	if chance("typed", 6) {
		a.ContentType = rapid.SampledFrom([]string{"text/plain", "application/octet-stream"}).Draw(t, "content type")
	}
	if chance("ordered", 6) {
		a.StreamSeq = rapid.SampledFrom([]string{"1", "10", "2", "3"}).Draw(t, "stream seq")
	}
	if chance("expects", 6) {
		expect := m.offset(t, name)
		a.Expect = &expect
	}
	if chance("closes", 10) {
		a.Close = &freshet.Closing{
			Reason: rapid.SampledFrom([]freshet.Reason{"", freshet.Completed, freshet.Cancelled, freshet.Failed}).Draw(t, "reason"),
			Detail: m.bytes(t, "detail"),
		}
	}
	if !m.subject.RealTime && chance("leased", 6) {
		a.Lease = m.duration(t, "lease")
	}
	if chance("described", 6) {
		a.Meta = m.bytes(t, "meta")
	}
	a.PerRecord = a.Producer != nil && len(a.Records) > 0 && chance("counts records", 3)
	if len(a.Records) == 0 && a.Close == nil && a.Lease == 0 && a.Meta == nil {
		a.Records = text("x") // an append of nothing does not reach a store
	}
	return a
}

// producer draws one that is mostly about to send its next append.
func (m *machine) producer(t *rapid.T, name string) *freshet.Producer {
	p := &freshet.Producer{ID: rapid.SampledFrom([]string{"p", "q"}).Draw(t, "producer id")}
	if st := m.model.streams[name]; st != nil {
		if last, ok := st.producers[p.ID]; ok {
			p.Epoch, p.Seq = last.epoch, last.seq+1
		}
	}
	switch rapid.IntRange(0, 5).Draw(t, "producer does") {
	case 0:
		p.Seq = rapid.Uint64Range(0, 4).Draw(t, "seq")
	case 1:
		p.Epoch = rapid.Uint64Range(0, 3).Draw(t, "epoch")
	case 2:
		p.Epoch, p.Seq = p.Epoch+1, 0
	}
	return p
}

// offset draws a position of the stream, or one that it never had.
func (m *machine) offset(t *rapid.T, name string) freshet.Offset {
	st := m.model.streams[name]
	switch kind := rapid.IntRange(0, 6).Draw(t, "offset"); {
	case kind == 0:
		return freshet.Offset{}
	case kind == 1 && len(m.offsets) > 0:
		return rapid.SampledFrom(m.offsets).Draw(t, "of any stream")
	case kind == 2:
		return freshet.Offset{Seq: rapid.Uint64Range(0, 30).Draw(t, "seq"), Mark: freshet.Mark(rapid.Uint64().Draw(t, "mark"))}
	case kind == 3 && st != nil:
		return st.info.Tail
	case st != nil:
		return st.position(rapid.Uint64Range(0, uint64(len(st.records))).Draw(t, "position"))
	}
	return freshet.Offset{}
}
