package redisstore

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/google/go-cmp/cmp"
)

// Hints carry what was appended, to the byte, closure included.
func TestHintsCarryTheChange(t *testing.T) {
	s := open(t, sharedURL(), Options{Prefix: newPrefix()})
	defer s.Close()
	begin, _, err := s.Create(t.Context(), "a}b{c", freshet.Creation{Nonce: freshet.NewNonce(), Spec: freshet.Spec{ContentType: "text/event-stream"}})
	if err != nil {
		t.Fatal(err)
	}
	hints := make(chan freshet.Hint, 16)
	stop, err := s.Follow(t.Context(), "a}b{c", func(h freshet.Hint) { hints <- h })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	next := func() freshet.Hint {
		t.Helper()
		select {
		case h := <-hints:
			return h
		case <-time.After(20 * time.Second):
			t.Fatal("no hint came")
			return freshet.Hint{}
		}
	}
	large := strings.Repeat("x", 40<<10)
	records := [][]freshet.Record{
		{{Type: "t", ID: "1 2\n", Data: []byte("a\nb\x00\xff")}, {Data: []byte{}}},
		{{Data: []byte(large)}},
		{{Data: []byte("last")}},
	}
	from := begin.Tail
	for i, some := range records {
		a := freshet.Append{Records: some, Producer: &freshet.Producer{ID: "p q\n", Seq: uint64(i)}}
		if i == 2 {
			a.Close = &freshet.Closing{Reason: freshet.Failed, Detail: []byte("why\n ")}
		}
		call := freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{a}}
		results, err := s.Append(t.Context(), "a}b{c", call)
		if err != nil || results[0].Err != nil {
			t.Fatal(err, results)
		}
		h := next()
		if i == 1 {
			if h.Batch != nil {
				t.Errorf("a hint carries %d records of 40 KiB", len(h.Batch.Records))
			}
		} else {
			want := &freshet.Batch{From: from, Tail: results[0].Tail, Closed: results[0].Closed}
			for k, r := range some {
				r.Offset = freshet.Offset{Seq: from.Seq + uint64(k) + 1, Mark: results[0].Tail.Mark}
				want.Records = append(want.Records, r)
			}
			if diff := cmp.Diff(want, h.Batch); diff != "" {
				t.Errorf("hint %d (-want +got):\n%s", i, diff)
			}
		}
		from = results[0].Tail
	}
}

// A value that is damaged is told, and nothing of it is given out.
func FuzzDecodeHint(f *testing.F) {
	f.Add("")
	f.Add("0 0000000000000001 1 00000000000000aa 1\n1 3 00000000000000aa 1\n\x00\x01a")
	f.Add("0 0000000000000001 0 0000000000000001 0 failed 1774008000000 3 0 7 1\nwhyp")
	f.Fuzz(func(t *testing.T, message string) {
		h, err := decodeHint(message)
		if err != nil {
			if !errors.Is(err, errDamaged) {
				t.Errorf("%q: %v", message, err)
			}
			return
		}
		if h.Batch == nil && message != "" {
			t.Errorf("%q gives no batch and no error", message)
		}
	})
}

// Records survive being put in blocks, whatever is in them.
func FuzzBlock(f *testing.F) {
	f.Add("message", "7", []byte("data"), uint8(3), uint8(1))
	f.Add("", "", []byte{}, uint8(1), uint8(0))
	f.Fuzz(func(t *testing.T, typ, id string, data []byte, n, skipped uint8) {
		records := make([]freshet.Record, max(n, 1))
		for i := range records {
			records[i] = freshet.Record{Type: typ, ID: id, Data: data[:len(data)*i/len(records)]}
		}
		b := cutBlock(records, nil)
		skip := int(skipped) % b.records
		last := uint64(b.records + 100)
		var got []freshet.Record
		about := "00000000000000aa 1"
		if skip > 0 {
			about += " " + strconv.Itoa(skip)
		}
		err := decodeBlock(last, about, string(b.data), func(r freshet.Record) bool {
			got = append(got, r)
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
		want := records[skip:b.records]
		for i, r := range got {
			if r.Offset.Seq != last-uint64(len(want)-1-i) || r.Offset.Mark != 0xaa {
				t.Errorf("record %d is at %v", i, r.Offset)
			}
			got[i].Offset = freshet.Offset{}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
