package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/freshet-stream/freshet/internal/fleet"
)

// conformanceTests is how many tests the suite has. A number that fell would
// mean that some were not run.
const conformanceTests = 338

// TestConformance runs the conformance suite of the Durable Streams protocol. It
// is a ratchet: what conformance-exceptions.txt names has to fail, and nothing
// else may.
func TestConformance(t *testing.T) {
	t.Parallel()
	exceptions := readExceptions(t)
	redis, err := fleet.StartRedis(t.Context(), t.TempDir(), fleet.RedisOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = redis.Close() })
	for store, address := range map[string]string{"memory": "memory:", "pebble": "pebble:" + t.TempDir(), "redis": redis.URL()} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			s := &server{t: t}
			s.run("--listen", "127.0.0.1:0", "--store", address, "--long-poll", "2s", "--log-level", "error")
			results := runConformance(t, s)
			if len(results) != conformanceTests {
				t.Errorf("%d tests ran, of %d", len(results), conformanceTests)
			}
			passed := 0
			for _, name := range slices.Sorted(maps.Keys(results)) {
				r := results[name]
				switch {
				case r.Status == "passed" && exceptions[name]:
					t.Errorf("passes now, so that it is no exception: %s", name)
				case r.Status == "passed":
					passed++
				case r.Status != "failed":
					t.Errorf("was %s instead of run: %s", r.Status, name)
				case !exceptions[name]:
					t.Errorf("fails: %s\n%s", name, strings.Join(r.FailureMessages, "\n"))
				}
			}
			for _, name := range slices.Sorted(maps.Keys(exceptions)) {
				if _, ok := results[name]; !ok {
					t.Errorf("is an exception and no test: %s", name)
				}
			}
			t.Logf("%d of %d passed", passed, len(results))
		})
	}
}

// readExceptions returns the full names of the tests that are known to fail.
func readExceptions(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("conformance-exceptions.txt")
	if err != nil {
		t.Fatal(err)
	}
	exceptions := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			exceptions[line] = true
		}
	}
	return exceptions
}

// A result is how one test of the suite ended, as vitest writes it.
type result struct {
	FullName, Status string
	FailureMessages  []string
}

// runConformance runs the suite against the server and returns its results by
// the tests' full names.
func runConformance(t *testing.T, s *server) map[string]result {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.json")
	vitest := exec.CommandContext(t.Context(), "node", "node_modules/vitest/vitest.mjs", "run",
		"--reporter=json", "--outputFile="+path, "--testTimeout=30000")
	vitest.Dir = "conformance"
	vitest.Env = append(os.Environ(), "FRESHET_URL="+s.url)
	// It fails if any test does, which the report tells better.
	out, failure := vitest.CombinedOutput()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("vitest: %v: %v\n%s", failure, err, out)
	}
	var report struct {
		TestResults []struct{ AssertionResults []result }
	}
	if err := json.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	results := map[string]result{}
	for _, file := range report.TestResults {
		for _, r := range file.AssertionResults {
			if _, ok := results[r.FullName]; ok {
				t.Errorf("two tests have the name %q", r.FullName)
			}
			results[r.FullName] = r
		}
	}
	return results
}
