package fleet_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/freshet-stream/freshet/internal/fleet"
)

// shell returns a process that runs a script, ready once it has said so.
func shell(t *testing.T, script string) *fleet.Process {
	t.Helper()
	p := fleet.NewProcess(fleet.Command{
		Name: "script", Dir: t.TempDir(), Path: "sh", Args: []string{"-c", script},
		Ready: func(_ context.Context, p *fleet.Process) bool {
			text, err := p.Log()
			return err == nil && strings.Contains(text, "ready")
		},
	})
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func start(t *testing.T, p *fleet.Process) {
	t.Helper()
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestKillTakesTheChildrenAlong(t *testing.T) {
	p := shell(t, `sleep 1000 & echo child $! ready; wait`)
	start(t, p)
	text, err := p.Log()
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.Fields(text)[1])
	if err != nil {
		t.Fatal(err)
	}
	if state(t, child) == "" {
		t.Fatal("there is no child")
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, child)
	if p.Running() {
		t.Error("a killed process runs")
	}
	if err := p.Kill(); err != nil {
		t.Errorf("kill again: %v", err)
	}
}

func TestPausedProcessStandsStill(t *testing.T) {
	p := shell(t, `echo ready; while :; do :; done`)
	start(t, p)
	if err := p.Pause(); err != nil {
		t.Fatal(err)
	}
	if s := state(t, p.PID()); s != "T" {
		t.Errorf("the state of a paused process is %q", s)
	}
	if !p.Running() {
		t.Error("a paused process counts as ended")
	}
	if err := p.Resume(); err != nil {
		t.Fatal(err)
	}
	if s := state(t, p.PID()); s == "T" {
		t.Error("a resumed process is stopped")
	}
	if err := p.Pause(); err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := p.Pause(); err == nil {
		t.Error("a process that has ended was paused")
	}
}

func TestTerminateLetsTheProcessFinish(t *testing.T) {
	p := shell(t, `trap 'echo finished; exit 0' TERM; echo ready; while :; do sleep 0.01; done`)
	start(t, p)
	if err := p.Terminate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text, _ := p.Log(); !strings.Contains(text, "finished") {
		t.Errorf("it was not let finish: %q", text)
	}
	plain := shell(t, `echo ready; exec sleep 1000`)
	start(t, plain)
	if err := plain.Terminate(t.Context()); err != nil {
		t.Errorf("to end by the signal is no error: %v", err)
	}
}

func TestStartTellsWhyItFailed(t *testing.T) {
	p := shell(t, `echo the reason >&2; exit 3`)
	err := p.Start(t.Context())
	var ended *fleet.EndedError
	if !errors.As(err, &ended) || !strings.Contains(ended.Log, "the reason") {
		t.Errorf("got %v", err)
	}
	never := shell(t, `exec sleep 1000`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := never.Start(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if never.Running() {
		t.Error("a process that did not get ready runs on")
	}
}

func TestLogIsThatOfTheLastStart(t *testing.T) {
	p := shell(t, `echo $$ ready; exec sleep 1000`)
	start(t, p)
	first, _ := p.Log()
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	start(t, p)
	second, _ := p.Log()
	if second != fmt.Sprintln(p.PID(), "ready") || first == second {
		t.Errorf("the logs are %q and %q", first, second)
	}
	both, err := os.ReadFile(p.LogPath())
	if err != nil || string(both) != first+second {
		t.Errorf("the file has %q (%v)", both, err)
	}
}

// The parent is this test's binary, which starts a process and is killed.
func TestNothingOutlivesItsParent(t *testing.T) {
	const role = "FLEET_TEST_PARENT"
	if dir := os.Getenv(role); dir != "" {
		p := fleet.NewProcess(fleet.Command{Name: "orphan", Dir: dir, Path: "sleep", Args: []string{"1000"}})
		if err := p.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		fmt.Println("child", p.PID())
		_ = p.Wait(context.Background())
		return
	}
	parent := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	parent.Env = append(os.Environ(), role+"="+t.TempDir())
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	child := 0
	for lines := bufio.NewScanner(out); child == 0 && lines.Scan(); {
		_, _ = fmt.Sscanf(lines.Text(), "child %d", &child)
	}
	if child == 0 {
		t.Fatalf("the parent started no child: %v", parent.Wait())
	}
	if state(t, child) == "" {
		t.Fatal("the child did not run")
	}
	if err := parent.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	awaitEnd(t, child)
}

// state returns the state of a process as the kernel calls it, or "" if it has
// ended.
func state(t *testing.T, pid int) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	if rest[:1] == "Z" || rest[:1] == "X" {
		return ""
	}
	return rest[:1]
}

// awaitEnd returns when a process that is not ours to wait for has ended.
func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	for state(t, pid) != "" {
		if t.Context().Err() != nil {
			t.Fatal("the process has not ended")
		}
	}
}

// refused reports whether nothing listens at an address.
func refused(addr string) bool {
	c, err := net.Dial("tcp", addr)
	if err == nil {
		_ = c.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}
