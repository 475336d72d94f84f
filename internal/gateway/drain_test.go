package gateway_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/server"
)

// A drain waits for generations and their callers, and closes what is left as
// interrupted, which callers are told.
func TestDrain(t *testing.T) {
	r := newRig(t, 1, func(o *server.Options) { o.DrainGrace, o.DrainWindow = 50*time.Millisecond, -1 })
	response := r.post(0, "/v1/chat/completions", question("/v1/chat/completions", "stall=5"))
	name := streamOf(t, response)
	if err := r.servers[0].Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := read(t, response)
	if !strings.Contains(got, `"code":"interrupted"`) {
		t.Errorf("got %s", got)
	}
	info, err := r.store.Info(t.Context(), name)
	if err != nil || info.Closed == nil || info.Closed.Reason != freshet.Interrupted {
		t.Errorf("got %+v, %v", info.Closed, err)
	}
	refused := r.post(0, "/v1/chat/completions", question("/v1/chat/completions", "x"))
	if refused.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a server that has drained answers %s", refused.Status)
	}
	if _, err := io.Copy(io.Discard, refused.Body); err != nil && !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

// A drain waits, too, for answers that are only passed on: nobody else has them.
// Who gets none within the grace is told to ask again.
func TestDrainWaitsForWhatIsPassedOn(t *testing.T) {
	for grace, want := range map[time.Duration]int{time.Minute: http.StatusOK, time.Millisecond: http.StatusServiceUnavailable} {
		asked, let := make(chan struct{}), make(chan struct{})
		upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			close(asked)
			select {
			case <-let:
				_, _ = io.WriteString(w, "whole")
			case <-r.Context().Done():
			}
		})
		r := newRigBefore(t, 1, upstream, func(o *server.Options) { o.DrainGrace, o.DrainWindow = grace, -1 })
		answers := make(chan *http.Response, 1)
		go func() {
			response, err := r.try(t.Context(), "POST", r.urls[0]+chat, `{"stream":false}`)
			if err != nil {
				t.Error(err)
			}
			answers <- response
		}()
		<-asked
		if n := r.servers[0].Stats().Generations; n != 1 {
			t.Errorf("a drain would wait for %d", n)
			want = http.StatusOK
		}
		drained := make(chan error, 1)
		go func() { drained <- r.servers[0].Drain(t.Context()) }()
		if want == http.StatusOK {
			close(let)
		}
		response := <-answers
		if response == nil {
			continue
		}
		if got := read(t, response); response.StatusCode != want || want == http.StatusOK && got != "whole" {
			t.Errorf("grace %v: got %s %s", grace, response.Status, got)
		}
		_ = response.Body.Close()
		if err := <-drained; err != nil {
			t.Error(err)
		}
	}
}

// Nor does a caller who reads nothing of what is passed on hold up the end.
func TestDrainLeavesWhoDoesNotRead(t *testing.T) {
	var since atomic.Pointer[time.Time]
	upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for piece := make([]byte, 64<<10); ; {
			now := time.Now()
			since.Store(&now)
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	})
	r := newRigBefore(t, 1, upstream, func(o *server.Options) { o.DrainGrace, o.DrainWindow = time.Millisecond, -1 })
	connection, err := net.Dial("tcp", strings.TrimPrefix(r.urls[0], "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", chat)
	await(t, func() bool {
		began := since.Load()
		return began != nil && time.Since(*began) > 300*time.Millisecond
	})
	if err := r.servers[0].Drain(t.Context()); err != nil {
		t.Error(err)
	}
}

// The same of an answer that is no stream, and is kept whole.
func TestDrainLeavesWhoDoesNotReadTheWhole(t *testing.T) {
	body := strings.Repeat("x", 15<<20)
	upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, body)
	})
	r := newRigBefore(t, 1, upstream, func(o *server.Options) { o.DrainGrace, o.DrainWindow = time.Millisecond, -1 })
	connection, err := net.Dial("tcp", strings.TrimPrefix(r.urls[0], "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 15\r\n\r\n{\"stream\":true}", chat)
	if _, err := connection.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := r.servers[0].Drain(t.Context()); err != nil {
		t.Error(err)
	}
}
