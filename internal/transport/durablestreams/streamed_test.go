package durablestreams

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/freshet-stream/freshet/internal/hub"
)

func TestABodyOfUnknownLengthIsAppendedAsItArrives(t *testing.T) {
	for name, tt := range map[string]struct {
		stream, body string
		pieces       []string
		want         string
	}{
		"text":   {"text/plain", "text/plain", []string{"one ", "two ", "three"}, "[one  two  three]"},
		"lines":  {"application/json", "application/x-ndjson", []string{"{\"a\":1}\n", "2\n", "3\n"}, `[{"a":1} 2 3]`},
		"events": {"text/event-stream", "text/event-stream", []string{"data: 1\n\n", "event: t\ndata: 2\n\n", "data: 3\n\n"}, "[1 t2 3]"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.create("s", tt.stream)
			follower, err := r.hub.Follow(t.Context(), "s", hub.FollowOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer follower.Close()
			body, pipe := io.Pipe()
			done := make(chan *http.Response)
			go func() {
				response, _ := r.do("POST", "s", body, "Content-Type", tt.body, "Stream-Closed", "true", "Freshet-Close-Reason", "failed")
				done <- response
			}()
			for _, piece := range tt.pieces {
				if _, err := io.WriteString(pipe, piece); err != nil {
					t.Fatal(err)
				}
				// The next piece is not sent before this one was seen.
				if batch, err := follower.Next(t.Context()); err != nil || batch.Len() != 1 {
					t.Fatalf("got %d records, error %v", batch.Len(), err)
				}
			}
			_ = pipe.Close()
			response := <-done
			if response.StatusCode != 204 || response.Header.Get("Stream-Closed") != "true" || response.Header.Get("Freshet-Close-Reason") != "failed" {
				t.Errorf("got %s %v", response.Status, response.Header)
			}
			if got := fmt.Sprint(r.records("s")); got != tt.want {
				t.Errorf("the records are %s, want %s", got, tt.want)
			}
		})
	}
}

// unsized is a body whose length net/http does not find out.
func unsized(s string) io.Reader { return io.MultiReader(strings.NewReader(s)) }

// Guarantee 4: a body whose producer counts records can be sent again whole,
// whatever of it has landed, and whether or not its length is told.
func TestABodyThatCountsRecordsCanBeRepeated(t *testing.T) {
	for _, sized := range []bool{false, true} {
		r := newRig(t)
		r.create("lines", "application/json")
		r.create("events", "text/event-stream")
		send := func(name, contentType, body string) (*http.Response, string) {
			var reader io.Reader = strings.NewReader(body)
			if !sized {
				reader = unsized(body)
			}
			return r.do("POST", name, reader, "Content-Type", contentType, "Stream-Closed", "true", "Freshet-Producer-Scope", "record",
				"Producer-Id", "p", "Producer-Epoch", "0", "Producer-Seq", "0")
		}
		for i := range 2 {
			if response, body := send("lines", "application/x-ndjson", "1\n2\n3"); response.StatusCode/100 != 2 || response.Header.Get("Producer-Seq") != "2" {
				t.Fatalf("try %d: %s %s %v", i, response.Status, body, response.Header)
			}
			if response, body := send("events", "text/event-stream", "data: 1\n\ndata: 2\n\n"); response.StatusCode/100 != 2 {
				t.Fatalf("try %d: %s %s", i, response.Status, body)
			}
		}
		if got := r.content("lines"); got != "[1,2,3]" {
			t.Errorf("the lines are %s", got)
		}
		if got := fmt.Sprint(r.records("events")); got != "[1 2]" {
			t.Errorf("the events are %s", got)
		}
	}
}

// DESIGN trap: producer death mid-stream.
func TestABodyThatBreaksOffKeepsWhatWasWhole(t *testing.T) {
	r := newRig(t)
	r.create("s", "application/json")
	body := io.MultiReader(strings.NewReader("1\n2\n3"), iotest.ErrReader(errors.New("broken")))
	request, _ := http.NewRequestWithContext(t.Context(), "POST", r.url+"s", body)
	request.Header.Set("Content-Type", "application/x-ndjson")
	if response, err := http.DefaultClient.Do(request); err == nil {
		_ = response.Body.Close()
		t.Fatalf("a body that broke off gets %s", response.Status)
	}
	follower, err := r.hub.Follow(t.Context(), "s", hub.FollowOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer follower.Close()
	for n := 0; n < 2; {
		batch, err := follower.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n += batch.Len()
	}
	response, _ := r.do("POST", "s", unsized("1\n2\n3\n4"), "Content-Type", "application/x-ndjson", "Stream-Closed", "true")
	if response.StatusCode != 204 || r.content("s") != "[1,2,1,2,3,4]" {
		t.Errorf("got %s, %s", response.Status, r.content("s"))
	}
}

func TestBadStreamedBodies(t *testing.T) {
	r := newRig(t)
	r.create("json", "application/json")
	r.create("text", "text/plain")
	r.create("events", "text/event-stream")
	for name, tt := range map[string]struct {
		path, body string
		headers    []string
		status     int
	}{
		"a bad line":                {"json", "1\n{\n", []string{"Content-Type", "application/x-ndjson"}, 400},
		"lines for text":            {"text", "1\n", []string{"Content-Type", "application/x-ndjson"}, 409},
		"nothing":                   {"text", "", []string{"Content-Type", "text/plain"}, 400},
		"no event":                  {"events", ": x\n\n", []string{"Content-Type", "text/event-stream"}, 400},
		"a missing stream":          {"missing", "x", []string{"Content-Type", "text/plain"}, 404},
		"lines for none":            {"missing", "1", []string{"Content-Type", "application/x-ndjson"}, 404},
		"records that nobody knows": {"text", "x", []string{"Content-Type", "text/plain", "Freshet-Producer-Scope", "record"}, 400},
		"an unknown scope":          {"events", "data: x\n\n", []string{"Content-Type", "text/event-stream", "Freshet-Producer-Scope", "word"}, 400},
		"a reserved name":           {"gen/x", "x", []string{"Content-Type", "text/plain"}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			if response, body := r.do("POST", tt.path, unsized(tt.body), tt.headers...); response.StatusCode != tt.status || !strings.Contains(body, `"code"`) {
				t.Errorf("got %s %s", response.Status, body)
			}
		})
	}
	if got := r.content("json"); got != "[1]" {
		t.Errorf("what came before the bad line is %s", got)
	}
}

// JSON, and whatever a producer names as one request, stays whole.
func TestWhatIsAtomicIsNotStreamed(t *testing.T) {
	r := newRig(t)
	r.create("json", "application/json")
	if response, _ := r.do("POST", "json", unsized(`[1,2,`), "Content-Type", "application/json"); response.StatusCode != 400 || r.content("json") != "[]" {
		t.Errorf("half JSON gets %s and leaves %s", response.Status, r.content("json"))
	}
	r.create("text", "text/plain")
	for range 2 {
		response, _ := r.do("POST", "text", unsized("abc"), "Content-Type", "text/plain", "Producer-Id", "p", "Producer-Epoch", "0", "Producer-Seq", "0")
		if response.StatusCode/100 != 2 || r.content("text") != "abc" {
			t.Errorf("got %s, %s", response.Status, r.content("text"))
		}
	}
	r.create("own", "application/x-ndjson")
	if response, _ := r.do("POST", "own", unsized("1\n{"), "Content-Type", "application/x-ndjson"); response.StatusCode != 204 || r.content("own") != "1\n{" {
		t.Errorf("a stream that is itself of lines: %s, %q", response.Status, r.content("own"))
	}
}
