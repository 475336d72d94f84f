package fleet_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet/internal/fleet"
)

func startRedis(t *testing.T, o fleet.RedisOptions) *fleet.Redis {
	t.Helper()
	r, err := fleet.StartRedis(t.Context(), t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// do asks Redis and stops the test at an error.
func do(t *testing.T, r *fleet.Redis, args ...string) string {
	t.Helper()
	text, err := r.Do(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestRedisKeepsWhatItIsToldToKeep(t *testing.T) {
	for _, test := range []struct {
		about string
		opts  fleet.RedisOptions
		want  string
	}{
		{"memory", fleet.RedisOptions{}, ""},
		{"append-only file", fleet.RedisOptions{AppendOnly: true, Directives: []string{"appendfsync always"}}, "kept"},
	} {
		t.Run(test.about, func(t *testing.T) {
			r := startRedis(t, test.opts)
			do(t, r, "SET", "key", "kept")
			if err := r.Kill(); err != nil {
				t.Fatal(err)
			}
			if !refused(r.Addr()) {
				t.Error("the port of a killed Redis is not refused")
			}
			if err := r.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := do(t, r, "GET", "key"); got != test.want {
				t.Errorf("GET after the restart returned %q, want %q", got, test.want)
			}
		})
	}
}

func TestRedisOptions(t *testing.T) {
	r := startRedis(t, fleet.RedisOptions{Maxmemory: "64mb", Policy: "allkeys-lru", Directives: []string{"timeout 17"}})
	for name, want := range map[string]string{"maxmemory": "67108864", "maxmemory-policy": "allkeys-lru", "timeout": "17"} {
		if got := do(t, r, "CONFIG", "GET", name); !strings.HasSuffix(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if _, err := r.Do(t.Context(), "NO-SUCH-COMMAND"); err == nil {
		t.Error("an error of Redis was not told")
	}
}

func TestPausedRedisDoesNotAnswer(t *testing.T) {
	r := startRedis(t, fleet.RedisOptions{})
	if err := r.Pause(); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatalf("the kernel does not take connections for it: %v", err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("PING\r\n")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 16)
	_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, err := c.Read(answer); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it answered %q (%v)", answer[:n], err)
	}
	if err := r.Resume(); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Time{})
	if n, err := c.Read(answer); string(answer[:n]) != "+PONG\r\n" {
		t.Errorf("once resumed it answered %q (%v)", answer[:n], err)
	}
}

func TestTakenPort(t *testing.T) {
	first := startRedis(t, fleet.RedisOptions{})
	_, err := fleet.StartRedis(t.Context(), t.TempDir(), fleet.RedisOptions{Port: first.Port})
	var ended *fleet.EndedError
	if !errors.As(err, &ended) || !strings.Contains(ended.Log, "in use") {
		t.Errorf("got %v", err)
	}
}

func TestRedisStopsWhenAsked(t *testing.T) {
	r := startRedis(t, fleet.RedisOptions{})
	if err := r.Terminate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text, _ := r.Log(); !strings.Contains(text, "bye bye") {
		t.Errorf("its log does not say so: %s", text)
	}
	if err := r.Wait(context.Background()); err != nil {
		t.Errorf("it ended with %v", err)
	}
}
