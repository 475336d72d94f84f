package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	said, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, options{setup: "stateless"}, w)
		_ = w.Close()
	}()
	lines := bufio.NewScanner(said)
	// await returns what an expression finds in the next line that has it.
	await := func(expression string) string {
		t.Helper()
		for e := regexp.MustCompile(expression); lines.Scan(); {
			t.Log(lines.Text())
			if found := e.FindStringSubmatch(lines.Text()); found != nil {
				return found[1]
			}
		}
		t.Fatalf("nothing has %s; the end is %v", expression, <-ended)
		return ""
	}
	url := await(`^  (http://\S+)/$`)
	victim, err := strconv.Atoi(await(`^  server-2 .* pid (\d+)$`))
	if err != nil {
		t.Fatal(err)
	}
	await(`(Ctrl-C)`)
	var names []string
	for range 3 {
		names = append(names, answering(t, url))
	}
	slices.Sort(names)
	if want := []string{"server-1", "server-2", "server-3"}; !slices.Equal(names, want) {
		t.Errorf("three requests were answered by %q", names)
	}
	if err := syscall.Kill(victim, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await(`^server-2 \| ended \((signal: killed)\)`)
	again := await(`^server-2 \| runs again, with pid (\d+)`)
	pid, _ := strconv.Atoi(again)
	cancel()
	await(`^(stopping)`)
	if err := <-ended; err != nil {
		t.Errorf("the fleet ended with %v", err)
	}
	if _, err := os.Stat("/proc/" + again); pid == 0 || err == nil {
		t.Errorf("process %s has outlived the fleet", again)
	}
}

// answering returns the name of the server that a request gets to.
func answering(t *testing.T, url string) string {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.Header.Get("Freshet-Server")
}
