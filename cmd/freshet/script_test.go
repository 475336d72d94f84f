package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/freshet-stream/freshet/memstore"
	"github.com/freshet-stream/freshet/server"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"freshet": main})
}

// noRaceSleep is for GORACE: processes built with -race sleep for a second at
// their end otherwise.
const noRaceSleep = "atexit_sleep_ms=0"

// testServer runs a server that forgets, and returns its URL and how to end it.
func testServer(t testing.TB) (url string, end func()) {
	t.Helper()
	store := memstore.New(memstore.Options{})
	s, err := server.New(server.Options{Store: store, Logger: slog.New(slog.DiscardHandler), LongPoll: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	return h.URL, func() {
		s.Close()
		h.Close()
		_ = store.Close()
	}
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			url, end := testServer(t)
			env.Defer(end)
			env.Setenv("FRESHET_URL", url)
			env.Setenv("GORACE", noRaceSleep)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"exits": exits},
	})
}

// exits runs freshet and checks its exit status: exits STATUS ARG...
func exits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec("freshet", args[1:]...)
	status := "0"
	if err != nil {
		status = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if status != args[0] {
		ts.Fatalf("exited with %s, not %s", status, args[0])
	}
}

// command returns freshet, as a process of the test binary.
func command(ctx context.Context, url string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Args[0] = "freshet"
	cmd.Env = append(os.Environ(), "FRESHET_URL="+url, "GORACE="+noRaceSleep)
	return cmd
}

// start starts a command and returns its output, to be read line by line.
func start(t *testing.T, cmd *exec.Cmd) (stdout *bufio.Reader, stderr *bytes.Buffer) {
	t.Helper()
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr = new(bytes.Buffer)
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return bufio.NewReader(pipe), stderr
}

func wantLine(t *testing.T, r *bufio.Reader, want string) {
	t.Helper()
	if line, err := r.ReadString('\n'); line != want+"\n" {
		t.Fatalf("read %q, %v", line, err)
	}
}

func TestSignalsEndCleanly(t *testing.T) {
	url, end := testServer(t)
	defer end()
	producer := command(t.Context(), url, "append", "live")
	in, err := producer.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	_, said := start(t, producer)
	if _, err := io.WriteString(in, "one\n"); err != nil {
		t.Fatal(err)
	}
	for _, via := range []string{"sse", "ws", "long-poll"} {
		follower := command(t.Context(), url, "follow", "--wait=1m", "--via", via, "live")
		out, stderr := start(t, follower)
		wantLine(t, out, "one")
		_ = follower.Process.Signal(syscall.SIGINT)
		_ = follower.Wait()
		if code := follower.ProcessState.ExitCode(); code != exitSignal || stderr.Len() > 0 {
			t.Errorf("%s: exited with %d and said %q", via, code, stderr)
		}
	}
	_ = producer.Process.Signal(syscall.SIGINT)
	_ = producer.Wait()
	if code := producer.ProcessState.ExitCode(); code != exitSignal || !strings.Contains(said.String(), "all that was read has landed") {
		t.Errorf("append exited with %d and said %q", code, said)
	}
}

// What is written to the input is there for readers at once, while it stays
// open; and a reader that goes away ends the command that writes to it.
func TestTextArrivesWhileTheInputIsOpen(t *testing.T) {
	url, end := testServer(t)
	defer end()
	producer := command(t.Context(), url, "append", "--close", "live")
	in, err := producer.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(t, producer)
	follower := command(t.Context(), url, "follow", "--wait=1m", "live")
	out, err := follower.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := follower.Start(); err != nil {
		t.Fatal(err)
	}
	for _, piece := range []string{"a", "b\r\n", "🌊"} {
		if _, err := io.WriteString(in, piece); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(piece))
		if _, err := io.ReadFull(out, got); err != nil || string(got) != piece {
			t.Fatalf("read %q, %v", got, err)
		}
	}
	_ = out.Close()
	if _, err := io.WriteString(in, "nobody reads this"); err != nil {
		t.Fatal(err)
	}
	_ = follower.Wait()
	if status, ok := follower.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGPIPE {
		t.Errorf("follow ended with %v", follower.ProcessState)
	}
	_ = in.Close()
	if err := producer.Wait(); err != nil {
		t.Errorf("append: %v", err)
	}
}
