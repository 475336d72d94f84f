package sse_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/freshet-stream/freshet/sse"
)

// FuzzDecode compares the Decoder with the reference for arbitrary streams, in
// arbitrary reads and under all options, and with small limits wants only that
// the reads make no difference.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("data: a\r\ndata: b\r\n\r\nid: 1\n\n"), uint64(1), 3)
	f.Add([]byte("\uFEFFevent: e\rdata:\xe2\x82\r\rdata"), uint64(2), 1)
	f.Add([]byte(":c\n\ndata\n\nid: \x00\nretry: 99999999999999999999\ndata: \xff\n\n"), uint64(3), 2)
	f.Add([]byte(strings.Join(morsels, "")), uint64(4), 9)
	f.Add([]byte(strings.Join(morsels, "\n")), uint64(5), 4)
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64, limit int) {
		checkChunks(t, stream, seed)

		opts := sse.DecoderOptions{MaxEventBytes: 1 + int(uint(limit)%64), FlushAtEOF: seed%2 == 0}
		whole, err := decode(bytes.NewReader(stream), opts)
		bytewise, bytewiseErr := decode(iotest.OneByteReader(bytes.NewReader(stream)), opts)
		if !reflect.DeepEqual(whole, bytewise) || err.Error() != bytewiseErr.Error() {
			t.Errorf("limit %d: in one read %+v, %v; byte by byte %+v, %v",
				opts.MaxEventBytes, whole, err, bytewise, bytewiseErr)
		}
	})
}

// FuzzRoundTrip decodes what AppendEvent, AppendID and AppendComment have
// encoded. Whatever they are given, exactly the same event has to come out, its
// line breaks and its UTF-8 made good, and nothing beside it.
func FuzzRoundTrip(f *testing.F) {
	f.Add("", []byte("hello"), "")
	f.Add("add", []byte("a\r\nb\rc\nd"), "0000000000000042_00c0ffee")
	f.Add("a\ndata: injected\n\n", []byte("\n\ndata: x\n\n"), "1\n\ndata: injected\n\n")
	f.Add("\r", []byte("\n"), "\r\n")
	f.Add(" \uFEFF", []byte(" \uFEFF\x00\xff"), " \x00\xe2\x82")
	f.Fuzz(func(t *testing.T, typ string, data []byte, id string) {
		wantType := replaceAll(referenceUTF8([]byte(typ)), "\r", "\n")
		wantID := replaceAll(referenceUTF8([]byte(id)), "\r", "\n", "\x00")
		if got, want := sse.ValidType(typ), typ == wantType; got != want {
			t.Errorf("ValidType(%q) = %v", typ, got)
		}
		if got, want := sse.ValidID(id), id == wantID; got != want {
			t.Errorf("ValidID(%q) = %v", id, got)
		}

		stream := sse.AppendComment(nil, typ)
		stream = sse.AppendEvent(stream, typ, append([]byte{}, data...), id)
		stream = sse.AppendComment(stream, string(data))
		stream = sse.AppendID(stream, id)
		stream = sse.AppendEvent(stream, typ, nil, id)

		want := []event{
			{typ: wantType, data: normalBreaks(referenceUTF8(data)), id: wantID, hasData: true, hasID: id != ""},
			{id: wantID, hasID: true},
		}
		if id != "" {
			want = append(want, event{typ: wantType, id: wantID, hasID: true})
		}
		got := mustDecode(t, string(stream), sse.DecoderOptions{IDOnly: true})
		if !reflect.DeepEqual(got.events, want) {
			t.Errorf("%q:\n got %+v\nwant %+v", stream, got.events, want)
		}
		if ref := reference(stream, sse.DecoderOptions{IDOnly: true}); !reflect.DeepEqual(got, ref) {
			t.Errorf("%q:\n got %+v\nreference %+v", stream, got, ref)
		}
		comments := normalBreaks(referenceUTF8([]byte(typ))) + "\n" + normalBreaks(referenceUTF8(data))
		if got := strings.Join(got.comments, "\n"); got != comments {
			t.Errorf("comments %q, want %q", got, comments)
		}
	})
}

// FuzzAppendText joins the fragments of two texts as the hub does.
func FuzzAppendText(f *testing.F) {
	f.Add([]byte("a\r"), []byte("\nb"))
	f.Add([]byte("\xe2"), []byte("\x82\xac"))
	f.Add([]byte("\r\n\r"), []byte("\r\n"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		stream := sse.AppendText([]byte("data: "), a)
		stream = sse.AppendText(stream, b)
		stream = append(stream, "\n\n"...)
		want := message(normalBreaks(referenceUTF8(a)) + normalBreaks(referenceUTF8(b)))
		wantEvents(t, string(stream), sse.DecoderOptions{}, want)
	})
}

func FuzzAppendValid(f *testing.F) {
	f.Add([]byte("\xf0\x9f\x98x\xed\xa0\x80\xe2\x82"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got := sse.AppendValid([]byte("before"), text)
		if want := "before" + referenceUTF8(text); string(got) != want {
			t.Errorf("AppendValid(%q) = %q, want %q", text, got, want)
		}
	})
}

func normalBreaks(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

func replaceAll(s string, olds ...string) string {
	for _, old := range olds {
		s = strings.ReplaceAll(s, old, "\uFFFD")
	}
	return s
}
