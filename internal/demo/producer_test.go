package demo_test

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
)

func TestProducer(t *testing.T) {
	f := start(t, nil)
	sample, err := os.ReadFile("answer.txt")
	if err != nil {
		t.Fatal(err)
	}
	name := f.start("rate=200")
	if text, reason := f.end(name); text != string(sample) || reason != freshet.Completed {
		t.Errorf("the stream has %q and is %s", text, reason)
	}
	name = f.start("rate=200&tokens=400")
	text, _ := f.end(name)
	rest, ok := strings.CutPrefix(text, string(sample))
	if !ok || rest == "" || !strings.HasPrefix(string(sample), rest) {
		t.Errorf("400 tokens do not repeat the answer: %q", rest)
	}
}

// Guarantee 8: nobody reads.
func TestStop(t *testing.T) {
	f := start(t, nil)
	name := f.start("rate=20")
	if _, err := f.streams.Append(t.Context(), name, freshet.Append{Close: &freshet.Closing{Reason: freshet.Cancelled}}); err != nil {
		t.Fatal(err)
	}
	if _, reason := f.end(name); reason != freshet.Cancelled {
		t.Errorf("the stream is %s", reason)
	}
}

// Guarantee 7.
func TestProducersAreBounded(t *testing.T) {
	const most = 32
	f := start(t, nil)
	var names []string
	for range most {
		names = append(names, f.start("rate=10"))
	}
	response := f.post("/v1/demo", "")
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Fatalf("one more is answered %s", response.Status)
	}
	if _, err := f.streams.Append(t.Context(), names[0], freshet.Append{Close: &freshet.Closing{Reason: freshet.Cancelled}}); err != nil {
		t.Fatal(err)
	}
	for by := time.Now().Add(patience); f.post("/v1/demo?rate=1", "").StatusCode != http.StatusCreated; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(by) {
			t.Fatal("there is no room after one has ended")
		}
	}
}

func TestCloseInterrupts(t *testing.T) {
	f := start(t, nil)
	name := f.start("rate=1")
	f.streams.Close()
	info, err := f.store.Info(t.Context(), name)
	if err != nil || info.Closed == nil || info.Closed.Reason != freshet.Interrupted {
		t.Errorf("after Close the stream is %+v, error %v", info.Closed, err)
	}
	if response := f.post("/v1/demo", ""); response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("after Close a start is answered %s", response.Status)
	}
}

func TestBadRequests(t *testing.T) {
	f := start(t, nil)
	for _, tt := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/v1/demo", "", 405},
		{"DELETE", "/v1/demo", "", 405},
		{"GET", "/v1/demo/cut", "", 405},
		{"POST", "/v1/demo/other", "", 404},
		{"POST", "/v1/demo?rate=0", "", 400},
		{"POST", "/v1/demo?rate=201", "", 400},
		{"POST", "/v1/demo?rate=many", "", 400},
		{"POST", "/v1/demo?tokens=5001", "", 400},
		{"POST", "/v1/demo?rate=%zz", "", 400},
		{"POST", "/v1/demo/cut", "", 400},
		{"POST", "/v1/demo/cut", `{"tap":"short"}`, 400},
		{"POST", "/v1/demo/cut", `{"tap":"` + strings.Repeat("a", 4096) + `"}`, 400},
		{"POST", "/v1/demo/cut", `{"tap":"0123456789abcdef"}`, 404},
		{"POST", "/v1/demo/cut?tap=0123456789abcdef", "", 404},
	} {
		r, err := http.NewRequest(tt.method, f.URL+tt.path, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		response, err := f.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != tt.status || response.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s %.40s: %s, %s", tt.method, tt.path, tt.body, response.Status, response.Header.Get("Content-Type"))
		}
	}
}
