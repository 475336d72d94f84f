package chaos_test

import (
	"os"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"github.com/freshet-stream/freshet/internal/chaos"
)

// Guarantees 1 to 6, on three servers over one Redis, for two minutes of faults.
// FRESHET_CHAOS_SEED repeats the choices of an earlier run, and
// FRESHET_CHAOS_DURATION lets it last for longer.
func TestFleetUnderFaultsKeepsTheGuarantees(t *testing.T) {
	o := chaos.Options{Seed: uint64(time.Now().UnixNano()) % 1_000_000, Duration: 2 * time.Minute, Race: isRace()}
	var err error
	if text := os.Getenv("FRESHET_CHAOS_SEED"); text != "" {
		if o.Seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	if text := os.Getenv("FRESHET_CHAOS_DURATION"); text != "" {
		if o.Duration, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	// What a run that failed leaves behind is to be looked at.
	if o.Dir, err = os.MkdirTemp("", "freshet-chaos-"); err != nil {
		t.Fatal(err)
	}
	t.Logf("seed %d", o.Seed)
	o.Say = func(text string) { t.Log(text) }
	report, err := chaos.Run(t.Context(), o)
	if err != nil {
		t.Fatalf("seed %d: %v; the history is %s, the logs are beside it", o.Seed, err, chaos.HistoryPath(o.Dir))
	}
	if failure := report.Failure(); failure != "" {
		t.Fatalf("seed %d: %s; the history is %s, the logs are beside it\n%v", o.Seed, failure, chaos.HistoryPath(o.Dir), report)
	}
	t.Logf("seed %d\n%v", o.Seed, report)
	if err := os.RemoveAll(o.Dir); err != nil {
		t.Error(err)
	}
}

// isRace reports whether this binary was built with the race detector.
func isRace() bool {
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if s.Key == "-race" && s.Value == "true" {
			return true
		}
	}
	return false
}
