package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// keeper is the recipe for one's database.
const keeper = "../../examples/database/keep.py"

// A row is one of the keeper's table.
type row struct {
	Stream, Text, Cursor string
	// Reason is empty while the answer goes on.
	Reason string
}

// readRows returns what is in a database file, by stream.
func readRows(t *testing.T, file string) map[string]row {
	t.Helper()
	const query = `import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
there = db.execute("select name from sqlite_master where name = 'answers'").fetchall()
rows = there and db.execute("select stream, text, cursor, coalesce(reason, '') from answers").fetchall()
print(json.dumps([dict(zip(["Stream", "Text", "Cursor", "Reason"], row)) for row in rows]))`
	out, err := exec.Command("/usr/bin/python3", "-c", query, file).Output()
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	if err := json.Unmarshal(out, &rows); err != nil {
		t.Fatal(err)
	}
	by := map[string]row{}
	for _, r := range rows {
		by[r.Stream] = r
	}
	if len(by) != len(rows) {
		t.Errorf("a stream has more than one row in %s", out)
	}
	return by
}

// awaitRows waits until as many rows as there are to be are as wanted.
func awaitRows(t *testing.T, file string, wanted func(row) bool, n int) {
	t.Helper()
	for by := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		rows, found := readRows(t, file), 0
		for _, r := range rows {
			if wanted(r) {
				found++
			}
		}
		if found == n {
			return
		}
		if time.Now().After(by) {
			t.Fatalf("the rows are %+v", rows)
		}
	}
}

// ask starts an answer and leaves it. It returns the answer's stream.
func (s *server) ask(question string) string {
	s.t.Helper()
	body := fmt.Sprintf(`{"model":"origin/m","stream":true,"messages":[{"role":"user","content":%q}]}`, question)
	response, err := http.Post(s.url+"/v1/chat/completions", "application/json", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	return response.Header.Get("Freshet-Stream")
}

// told returns what the events of an answer say that are stored.
func (s *server) told(stream string) (text string, events int) {
	s.t.Helper()
	for _, block := range strings.SplitAfter(s.read(stream), "\n\n") {
		var chunk struct {
			Choices []struct{ Delta struct{ Content string } }
		}
		if data, ok := strings.CutPrefix(block, "data: "); ok && json.Unmarshal([]byte(data), &chunk) == nil {
			text += chunk.Choices[0].Delta.Content
			events++
		}
	}
	return text, events
}

// crash runs the keeper until it is about to commit a change, or has, and kills it
// there.
func crash(t *testing.T, when, url, file string) {
	t.Helper()
	p := start(t, "/usr/bin/python3", "python/crash.py", when, keeper, url, file)
	_ = p.wait()
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the keeper was not killed %s a commit: %v\n%s", when, p.cmd.ProcessState, p.stderr)
	}
}

// TestDatabaseSurvivesKills kills the keeper before and after each commit of a
// row's life. What is in the database is always a beginning of the answer, and in
// the end the answer.
func TestDatabaseSurvivesKills(t *testing.T) {
	t.Parallel()
	o, originURL := startOrigin(t)
	const question = "tokens=20 stall=9"
	want := originText(t, originURL, question)
	s := startGateway(t, originURL)
	stream := s.ask(question)
	file := filepath.Join(t.TempDir(), "answers.db")
	kills, resumed := 0, false
	for last := (row{}); last.Reason == ""; {
		crash(t, "before", s.url, file)
		if now := readRows(t, file)[stream]; now != last {
			t.Fatalf("killed before it committed, the keeper has left %+v after %+v", now, last)
		}
		crash(t, "after", s.url, file)
		now := readRows(t, file)[stream]
		if now == last || now.Stream != stream || !strings.HasPrefix(want, now.Text) || !strings.HasPrefix(now.Text, last.Text) {
			t.Fatalf("killed after it committed, the keeper has left %+v after %+v", now, last)
		}
		kills += 2
		if _, list := s.do("GET", "/v1/streams?prefix=gen/", ""); !resumed && strings.Contains(list, `"tail":"`+now.Cursor+`"`) {
			if now.Text == "" || now.Text == want {
				t.Errorf("amid the answer the row is %+v", now)
			}
			o.Resume()
			resumed = true
			s.read(stream + "?live=long-poll&offset=" + now.Cursor) // so that there is more to come
		}
		last = now
	}
	t.Logf("%d kills", kills)
	if got := readRows(t, file)[stream]; !resumed || got.Text != want || got.Reason != "completed" {
		t.Errorf("the row is %+v, and the answer %q", got, want)
	}
	if n := o.Counts().Requests; n != 2 {
		t.Errorf("the origin was asked %d times, of which once by the test", n)
	}
}

// TestDatabase has answers of every end kept by two keepers at once over a
// connection that is cut. Each is kept once, and exactly.
func TestDatabase(t *testing.T) {
	t.Parallel()
	o, originURL := startOrigin(t)
	s := startGateway(t, originURL)
	proxy := proxyTo(t, s)
	file := filepath.Join(t.TempDir(), "answers.db")
	want := map[string]row{}
	add := func(question, reason string) (stream string) {
		stream = s.ask(question)
		want[stream] = row{Stream: stream, Text: originText(t, originURL, question), Reason: reason}
		return stream
	}
	add("tokens=30", "completed")
	add("tokens=4", "completed")
	add("tokens=30 pace=100 stall=25", "completed")
	stopped, failed := add("tokens=30 stall=11", "cancelled"), add("tokens=10 end=5", "failed")

	for range 2 {
		start(t, "/usr/bin/python3", keeper, "http://"+proxy.Addr(), file)
	}
	awaitRows(t, file, func(r row) bool { return r.Text != "" }, len(want))
	cut(t, proxy)
	for n := 0; n < 11; _, n = s.told(stopped) {
		time.Sleep(10 * time.Millisecond)
	}
	s.do("POST", "/v1/stream/"+stopped, "", "Stream-Closed", "true", "Freshet-Close-Reason", "cancelled")
	o.Resume()
	awaitRows(t, file, func(r row) bool { return r.Reason != "" }, len(want))
	for _, stream := range []string{stopped, failed} {
		w := want[stream]
		text, _ := s.told(stream)
		if text == "" || text == w.Text || !strings.HasPrefix(w.Text, text) {
			t.Errorf("of an answer that was %s there is %q", w.Reason, text)
		}
		w.Text = text
		want[stream] = w
	}
	for stream, got := range readRows(t, file) {
		got.Cursor = ""
		if got != want[stream] {
			t.Errorf("the row is %+v instead of %+v", got, want[stream])
		}
		delete(want, stream)
	}
	if len(want) > 0 {
		t.Errorf("there are no rows of %+v", want)
	}
}

// TestDatabaseIsToldOfLoss begins with rows whose cursors have no stream any more,
// or belong to a history of it that is gone: that one is read from its beginning.
func TestDatabaseIsToldOfLoss(t *testing.T) {
	t.Parallel()
	_, originURL := startOrigin(t)
	s := startGateway(t, originURL)
	stream := s.ask("tokens=8")
	file := filepath.Join(t.TempDir(), "answers.db")
	const elsewhere = "0000000000000003_00000000deadbeef"
	const begin = `import runpy, sqlite3, sys
_, file, keeper, *rows = sys.argv
db = sqlite3.connect(file)
db.execute(runpy.run_path(keeper)["SCHEMA"])
with db:
    db.executemany("insert into answers (stream, text, cursor) values (?, 'a part', ?)", zip(rows[::2], rows[1::2]))`
	prepare := start(t, "/usr/bin/python3", "-c", begin, file, keeper, stream, elsewhere, "gen/gone", elsewhere, "gen/never", "")
	if err := prepare.wait(); err != nil {
		t.Fatalf("%v\n%s", err, prepare.stderr)
	}
	k := start(t, "/usr/bin/python3", keeper, s.url, file)
	k.await(k.stdout, func(text string) bool { return strings.Count(text, "\n") == 3 })
	rows := readRows(t, file)
	for name, want := range map[string]row{
		stream:      {Text: originText(t, originURL, "tokens=8"), Reason: "completed"},
		"gen/gone":  {Text: "a part", Reason: "unknown"},
		"gen/never": {Text: "a part", Reason: "deleted"},
	} {
		if got := rows[name]; got.Text != want.Text || got.Reason != want.Reason {
			t.Errorf("%s: the row is %+v instead of %+v", name, got, want)
		}
	}
}

// TestDatabaseTakesAnyEvent has the text found in what providers send, and what has
// none, or another shape, taken for no text: one odd answer does not end the keeper.
func TestDatabaseTakesAnyEvent(t *testing.T) {
	t.Parallel()
	events := [][2]string{
		{`{"choices":[{"delta":{"content":"a"}}]}`, "a"},
		{`{"choices":[{"message":{"content":"b"}}]}`, "b"},
		{`{"type":"response.output_text.delta","delta":"c"}`, "c"},
		{`{"type":"content_block_delta","delta":{"type":"text_delta","text":"d"}}`, "d"},
		{`{"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{}"}}`, ""},
		{`{"type":"content_block_delta"}`, ""},
		{`{"type":"response.output_text.delta"}`, ""},
		{`{"choices":[],"usage":{}}`, ""},
		{`{"choices":[{"finish_reason":"stop"}]}`, ""},
		{`{"choices":[{"delta":null}]}`, ""},
		{`{"choices":[{"delta":{"content":null}}]}`, ""},
		{`{"choices":[{"delta":{"content":[{"text":"x"}]}}]}`, ""},
		{`{"choices":null}`, ""},
		{`{"choices":{"a":1}}`, ""},
		{`{"error":{"message":"no"}}`, ""},
		{`[1]`, ""},
		{`1`, ""},
		{`[DONE]`, ""},
		{`event`, ""},
	}
	args := []string{"-c", "import json, runpy, sys\npiece = runpy.run_path(sys.argv.pop(1))['piece']\nprint(json.dumps([piece(e) for e in sys.argv[1:]]))", keeper}
	for _, e := range events {
		args = append(args, e[0])
	}
	out, err := exec.Command("/usr/bin/python3", args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := json.Unmarshal(out, &got); err != nil || len(got) != len(events) {
		t.Fatalf("%v in %s", err, out)
	}
	for i, e := range events {
		if got[i] != e[1] {
			t.Errorf("%s: got %q", e[0], got[i])
		}
	}
}
