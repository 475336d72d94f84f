package pebblestore

import (
	"bytes"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func drawRecords(t *rapid.T) []freshet.Record {
	var records []freshet.Record
	o := freshet.Offset{Seq: rapid.Uint64Range(0, 1<<50).Draw(t, "first")}
	for range rapid.IntRange(1, 30).Draw(t, "n") {
		o.Seq++
		if rapid.IntRange(0, 2).Draw(t, "new mark") == 0 {
			o.Mark = freshet.Mark(rapid.Uint64().Draw(t, "mark"))
		}
		records = append(records, freshet.Record{
			Offset: o, Type: rapid.SampledFrom([]string{"", "t", "type"}).Draw(t, "type"), ID: rapid.SampledFrom([]string{"", "id"}).Draw(t, "id"),
			Data: make([]byte, rapid.SampledFrom([]int{0, 1, 127, 128, 5000, blockBytes - 10, blockBytes, 3 * blockBytes}).Draw(t, "size")),
		})
	}
	return records
}

func TestBlocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := drawRecords(t)
		for len(records) > 0 {
			n, size := cutBlock(records)
			block := appendBlock(nil, records[:n])
			if len(block) != size || n > 1 && size > blockBytes+binaryMax {
				t.Fatalf("a block of %d records has %d bytes, %d were foreseen", n, len(block), size)
			}
			b, err := readBlock(block, records[n-1].Offset.Seq)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range records[:n] {
				raw, err := b.next()
				if err != nil || raw.offset != want.Offset || string(raw.typ) != want.Type || string(raw.name) != want.ID || !bytes.Equal(raw.data, want.Data) {
					t.Fatalf("%+v comes back as %+v, %v", want, raw, err)
				}
			}
			if b.left != 0 || len(b.rest) != 0 {
				t.Fatalf("%d records and %d bytes are left", b.left, len(b.rest))
			}
			records = records[n:]
		}
	})
}

const binaryMax = 10 // the longest varint

func TestHeadAndSpec(t *testing.T) {
	at := time.Date(2026, 5, 6, 7, 8, 9, 123e6, time.UTC)
	closed := &freshet.Closure{Closing: freshet.Closing{Reason: freshet.Failed, Detail: []byte("d")}, At: at, By: &freshet.Producer{ID: "p", Epoch: 1 << 53, Seq: 2}}
	a, b := freshet.Offset{Seq: 1, Mark: 9}, freshet.Offset{Seq: 1 << 40, Mark: 1 << 63}
	want := &freshet.State{
		Creator: freshet.NewNonce(), LastNonce: freshet.NewNonce(), StreamSeq: "9",
		Info: freshet.Info{
			Name: "s", Created: at, Appended: at, Touched: time.UnixMilli(-5).UTC(), Lease: at.Add(time.Hour), LeaseTerm: time.Hour, Watched: at,
			Oldest: a, Tail: b, Bytes: 1 << 60, Closed: closed,
			Spec: freshet.Spec{ContentType: "a/b", TTL: 1, Expires: time.Date(9999, 1, 1, 0, 0, 0, 1, time.UTC), KeepOpen: 2, KeepClosed: 3,
				Retain: freshet.Retain{Records: 1, Bytes: 2, Age: 3}, Fork: &freshet.Fork{Source: "x", At: a}},
		},
		LastResults: []freshet.Result{
			{From: a, Tail: b, Known: true, Epoch: 4, Seq: 5},
			{From: b, Tail: b, Err: freshet.ErrSequence, Duplicate: true},
			{From: b, Tail: b, Err: freshet.ErrStale.With("detail"), Closed: closed},
		},
	}
	got := &freshet.State{Info: freshet.Info{Name: "s"}}
	inc, err := decodeSpec(appendSpec(nil, 77, want), got)
	if err != nil || inc != 77 {
		t.Fatal(inc, err)
	}
	h, err := decodeHead(appendHead(nil, head{gone: true, listed: at}, want), got)
	if err != nil || !h.gone || !h.listed.Equal(at) {
		t.Fatal(h, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.LastResults[1].Err != error(freshet.ErrSequence) {
		t.Errorf("a sentinel comes back as %#v", got.LastResults[1].Err)
	}
}

// Damaged values are errors, never panics or endless memory.
func FuzzValues(f *testing.F) {
	s := &freshet.State{Info: freshet.Info{Tail: freshet.Offset{Seq: 3}, Closed: &freshet.Closure{}}, LastResults: []freshet.Result{{Known: true}}}
	f.Add(appendHead(nil, head{}, s))
	f.Add(appendSpec(nil, 1, s))
	f.Add(appendBlock(nil, []freshet.Record{{Type: "t", ID: "i", Data: []byte("d")}, {Data: []byte("e")}}))
	f.Fuzz(func(t *testing.T, value []byte) {
		_, _ = decodeHead(value, &freshet.State{})
		_, _ = decodeSpec(value, &freshet.State{})
		b, err := readBlock(value, 1<<20)
		for err == nil && b.left > 0 {
			_, err = b.next()
		}
	})
}

func TestKeysSort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[ -~ü]{1,8}`)
		a, b := name.Draw(t, "a"), name.Draw(t, "b")
		if before := string(nameKey(a, partEnd)) < string(nameKey(b, partSpec)); before != (a < b) {
			t.Fatalf("%q and %q", a, b)
		}
		got, part, ok := splitNameKey(nameKey(a, partHead))
		if string(got) != a || part != partHead || !ok {
			t.Fatalf("%q comes back as %q", a, got)
		}
	})
}
