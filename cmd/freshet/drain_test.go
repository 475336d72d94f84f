package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A serving is a server as a process.
type serving struct {
	*testing.T
	*exec.Cmd
	url string
	log *bytes.Buffer
	// read is closed once all that it says was read.
	read chan struct{}
}

func serveProcess(t *testing.T, args ...string) *serving {
	t.Helper()
	s := &serving{T: t, read: make(chan struct{})}
	s.Cmd = command(t.Context(), "", append([]string{"serve", "--listen=127.0.0.1:0", "--store=memory:"}, args...)...)
	out, log := start(t, s.Cmd)
	s.log = log
	s.url = findURL(t, out)
	go func() {
		defer close(s.read)
		_, _ = io.Copy(io.Discard, out)
	}()
	return s
}

func findURL(t *testing.T, out *bufio.Reader) string {
	t.Helper()
	tried := regexp.MustCompile(`(http://[^/]+)/v1/stream/hello`)
	for {
		line, err := out.ReadString('\n')
		if found := tried.FindStringSubmatch(line); found != nil {
			return found[1]
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (s *serving) signal() {
	s.Helper()
	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		s.Fatal(err)
	}
}

// end waits for the process to end.
func (s *serving) end() error {
	<-s.read
	return s.Wait()
}

func (s *serving) do(method, path string, headers ...string) *http.Response {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, s.url+path, nil)
	if err != nil {
		s.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// While load balancers take their time to notice, everything is served; and a
// second signal ends what would go on for an hour.
func TestDrainDelayAndSecondSignal(t *testing.T) {
	s := serveProcess(t, "--drain-delay=1h")
	if response := s.do("GET", "/readyz"); response.StatusCode != http.StatusOK {
		t.Fatalf("it is not ready: %s", response.Status)
	}
	s.signal()
	for {
		response := s.do("GET", "/readyz")
		body, _ := io.ReadAll(response.Body)
		if response.StatusCode == http.StatusServiceUnavailable && strings.Contains(string(body), `"draining"`) {
			break
		}
	}
	if response := s.do("PUT", "/v1/stream/s"); response.StatusCode != http.StatusCreated || !response.Close {
		t.Errorf("while it drains a stream is created by %s, %v", response.Status, response.Header)
	}
	follower := s.do("GET", "/v1/stream/s", "Accept", "text/event-stream")
	if follower.StatusCode != http.StatusOK {
		t.Errorf("while it drains a follower gets %s", follower.Status)
	}
	s.signal()
	var ended *exec.ExitError
	if err := s.end(); !errors.As(err, &ended) || ended.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("it ended by %v", err)
	}
}

// A server that is asked to end cuts its followers, lets what is being generated
// finish, answers, and ends with success.
func TestServeDrains(t *testing.T) {
	s := serveProcess(t, "--drain-grace=1m")
	answer := s.do("POST", "/v1/demo?rate=100&tokens=100")
	if answer.StatusCode != http.StatusCreated {
		t.Fatal(answer.Status)
	}
	follower := s.do("GET", answer.Header.Get("Location"), "Accept", "text/event-stream")
	began := time.Now()
	s.signal()
	if _, err := io.ReadAll(follower.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the follower ended by %v", err)
	}
	if err := s.end(); err != nil {
		t.Errorf("it ended by %v after %v", err, time.Since(began))
	}
	log := s.log.String()
	for _, want := range []string{"msg=draining followers=1 uploads=0 generations=1", "msg=drained followers=0 uploads=0 generations=0"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
	if strings.Contains(log, "interrupted") || strings.Contains(log, "level=ERROR") {
		t.Errorf("the log has %s", log)
	}
}

// Work that outlasts the grace is interrupted.
func TestServeDrainsNoLongerThanTheGrace(t *testing.T) {
	s := serveProcess(t, "--drain-grace=10ms")
	if answer := s.do("POST", "/v1/demo?rate=1&tokens=5000"); answer.StatusCode != http.StatusCreated {
		t.Fatal(answer.Status)
	}
	s.signal()
	if err := s.end(); err != nil || !strings.Contains(s.log.String(), "is interrupted") {
		t.Errorf("it ended by %v and said %s", err, s.log)
	}
}
