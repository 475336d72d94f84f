package endurance

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/freshet-stream/freshet/sse"
)

// spare is by how much a server's memory may grow while a long stream is read.
const spare = 64 << 20

// A gauge watches the memory of a process.
type gauge struct {
	*process
	first, most int64
}

// watch returns a gauge of the memory of a process that has only just started.
func watch(p *process) *gauge {
	g := &gauge{process: p}
	g.first = g.measure()
	return g
}

// measure returns what the process has in memory. With the race detector, which
// uses several times as much, that is what is alive of it.
func (g *gauge) measure() int64 {
	if isRace() {
		return g.sample().Heap
	}
	return g.resident()
}

// look notes what the process has in memory now.
func (g *gauge) look() { g.most = max(g.most, g.measure()) }

// check fails the test if the process ever had too much in memory.
func (g *gauge) check() {
	g.Helper()
	g.Logf("memory was %d bytes at the start and grew by %d at most", g.first, g.most-g.first)
	if g.most-g.first > spare {
		g.Errorf("memory grew by %d bytes, from %d to %d", g.most-g.first, g.first, g.most)
	}
}

func isRace() bool {
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if s.Key == "-race" && s.Value == "true" {
			return true
		}
	}
	return false
}

// fill writes a stream with a server that is gone afterwards, so that one which
// has only just started can be measured.
func fill(t *testing.T, dir string, bodies int, body func(i int) string) {
	t.Helper()
	p := start(t, dir)
	defer p.stop()
	p.send("PUT", "s", "")
	for i := range bodies {
		p.send("POST", "s", body(i))
	}
}

// Guarantee 7: a stream of 50 MB is read to its end, a page at a time.
func TestPagingALongStream(t *testing.T) {
	const total, together = 50 << 20 / recordBytes, 512
	dir := t.TempDir()
	fill(t, dir, total/together, func(i int) string {
		var body strings.Builder
		for k := range together {
			fmt.Fprintf(&body, "%c%s", "[,"[min(k, 1)], record(i*together+k+1))
		}
		return body.String() + "]"
	})
	p := start(t, dir)
	defer p.stop()
	g := watch(p)
	pages, records, offset := 0, 0, "-1"
	for done := false; !done; pages++ {
		response, body := p.get("s?offset=" + offset)
		for i := 1; i < len(body); i += recordBytes + 1 {
			if records++; body[i:i+recordBytes] != record(records) {
				t.Fatalf("record %d is %.40s", records, body[i:])
			}
		}
		offset = response.Header.Get("Stream-Next-Offset")
		done = response.Header.Get("Stream-Up-To-Date") == "true"
		g.look()
	}
	t.Logf("%d records on %d pages", records, pages)
	if records != total || pages < 10 {
		t.Errorf("got %d records of %d on %d pages", records, total, pages)
	}
	g.check()
}

// get asks for a page of a stream.
func (p *process) get(path string) (*http.Response, string) {
	p.Helper()
	response, err := http.Get("http://" + p.addr + "/v1/stream/" + path)
	if err != nil {
		p.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		p.Fatalf("%s: %s %v", path, response.Status, err)
	}
	return response, string(body)
}

// DESIGN traps: replay longer than any buffer, live records during replay.
// Guarantees 2 and 7.
func TestReplayOfManyTinyRecords(t *testing.T) {
	const total, together, every = 200_000, 10_000, 1_000
	dir := t.TempDir()
	fill(t, dir, total/together, func(i int) string {
		var body strings.Builder
		for k := range together {
			fmt.Fprintf(&body, "%c%d", "[,"[min(k, 1)], i*together+k+1)
		}
		return body.String() + "]"
	})
	p := start(t, dir)
	defer p.stop()
	g := watch(p)
	f := p.dial("s", 0)
	if err := f.begin(); err != nil {
		t.Fatal(err)
	}
	events := sse.NewDecoder(bufio.NewReader(f.body), sse.DecoderOptions{})
	live := 0
	for n := 1; n <= total+live; n++ {
		e, err := events.Next()
		if err != nil || string(e.Data) != fmt.Sprint(n) || string(e.ID[:16]) != fmt.Sprintf("%016d", n) {
			t.Fatalf("in place of record %d comes %q, %q: %v", n, e.Data, e.ID, err)
		}
		if n%every == 0 && n <= total {
			live++
			p.send("POST", "s", fmt.Sprint(total+live))
			g.look()
		}
	}
	p.send("POST", "s", "", "Stream-Closed", "true")
	if e, err := events.Next(); err != nil || string(e.Type) != "stream-closed" {
		t.Errorf("after %d records comes %s %q, %v", total+live, e.Type, e.Data, err)
	}
	t.Logf("%d records, %d of them live", total+live, live)
	g.check()
}
