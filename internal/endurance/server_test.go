package endurance

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/freshet-stream/freshet/pebblestore"
	"github.com/freshet-stream/freshet/server"
)

// serveVariable names the directory of the store that this process is to serve,
// instead of running tests.
const serveVariable = "FRESHET_ENDURANCE_SERVE"

func TestMain(m *testing.M) {
	dir := os.Getenv(serveVariable)
	if dir == "" {
		os.Exit(m.Run())
	}
	runtime.MemProfileRate = 1
	if err := serve(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A sample is what a server uses.
type sample struct {
	server.Stats
	// Heap is what is alive after a collection, but for the engine's own.
	Heap int64
}

// serve serves a store on loopback, writes its address, and then a sample for
// each line that it reads.
func serve(dir string) error {
	// The engine's own memory is a setting, and small here, so that it does not
	// hide what is looked for.
	store, err := pebblestore.Open(dir, pebblestore.Options{MemTableBytes: 1 << 20, CacheBytes: 16 << 20})
	if err != nil {
		return err
	}
	defer store.Close()
	// No heartbeat comes between the events.
	srv, err := server.New(server.Options{Store: store, Loopback: true, Heartbeat: time.Hour})
	if err != nil {
		return err
	}
	listener, err := listen()
	if err != nil {
		return err
	}
	web := &http.Server{Handler: srv}
	go func() { _ = web.Serve(listener) }()
	defer web.Close()
	defer srv.Close()
	fmt.Println(listener.Addr())
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		if err := json.NewEncoder(os.Stdout).Encode(sample{srv.Stats(), heap()}); err != nil {
			return err
		}
	}
	return nil
}

// isFull reports whether the tests are to be of full size.
func isFull() bool { return os.Getenv("FRESHET_ENDURANCE") == "full" }

// listen listens on loopback. Unless the tests are of full size the system holds
// little of what is written, so that little is enough to have a writer wait.
func listen() (net.Listener, error) {
	var config net.ListenConfig
	if !isFull() {
		config.Control = func(_, _ string, c syscall.RawConn) error { return setBuffer(c, syscall.SO_SNDBUF, 64<<10) }
	}
	return config.Listen(context.Background(), "tcp4", "127.0.0.1:0")
}

// setBuffer sets the size of a socket's buffer, before it is connected.
func setBuffer(c syscall.RawConn, option, bytes int) (err error) {
	controlled := c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, option, bytes) })
	return errors.Join(controlled, err)
}

// A process is a server in a process of its own.
type process struct {
	*testing.T
	addr    string
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

// start serves the store in a directory until stop, or the end of the test.
func start(t *testing.T, dir string) *process {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("memory and buffers are read from /proc")
	}
	p := &process{T: t, command: exec.Command(os.Args[0])}
	p.command.Env = append(os.Environ(), serveVariable+"="+dir)
	p.command.Stderr = os.Stderr
	in, err := p.command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.in, p.out = in, bufio.NewReader(out)
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	line, err := p.out.ReadString('\n')
	if err != nil {
		t.Fatalf("the server did not start: %v", err)
	}
	p.addr = strings.TrimSpace(line)
	return p
}

func (p *process) stop() {
	if p.command == nil {
		return
	}
	_ = p.in.Close()
	if err := p.command.Wait(); err != nil {
		p.Errorf("the server ended with %v", err)
	}
	p.command = nil
}

// sample lets the server collect its garbage and measure itself.
func (p *process) sample() (s sample) {
	p.Helper()
	if _, err := io.WriteString(p.in, "\n"); err != nil {
		p.Fatal(err)
	}
	line, err := p.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &s)
	}
	if err != nil {
		p.Fatalf("sample: %v", err)
	}
	return s
}

// steady returns a sample once the server has nothing to do any more: writers
// have given back their buffers, and what is held for a moment is gone.
func (p *process) steady() (s sample) {
	p.Helper()
	p.until("a server at rest", func() bool {
		before := s
		s = p.sample()
		return s.PageBytes == 0 && max(s.Heap-before.Heap, before.Heap-s.Heap) < s.Heap/1000
	})
	return s
}

// resident returns the memory of the process, as the system counts it (proc(5),
// VmRSS), in bytes.
func (p *process) resident() (bytes int64) {
	p.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		p.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscanf(strings.TrimSpace(rest), "%d kB", &bytes); err != nil {
		p.Fatalf("read VmRSS: %v", err)
	}
	return bytes << 10
}

// send sends a request with a body and wants a status of 2xx.
func (p *process) send(method, name, body string, headers ...string) {
	p.Helper()
	request, err := http.NewRequestWithContext(p.Context(), method, "http://"+p.addr+"/v1/stream/"+name, strings.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.Fatal(err)
	}
	defer response.Body.Close()
	if answer, _ := io.ReadAll(response.Body); response.StatusCode/100 != 2 {
		p.Fatalf("%s %s: %s %s", method, name, response.Status, answer)
	}
}

// until polls until done.
func (p *process) until(what string, done func() bool) {
	p.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.Fatalf("%s has not come to be", what)
		}
	}
}
