package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/freshet-stream/freshet/bench/internal/child"
	"github.com/freshet-stream/freshet/bench/internal/load"
	"github.com/freshet-stream/freshet/bench/internal/pin"
	"github.com/freshet-stream/freshet/bench/internal/subject"
)

// A config is what the flags say, and where the benchmarks run.
type config struct {
	only                       string
	count                      int
	time, timeout              time.Duration
	record                     int
	followers, rate, producers int
	writers, idle, idleCount   int
	streams, tokens, procs     int
	storeCount                 int
	callers, into              string
	answer, callersCount       int
	json                       bool
	dir, profiles              string

	cores pin.Cores
	// data is a directory on disk that is removed in the end.
	data string
	runs int
}

// leastRecord is what a record needs to have room for a time.
const leastRecord = 24

func parseFlags() (*config, error) {
	var c config
	flag.StringVar(&c.only, "bench", "", "benchmarks to run, separated by commas: "+strings.Join(names(), ", ")+" (default all)")
	flag.IntVar(&c.count, "count", 5, "repetitions of each")
	flag.DurationVar(&c.time, "time", time.Second, "how long load is put on in each repetition")
	flag.DurationVar(&c.timeout, "timeout", 12*time.Minute, "when to give up")
	flag.IntVar(&c.record, "record", 128, "bytes of a record")
	flag.IntVar(&c.followers, "followers", 1000, "followers of fanout and backlog")
	flag.IntVar(&c.rate, "rate", 20, "events a second of fanout")
	flag.IntVar(&c.producers, "producers", 16, "producers of backlog")
	flag.IntVar(&c.writers, "writers", 64, "producers of appends, each on a stream of its own")
	flag.IntVar(&c.idle, "idle", 5000, "followers of memory")
	flag.IntVar(&c.idleCount, "idlecount", 3, "repetitions of memory, each in a new process")
	flag.IntVar(&c.streams, "streams", 200, "streams of tokens")
	flag.IntVar(&c.tokens, "tokens", 50, "tokens a second and stream of tokens, fewer if one core cannot do them, and of each answer of generations")
	flag.StringVar(&c.callers, "callers", "1,50,200", "how many answers are generated at the same time in generations, each a row")
	flag.StringVar(&c.into, "into", "memory,pebble,redis", "stores of generations")
	flag.IntVar(&c.answer, "answer", 50, "tokens of an answer of generations; where there is but one at a time, fewer")
	flag.IntVar(&c.callersCount, "callerscount", 2, "repetitions of generations, each three times as long as others")
	flag.IntVar(&c.storeCount, "storecount", 3, "repetitions of stores and commands, each half as long as others")
	flag.IntVar(&c.procs, "procs", 2, "GOMAXPROCS of the server")
	flag.StringVar(&c.dir, "dir", ".", "a directory on the disk to measure")
	flag.BoolVar(&c.json, "json", false, "write JSON")
	flag.StringVar(&c.profiles, "profile", "", "write profiles of Freshet's processes, of the CPU and for memory of the heap, into this directory, which makes them slower")
	flag.Parse()
	for _, name := range strings.Split(c.only, ",") {
		if name != "" && !slices.Contains(names(), name) {
			return nil, fmt.Errorf("there is no benchmark %q; there are %s", name, strings.Join(names(), ", "))
		}
	}
	if c.record < leastRecord || c.record > 32<<10 {
		return nil, fmt.Errorf("-record is %d and may be %d to 32768", c.record, leastRecord)
	}
	return &c, nil
}

func (c *config) wants(name string) bool {
	return c.only == "" || slices.Contains(strings.Split(c.only, ","), name)
}

// payload returns the record of all benchmarks.
func (c *config) payload() []byte { return load.Record(c.record) }

// start starts what is to be measured.
func (c *config) start(ctx context.Context, s contender) (_ *child.Process, err error) {
	spec := subject.Spec{Name: s.subject, Record: c.record, Writers: c.writers, Upstream: s.upstream}
	if s.redis != nil {
		spec.Redis = s.redis.URL()
	}
	if s.onDisk {
		if spec.Dir, err = c.makeDir(); err != nil {
			return nil, err
		}
	}
	return child.Start(ctx, c.cores, c.procs, spec)
}

// makeDir makes a directory on disk.
func (c *config) makeDir() (string, error) {
	c.runs++
	dir := filepath.Join(c.data, fmt.Sprint(c.runs))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", fmt.Errorf("make directory for data: %w", err)
	}
	return dir, nil
}
