package websocket

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	cws "github.com/coder/websocket"

	"github.com/freshet-stream/freshet"
)

func TestOperationsFollowEachKind(t *testing.T) {
	for _, tt := range []struct {
		contentType string
		record      freshet.Record
		want, typ   string
	}{
		{"application/octet-stream", freshet.Record{Data: []byte("\x00\xff")}, `"AP8="`, ""},
		{"text/plain", freshet.Record{Data: []byte("a\r\n\"€\xff")}, `"a\r\n\"€` + "\ufffd" + `"`, ""},
		{"application/json", freshet.Record{Data: []byte(`{"a":1.0}`)}, `{"a":1.0}`, ""},
		{"text/event-stream", freshet.Record{Type: `x"`, Data: []byte("l1\nl2")}, `"l1\nl2"`, `x"`},
	} {
		t.Run(tt.contentType, func(t *testing.T) {
			e := newEnv(t, Options{})
			e.create("a/ü", tt.contentType)
			result, err := e.hub.Append(t.Context(), "a/ü", freshet.Append{Records: []freshet.Record{tt.record}})
			if err != nil {
				t.Fatal(err)
			}
			c := e.dial("a/%C3%BC", Protocol)
			c.send(`{"op":"follow","id":1}`)
			m := c.next()
			if m.Op != "records" || m.Stream != "a/ü" || len(m.Records) != 1 || string(m.Records[0].Data) != tt.want ||
				m.Records[0].Type != tt.typ || m.Records[0].Offset != result.Tail.String() {
				t.Fatalf("got %+v", m)
			}
			e.close("a/ü", freshet.Cancelled)
			if m := c.next(); m.Op != "closed" || m.Stream != "a/ü" || m.Reason != "cancelled" {
				t.Fatalf("got %+v", m)
			}
			// The connection outlives the stream, which can be followed again.
			c.send(`{"op":"follow","id":2,"offset":%q}`, result.Tail)
			if m := c.next(); m.Op != "closed" {
				t.Fatalf("got %+v", m)
			}
		})
	}
}

// Guarantee 2: no gaps, no duplicates, over another connection.
func TestOperationsResume(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("s", "text/plain")
	e.append("s", "1", "2")
	c := e.dial("s", Protocol)
	c.send(`{"op":"follow","id":1}`)
	last := c.wantRecords("s", `"1"`, `"2"`)
	_ = c.CloseNow()
	e.append("s", "3")
	c = e.dial("s", Protocol)
	c.send(`{"op":"follow","id":1,"offset":%q}`, last)
	c.wantRecords("s", `"3"`)
	e.append("s", "4")
	c.wantRecords("s", `"4"`)
	c.send(`{"op":"unfollow","id":"u"}`)
	if m := c.next(); m.Op != "ack" || string(m.ID) != `"u"` || !strings.HasPrefix(m.Offset, "0000000000000004_") {
		t.Fatalf("got %+v", m)
	}
	e.append("s", "5")
	c.send(`{"op":"follow","id":1,"offset":"now"}`)
	c.send(`{"op":"unfollow","id":7}`)
	if m := c.next(); m.Op != "ack" || string(m.ID) != `7` {
		t.Fatalf("got %+v", m)
	}
}

func TestOperationsAppendAndClose(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("s", "text/event-stream")
	e.create("bin", "application/octet-stream")
	c := e.dial("s", Protocol)
	c.send(`{"op":"append","id":"a","records":[{"type":"t","data":"one"},{"data":""}]}`)
	ack := c.next()
	if tail := e.append("s", "x"); ack.Op != "ack" || string(ack.ID) != `"a"` || ack.Offset[:16] != "0000000000000002" || tail.Seq != 3 {
		t.Fatalf("got %+v", ack)
	}
	c.send(`{"op":"append","id":1.50,"stream":"bin","records":[{"data":%q}]}`, base64.StdEncoding.EncodeToString([]byte("\xff\x00")))
	if m := c.next(); m.Op != "ack" || string(m.ID) != "1.50" {
		t.Fatalf("got %+v", m)
	}
	if got := e.content("bin"); got[0] != "\xff\x00" {
		t.Errorf("got %q", got)
	}
	c.send(`{"op":"close","id":2,"stream":"bin","reason":"failed"}`)
	if m := c.next(); m.Op != "ack" || string(m.ID) != "2" {
		t.Fatalf("got %+v", m)
	}
	info, _ := e.hub.Info(t.Context(), "bin")
	if info.Closed == nil || info.Closed.Reason != freshet.Failed {
		t.Errorf("the stream is %+v", info.Closed)
	}
	// Closing is what stops a generation, and so allowed where appending is not.
	e.create("gen/1", "text/plain")
	c.send(`{"op":"append","id":3,"stream":"gen/1","records":[{"data":"x"}]}`)
	if m := c.next(); m.Op != "error" || m.Code != "reserved" {
		t.Fatalf("got %+v", m)
	}
	c.send(`{"op":"close","id":4,"stream":"gen/1","reason":"cancelled"}`)
	if m := c.next(); m.Op != "ack" {
		t.Fatalf("got %+v", m)
	}
}

// Guarantee 4: exactly-once append.
func TestOperationsAppendAsAProducer(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("s", "text/plain")
	c := e.dial("s", Protocol)
	send := func(epoch, seq int) told {
		t.Helper()
		c.send(`{"op":"append","id":%d,"records":[{"data":"r%d"}],"producer":{"id":"p","epoch":%d,"seq":%d}}`, seq, seq, epoch, seq)
		return c.next()
	}
	first := send(1, 0)
	if m := send(1, 0); m.Op != "ack" || !m.Duplicate || m.Offset != first.Offset {
		t.Errorf("a repeated append got %+v", m)
	}
	if m := send(1, 2); m.Op != "error" || m.Code != "sequence_gap" || m.Expected == nil || *m.Expected != 1 {
		t.Errorf("an append too early got %+v", m)
	}
	if m := send(0, 1); m.Op != "error" || m.Code != "fenced" {
		t.Errorf("a fenced append got %+v", m)
	}
	if m := send(1, 1); m.Op != "ack" || m.Duplicate {
		t.Errorf("the next append got %+v", m)
	}
	if got := e.content("s"); strings.Join(got, " ") != "r0 r1" {
		t.Errorf("the stream has %q", got)
	}
}

// Errors of one operation never end the others.
func TestOperationsThatFailLeaveTheRest(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("s", "text/plain")
	e.create("json", "application/json")
	e.create("bin", "application/octet-stream")
	e.create("closed", "text/plain")
	e.close("closed", freshet.Completed)
	c := e.dial("s", Protocol)
	c.send(`{"op":"follow","id":0}`)
	long := `"` + strings.Repeat("i", 300) + `"`
	for _, tt := range []struct{ send, id, code, says string }{
		{``, ``, "bad_message", "JSON"},
		{`nonsense`, ``, "bad_message", "byte 2"},
		{`[]`, ``, "bad_message", "object"},
		{`{}`, ``, "bad_message", "op"},
		{`{"op":"follow","id":1} x`, ``, "bad_message", "byte"},
		{`{"op":"fly","id":1}`, `1`, "bad_message", "fly"},
		{`{"op":5,"id":1}`, `1`, "bad_message", "op"},
		{`{"op":"follow","id":{}}`, ``, "bad_message", "id"},
		{`{"op":"follow","id":true}`, ``, "bad_message", "id"},
		{`{"op":"follow","id":` + long + `}`, ``, "bad_message", "bytes"},
		{`{"op":"follow","id":"x","stream":5}`, `"x"`, "bad_message", "stream"},
		{`{"op":"follow","id":1,"stream":"a/../b"}`, `1`, "bad_name", ".."},
		{`{"op":"follow","id":1,"stream":"json","offset":"x"}`, `1`, "bad_offset", "offset"},
		{`{"op":"follow","id":1,"stream":"json","wait":301}`, `1`, "bad_message", "wait"},
		{`{"op":"follow","id":1,"stream":"json","wait":-1}`, `1`, "bad_message", "wait"},
		{`{"op":"follow","id":1,"stream":"none"}`, `1`, "not_found", "PUT"},
		{`{"op":"follow","id":1,"stream":"none","wait":0.01}`, `1`, "not_found", "created"},
		{`{"op":"follow","id":1}`, `1`, "bad_message", "already"},
		{`{"op":"unfollow","id":1,"stream":"json"}`, `1`, "not_found", "does not follow"},
		{`{"op":"append","id":1}`, `1`, "empty_append", ""},
		{`{"op":"append","id":1,"records":{}}`, `1`, "bad_message", "records"},
		{`{"op":"append","id":1,"records":[{"data":5}]}`, `1`, "bad_record", "string"},
		{`{"op":"append","id":1,"records":[{"data":null}]}`, `1`, "bad_record", "string"},
		{`{"op":"append","id":1,"records":[{}]}`, `1`, "bad_record", "missing"},
		{`{"op":"append","id":1,"records":[{"data":""}]}`, `1`, "empty_append", "record 0"},
		{`{"op":"append","id":1,"records":[{"data":"x","type":"t"}]}`, `1`, "bad_record", "type"},
		{`{"op":"append","id":1,"stream":"bin","records":[{"data":"***"}]}`, `1`, "bad_record", "base64"},
		{`{"op":"append","id":1,"stream":"bin","records":[{"data":[1,2]}]}`, `1`, "bad_record", "base64"},
		{`{"op":"append","id":1,"stream":"none","records":[{"data":"x"}]}`, `1`, "not_found", "PUT"},
		{`{"op":"append","id":1,"stream":"closed","records":[{"data":"x"}]}`, `1`, "closed", ""},
		{`{"op":"append","id":1,"records":[{"data":"x"}],"producer":{"id":"p","epoch":0}}`, `1`, "bad_producer", "seq"},
		{`{"op":"append","id":1,"records":[{"data":"x"}],"producer":{"id":"","epoch":0,"seq":0}}`, `1`, "bad_producer", "empty"},
		{`{"op":"append","id":1,"records":[{"data":"x"}],"producer":{"id":"p","epoch":0,"seq":-1}}`, `1`, "bad_message", "seq"},
		{`{"op":"append","id":1,"records":[{"data":"x"}],"producer":{"id":"p","epoch":0,"seq":9007199254740992}}`, `1`, "bad_producer", "2^53"},
		{`{"op":"close","id":1,"reason":"bored"}`, `1`, "bad_reason", "bored"},
		{`{"op":"close","id":1,"stream":"none"}`, `1`, "not_found", ""},
		{`{"op":"auth","id":1,"token":"x"}`, `1`, "not_implemented", ""},
	} {
		c.send("%s", tt.send)
		m := c.next()
		if m.Op != "error" || string(m.ID) != tt.id || m.Code != tt.code || !strings.Contains(m.Message, tt.says) {
			t.Errorf("%.100s got %+v", tt.send, m)
		}
	}
	if err := c.Write(t.Context(), cws.MessageBinary, []byte(`{"op":"follow"}`)); err != nil {
		t.Fatal(err)
	}
	if m := c.next(); m.Op != "error" || m.Code != "bad_message" {
		t.Errorf("a binary message got %+v", m)
	}
	e.append("s", "still here")
	c.wantRecords("s", `"still here"`)
	if got := e.content("s"); len(got) != 1 {
		t.Errorf("the stream has %q", got)
	}
}

func TestOperationsWithoutID(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("s", "text/plain")
	c := e.dial("s", Protocol)
	c.send(`{"op":"append","records":[{"data":"x"}],"later":"fields are not minded"}`)
	if m := c.next(); m.Op != "ack" || m.ID != nil {
		t.Errorf("got %+v", m)
	}
}

// Guarantee 6: honest loss.
func TestOperationsTellGaps(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("s", "text/plain")
	old := e.append("s", "one")
	c := e.dial("s", Protocol)
	c.send(`{"op":"follow","id":1}`)
	c.wantRecords("s", `"one"`)
	if err := e.hub.Delete(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
	gone := func(why string) {
		t.Helper()
		if m := c.next(); m.Op != "gap" || m.Stream != "s" || m.Why != why || m.Requested != old.String() || m.Resumed != "-1" {
			t.Fatalf("got %+v", m)
		}
		if m := c.next(); m.Op != "closed" || m.Reason != why {
			t.Fatalf("got %+v", m)
		}
	}
	gone("deleted")
	c.send(`{"op":"follow","id":2,"offset":%q,"wait":10}`, old)
	gone("unknown")
	// Anew, and as something else.
	e.create("s", "application/json")
	e.append("s", `{"anew":true}`)
	info, _ := e.hub.Info(t.Context(), "s")
	c.send(`{"op":"follow","id":3,"offset":%q}`, old)
	if m := c.next(); m.Op != "gap" || m.Why != "diverged" || m.Requested != old.String() || m.Resumed != info.Oldest.String() {
		t.Fatalf("got %+v", m)
	}
	c.wantRecords("s", `{"anew":true}`)
}

func TestOperationsWaitForAStream(t *testing.T) {
	for _, offset := range []string{"-1", "now"} {
		e := newEnv(t, Options{Heartbeat: 20 * time.Millisecond})
		c := e.dial("s", Protocol)
		c.send(`{"op":"follow","id":1,"wait":0.5,"offset":%q}`, offset)
		time.Sleep(50 * time.Millisecond)
		_, _, err := e.hub.Create(t.Context(), "s", freshet.Creation{
			Spec:  freshet.Spec{ContentType: "text/plain"},
			First: &freshet.Append{Records: []freshet.Record{{Data: []byte("first")}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		c.wantRecords("s", `"first"`)
		e.append("s", "more")
		c.wantRecords("s", `"more"`)
	}
	// A stream that is created without anything in it is waited for no longer.
	e := newEnv(t, Options{})
	c := e.dial("s", Protocol)
	c.send(`{"op":"follow","id":1,"wait":0.2}`)
	time.Sleep(50 * time.Millisecond)
	e.create("s", "text/plain")
	time.Sleep(300 * time.Millisecond)
	e.append("s", "late")
	c.wantRecords("s", `"late"`)
}

// DESIGN 4.2 and 4.3: a records message obeys the bound of 32 KiB; a longer
// record goes alone.
func TestRecordsMessagesAreBounded(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("s", "text/plain")
	var all []string
	for i := range 3000 {
		all = append(all, strings.Repeat("x", i%50)+"\x01")
	}
	all = append(all, strings.Repeat("l", 40<<10), "short", strings.Repeat("€", 1<<20), "\x00", strings.Repeat("\x02", 60<<10), "end")
	e.append("s", all...)
	c := e.dial("s", Protocol)
	c.send(`{"op":"follow","id":1}`)
	messages, n := 0, 0
	for n < len(all) {
		_, data, err := c.read()
		if err != nil {
			t.Fatal(err)
		}
		var m told
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatal(err)
		}
		if len(data) > 32<<10 && len(m.Records) != 1 {
			t.Errorf("a message of %d bytes has %d records", len(data), len(m.Records))
		}
		for _, r := range m.Records {
			var text string
			if json.Unmarshal(r.Data, &text); text != all[n] {
				t.Fatalf("record %d is %.80q, want %.80q", n, text, all[n])
			}
			n++
		}
		messages++
	}
	if messages > 20 {
		t.Errorf("there were %d messages", messages)
	}
	if writes := e.writes.Load(); writes > 60 {
		t.Errorf("there were %d writes", writes)
	}
}

func TestOperationsSendLongRecords(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("bin", "application/octet-stream")
	e.create("json", "application/json")
	data := strings.Repeat("\x00\xfe\xff", 1<<18) + "\x01"
	e.append("bin", data)
	e.append("json", `"`+strings.Repeat("ü", 1<<18)+`"`)
	c := e.dial("bin", Protocol)
	c.send(`{"op":"follow","id":1}`)
	c.wantRecords("bin", `"`+base64.StdEncoding.EncodeToString([]byte(data))+`"`)
	c.send(`{"op":"follow","id":2,"stream":"json"}`)
	c.wantRecords("json", `"`+strings.Repeat("ü", 1<<18)+`"`)
	c.send(`{"op":"unfollow","id":3,"stream":"bin"}`)
	if m := c.next(); m.Op != "ack" {
		t.Fatalf("got %.200v", m)
	}
	// And a record of the largest size in.
	big := strings.Repeat("b", 16<<20)
	c.send(`{"op":"append","id":3,"stream":"bin","records":[{"data":"` + base64.StdEncoding.EncodeToString([]byte(big)) + `"}]}`)
	if m := c.next(); m.Op != "ack" {
		t.Fatalf("got %.200v", m)
	}
	if got := e.content("bin"); len(got) != 2 || got[1] != big {
		t.Errorf("the stream has %d records", len(got))
	}
}

func TestOperationsHoldHalfCharacters(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("s", "text/plain")
	c := e.dial("s", Protocol)
	c.send(`{"op":"follow","id":1}`)
	e.append("s", "a")
	c.wantRecords("s", `"a"`)
	e.append("s", "\xe2\x82")
	later := e.append("s", "\xacb")
	if last := c.wantRecords("s", `"€b"`); last != later.String() {
		t.Errorf("the joined record has the offset %s, want %s", last, later)
	}
	e.append("s", "\xf0\x9f")
	c.send(`{"op":"append","id":2,"records":[{"data":"ignored"}],"stream":"none"}`)
	if m := c.next(); m.Op != "error" {
		t.Fatalf("got %+v", m)
	}
	// Whoever leaves now comes back for what was held.
	c.send(`{"op":"unfollow","id":3}`)
	if m := c.next(); m.Op != "ack" || m.Offset != later.String() {
		t.Fatalf("got %+v", m)
	}
	c.send(`{"op":"follow","id":4,"offset":%q}`, later)
	e.close("s", freshet.Completed)
	c.wantRecords("s", "\"\ufffd\"")
	if m := c.next(); m.Op != "closed" {
		t.Fatalf("got %+v", m)
	}
}

// One stream of a connection is huge, and the other goes on beside it.
func TestTwoFollowsShareAConnection(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("huge", "text/plain")
	e.create("small", "text/plain")
	piece := strings.Repeat("h", 8<<10)
	for range 200 {
		e.append("huge", piece, piece, piece, piece, piece, piece, piece, piece)
	}
	c := e.dial("huge", Protocol)
	c.send(`{"op":"follow","id":1}`)
	if m := c.next(); m.Stream != "huge" {
		t.Fatalf("got %+v", m)
	}
	c.send(`{"op":"follow","id":2,"stream":"small"}`)
	for i := range 20 {
		e.append("small", fmt.Sprint(i))
	}
	huge, small, seen := 0, 0, 0
	for huge < 1600-8 || small < 20 {
		m := c.next()
		switch m.Stream {
		case "huge":
			huge += len(m.Records)
		case "small":
			for _, r := range m.Records {
				if string(r.Data) != fmt.Sprintf("%q", fmt.Sprint(small)) {
					t.Fatalf("record %d is %s", small, r.Data)
				}
				small++
			}
			if seen = huge; small == 20 && huge < 1500 {
				e.close("huge", freshet.Completed)
			}
		}
	}
	t.Logf("the small stream was there after %d of 1600 records of the huge one", seen)
}

func TestOperationsBoundFollows(t *testing.T) {
	e := newEnv(t, Options{Follows: 2})
	c := e.dial("a", Protocol)
	for _, name := range []string{"a", "b", "c"} {
		e.create(name, "text/plain")
		c.send(`{"op":"follow","id":1,"stream":%q}`, name)
	}
	if m := c.next(); m.Op != "error" || m.Code != "overloaded" || !strings.Contains(m.Message, "2") {
		t.Errorf("got %+v", m)
	}
}
