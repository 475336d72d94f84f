package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/freshet-stream/freshet"
	"go.uber.org/goleak"
)

// A failed fsync ends the process or leaves goroutines behind, so these tests
// run in a child: this binary, told by the environment what to do.
const childEnv, childDir = "PEBBLESTORE_TEST_CHILD", "PEBBLESTORE_TEST_DIR"

func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	switch os.Getenv(childEnv) {
	case "open":
		s, err := Open(dir, Options{Logger: quiet()})
		if err == nil {
			err = s.Close()
		}
		if err != nil {
			fmt.Print(err)
		}
	case "exit":
		failSync(dir, nil)
	case "handle":
		handleFailedSync(dir)
	default:
		goleak.VerifyTestMain(m)
	}
}

// child runs the child and returns what it says, with its status if that is
// not 0.
func child(t *testing.T, what, dir string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+what, childDir+"="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%s\n%v", out, err)
	}
	return string(out)
}

// failSync appends three times, lets all further syncs of the log fail, and
// appends again.
func failSync(dir string, onFatal func(error)) (*Store, error) {
	var fail atomic.Bool
	fs := faultFS{vfs.Default, func(name string) error {
		if fail.Load() && strings.HasSuffix(name, ".log") {
			return errors.New("no space left on device")
		}
		return nil
	}}
	s, err := Open(dir, Options{FS: fs, OnFatal: onFatal, Logger: slog.New(slog.NewTextHandler(os.Stdout, nil))})
	must(err)
	ctx := context.Background()
	_, _, err = s.Create(ctx, "s", freshet.Creation{Nonce: freshet.NewNonce()})
	must(err)
	for i := range 3 {
		must(appendText(ctx, s, fmt.Sprint(i)))
	}
	fail.Store(true)
	return s, appendText(ctx, s, "lost")
}

func appendText(ctx context.Context, s *Store, data string) error {
	_, err := s.Append(ctx, "s", freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{{Records: []freshet.Record{{Data: []byte(data)}}}}})
	return err
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func handleFailedSync(dir string) {
	told := make(chan error, 10)
	s, err := failSync(dir, func(err error) { told <- err })
	if !errors.Is(err, freshet.ErrUncertain) {
		fmt.Println("the append under way:", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := appendText(ctx, s, "after"); !errors.Is(err, freshet.ErrUnavailable) {
		fmt.Println("an append after it:", err)
	}
	if _, err := s.Info(ctx, "s"); !errors.Is(err, freshet.ErrUnavailable) {
		fmt.Println("info after it:", err)
	}
	if err := s.Close(); !errors.Is(err, freshet.ErrUnavailable) {
		fmt.Println("close:", err)
	}
	fmt.Println("told:", <-told)
	if len(told) > 0 {
		fmt.Println("told several times")
	}
	fmt.Println("went on")
}

func TestFailedSyncEndsTheProcess(t *testing.T) {
	dir := t.TempDir()
	out := child(t, "exit", dir)
	if !strings.Contains(out, "exit status 1") || !strings.Contains(out, "The store cannot go on") || !strings.Contains(out, "no space left") || !strings.Contains(out, dir) {
		t.Fatalf("the process said:\n%s", out)
	}
	checkSurvivors(t, dir)
}

func TestFailedSyncIsHandled(t *testing.T) {
	dir := t.TempDir()
	out := child(t, "handle", dir)
	for _, bad := range []string{"the append under way", "an append after", "info after", "close:", "times", "exit status"} {
		if strings.Contains(out, bad) {
			t.Fatalf("the process said:\n%s", out)
		}
	}
	if !strings.Contains(out, "told: ") || !strings.Contains(out, "went on") {
		t.Fatalf("the process said:\n%s", out)
	}
	checkSurvivors(t, dir)
}

// checkSurvivors opens the directory again and looks for what was acknowledged.
func checkSurvivors(t *testing.T, dir string) {
	t.Helper()
	s, err := Open(dir, Options{Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	page, err := s.Read(t.Context(), "s", freshet.Offset{}, freshet.Limit{})
	if err != nil || len(page.Records) < 3 || string(page.Records[2].Data) != "2" {
		t.Fatalf("%d records, %v", len(page.Records), err)
	}
}
