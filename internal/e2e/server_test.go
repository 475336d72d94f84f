package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A server is a running freshet.
type server struct {
	t   *testing.T
	cmd *exec.Cmd
	// url is where it is, without a slash at the end.
	url string
	// env is what its environment has beside that of the test.
	env []string
}

// startServer runs the binary until the test ends, on a free port and with
// streams in memory.
func startServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t}
	s.run("--listen", "127.0.0.1:0", "--store", "memory:")
	return s
}

// run starts the server. It is stopped when the test ends, if not before; sample
// answers are then not waited for.
func (s *server) run(args ...string) {
	s.t.Helper()
	cmd := exec.Command(binary, append([]string{"serve", "--drain-grace", "0s"}, args...)...)
	cmd.Stderr = s.t.Output()
	cmd.Env = append(os.Environ(), s.env...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("run freshet: %v", err)
	}
	s.cmd = cmd
	s.t.Cleanup(s.stop)
	s.url = readURL(s.t, stdout)
}

// stop interrupts the server, unless it was stopped, and waits for its end.
func (s *server) stop() {
	cmd := s.cmd
	if s.cmd = nil; cmd == nil {
		return
	}
	_ = cmd.Process.Signal(os.Interrupt)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			s.t.Errorf("freshet ended with %v after an interrupt", err)
		}
	case <-time.After(30 * time.Second):
		_ = cmd.Process.Kill()
		s.t.Error("freshet did not end within 30 s of an interrupt")
	}
}

// readURL finds in what the server says the address of its page.
func readURL(t *testing.T, stdout io.Reader) string {
	t.Helper()
	found := make(chan string, 1)
	go func() {
		defer close(found)
		page := regexp.MustCompile(`page:\s+(https?://[^\s/]+)/`)
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			if m := page.FindStringSubmatch(lines.Text()); m != nil {
				found <- m[1]
			}
		}
	}()
	select {
	case url := <-found:
		if url != "" {
			return url
		}
	case <-time.After(time.Minute):
	}
	t.Fatal("freshet serve did not say where its page is")
	return ""
}

// do sends a request that has to succeed and returns the answer with its body.
func (s *server) do(method, path, body string, headers ...string) (*http.Response, string) {
	s.t.Helper()
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if response.StatusCode >= 300 {
		s.t.Fatalf("%s %s: %s\n%s", method, path, response.Status, got)
	}
	return response, string(got)
}

// read returns what is stored of a stream.
func (s *server) read(name string) string {
	s.t.Helper()
	_, body := s.do("GET", "/v1/stream/"+name, "")
	return body
}

// demo starts a sample answer and returns its stream.
func (s *server) demo(query string) string {
	s.t.Helper()
	_, body := s.do("POST", "/v1/demo?"+query, "")
	var answer struct{ Stream string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		s.t.Fatal(err)
	}
	return answer.Stream
}
