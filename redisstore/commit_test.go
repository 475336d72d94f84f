package redisstore

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
)

// A call that was made and whose commit was certainly refused is not certain to
// have failed: the next one commits it.
func TestRefusedCommitIsUncertain(t *testing.T) {
	primary, replica := startPair(t, t.TempDir())
	s := open(t, primary.URL()+"?replicas=1&replica_timeout=1m", Options{Patience: 200 * time.Millisecond})
	defer s.Close()
	create(t, s, "s")
	if err := replica.Pause(); err != nil {
		t.Fatal(err)
	}
	call := freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{{Records: []freshet.Record{{Data: []byte("one")}}}}}
	answered := make(chan error, 1)
	go func() {
		_, err := s.Append(t.Context(), "s", call)
		answered <- err
	}()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		text, err := primary.Do(t.Context(), "INFO", "clients")
		if err == nil && strings.Contains(text, "blocked_clients:1") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("nothing waits for the replica: %v\n%s", err, text)
		}
	}
	if _, err := primary.Do(t.Context(), "CONFIG", "SET", "min-replicas-to-write", "2"); err != nil {
		t.Fatal(err)
	}
	if err := replica.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; !errors.Is(err, freshet.ErrUncertain) || !strings.Contains(err.Error(), "NOREPLICAS") {
		t.Fatalf("the commit was refused: %v", err)
	}
	if _, err := primary.Do(t.Context(), "CONFIG", "SET", "min-replicas-to-write", "0"); err != nil {
		t.Fatal(err)
	}
	call.Retry = true
	results, err := s.Append(t.Context(), "s", call)
	if err != nil || results[0].Err != nil || results[0].Tail.Seq != 1 {
		t.Errorf("again: %v, %+v", err, results)
	}
}
