package endurance

import (
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet/internal/fleet"
)

// DESIGN trap: the engine restarts. Redis does, under a server that follows 10,000
// streams: all subscriptions are made again and all streams looked at, a few at a
// time; nobody misses anything, and the server's memory does not double.
func TestRedisRestartsUnderManyStreams(t *testing.T) {
	const streams = 10_000
	s := &storm{T: t, followers: streams, streams: streams}
	dir := t.TempDir()
	binary := s.build(dir)
	s.redis = s.startRedis(dir, fleet.RedisOptions{AppendOnly: true})
	server := s.serve(binary, dir, "server")
	s.others = []*fleet.Server{server}
	s.each(func(i int) { s.send("PUT", i, "") })
	s.append(1)
	crowd := s.crowd("crowd", streams, server, nil)
	s.until("everybody", func() bool { return crowd.at(streams) })
	before := s.memory(server, "VmRSS")
	if n := s.subscriptions(); n < streams {
		t.Fatalf("%d subscriptions for %d streams", n, streams)
	}

	if err := s.redis.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := s.redis.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	s.until("every subscription", func() bool { return s.subscriptions() >= streams })
	came := time.Since(began)
	s.append(1)
	s.until("everybody up to date", func() bool { return crowd.tally().Least == s.appended })
	took, read := time.Since(began), s.reads() // Redis has begun to count anew

	t.Logf("%d streams were followed again after %v; everybody was up to date after %v, and %d reads", streams, came.Round(time.Millisecond), took.Round(time.Millisecond), read)
	if end := crowd.tally(); end.Lost > 0 || end.Most != s.appended {
		t.Errorf("of %d records: %+v", s.appended, end)
	}
	// A look for the subscription, one for what was told before it held, and ever
	// fewer while nothing comes, before the record and after it.
	looks := 2
	for d := time.Second / 2; d < took; d *= 2 {
		looks += 2
	}
	if read > looks*streams {
		t.Errorf("Redis was read %d times for %d streams", read, streams)
	}
	most := s.memory(server, "VmHWM")
	t.Logf("memory: %d MB before, %d at most", before>>20, most>>20)
	if most > 2*before {
		t.Errorf("the server has used %d bytes, and %d before", most, before)
	}
	if log, err := server.Log(); err != nil || strings.Count(log, "level=") > 100 {
		t.Errorf("the server has logged %d lines, %v", strings.Count(log, "level="), err)
	}
}

// subscriptions returns how many channels of Redis have subscribers.
func (s *storm) subscriptions() int {
	s.Helper()
	channels, err := s.redis.Do(s.Context(), "PUBSUB", "SHARDCHANNELS")
	if err != nil {
		s.Fatal(err)
	}
	return strings.Count(channels, "\n") + 1
}
