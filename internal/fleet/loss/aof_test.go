package loss_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/freshet-stream/freshet/internal/fleet"
)

// A Redis whose machine stopped before the append-only file was all on disk: it
// starts with what there is of it.
func TestAppendOnlyFileCutShort(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	redis := keep[*fleet.Redis](t)(fleet.StartRedis(t.Context(), dir, fleet.RedisOptions{
		AppendOnly: true, Directives: []string{"appendfsync always"},
	}))
	var file string
	var size int64
	checkLoss(t, losing{
		url: redis.URL(),
		fork: func(t *testing.T) {
			files, err := filepath.Glob(filepath.Join(dir, "redis/appendonlydir/*.incr.aof"))
			if err != nil || len(files) != 1 {
				t.Fatalf("the append-only files are %v, %v", files, err)
			}
			file = files[0]
			size = length(t, file)
		},
		lose: func(t *testing.T) {
			must(t, redis.Kill())
			// Not at the fork but inside of what came next, which then does not
			// count either.
			if now := length(t, file); now < size+64 {
				t.Fatalf("the file has %d bytes and had %d", now, size)
			}
			must(t, os.Truncate(file, size+64))
			must(t, redis.Start(t.Context()))
			if log, err := redis.Log(); err != nil || !strings.Contains(log, "Truncat") {
				t.Fatalf("Redis has not cut the file: %v\n%s", err, log)
			}
		},
	})
}

func length(t *testing.T, file string) int64 {
	t.Helper()
	facts, err := os.Stat(file)
	must(t, err)
	return facts.Size()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
