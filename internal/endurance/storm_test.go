package endurance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/freshet-stream/freshet/internal/fleet"
)

// A storm is a fleet over Redis with followers that lose their server.
type storm struct {
	*testing.T
	followers, streams int
	redis              *fleet.Redis
	lost               *fleet.Server
	// others are those to which followers come back, and calm is one to which as
	// many come one after the other.
	others []*fleet.Server
	calm   *fleet.Server
	crowds string

	appended int
}

const (
	// history is how many records streams have before anybody comes: more than a
	// page.
	history = 300
	// missed is how many are appended at once when the server is lost.
	missed = 100
	// beat is how often a record is appended to each stream.
	beat = 500 * time.Millisecond
)

// DESIGN trap: 10,000 reconnects at once. Guarantees 2 and 7: the followers of one
// of three servers lose it at once, and come back to the two others while records
// flow. All get every record, no server uses twice the memory that it would if as
// many had come calmly, and Redis is read far less often than there are followers.
func TestReconnectStorm(t *testing.T) {
	for _, streams := range []int{1, 100} {
		t.Run(fmt.Sprintf("streams=%d", streams), func(t *testing.T) {
			s := &storm{T: t, followers: 10_000, streams: streams}
			s.start()
			s.run()
		})
	}
}

// start starts Redis and the servers.
func (s *storm) start() {
	s.Helper()
	dir := s.TempDir()
	binary := s.build(dir)
	s.redis = s.startRedis(dir, fleet.RedisOptions{})
	s.lost, s.calm = s.serve(binary, dir, "lost"), s.serve(binary, dir, "calm")
	s.others = []*fleet.Server{s.serve(binary, dir, "one"), s.serve(binary, dir, "two")}
}

// build builds the command freshet, and the one that makes crowds.
func (s *storm) build(dir string) (binary string) {
	s.Helper()
	binary, err := fleet.Build(s.Context(), dir, fleet.BuildOptions{})
	if err != nil {
		s.Fatal(err)
	}
	s.crowds = filepath.Join(dir, "crowd")
	if out, err := exec.CommandContext(s.Context(), "go", "build", "-o", s.crowds, "./crowd").CombinedOutput(); err != nil {
		s.Fatalf("build crowd: %v\n%s", err, out)
	}
	return binary
}

func (s *storm) startRedis(dir string, o fleet.RedisOptions) *fleet.Redis {
	s.Helper()
	redis, err := fleet.StartRedis(s.Context(), dir, o)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = redis.Close() })
	return redis
}

func (s *storm) serve(binary, dir, name string) *fleet.Server {
	s.Helper()
	server, err := fleet.StartServer(s.Context(), dir, fleet.ServerOptions{
		Binary: binary, Store: s.redis.URL(), Name: name, Args: []string{"--log-level", "warn"},
	})
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = server.Close() })
	return server
}

func (s *storm) run() {
	s.Helper()
	for i := range s.streams {
		s.send("PUT", i, "")
	}
	s.append(history)

	// As many as will come back to each server, who come calmly and find nothing
	// to catch up with.
	calm := s.crowd("calm", s.followers/len(s.others), s.calm, nil, "-now")
	s.flow("everybody at a calm server", func() bool { return calm.at(s.followers / len(s.others)) })
	usual := s.memory(s.calm, "VmRSS")
	if err := calm.Close(); err != nil {
		s.Fatal(err)
	}

	crowd := s.crowd("crowd", s.followers, s.lost, s.others)
	s.flow("everybody at one server", func() bool { return crowd.at(s.followers) })
	full := s.memory(s.lost, "VmRSS")
	idle := s.memory(s.others[0], "VmRSS")
	before := s.reads()
	began := time.Now()
	if err := s.lost.Kill(); err != nil {
		s.Fatal(err)
	}
	s.append(missed)
	s.flow("everybody back", func() bool { return crowd.tally().Back == s.followers })
	came := time.Since(began)
	// Whoever is back has to get what is appended now.
	s.flow("everybody up to date", func() bool { return crowd.at(s.followers) })
	took, read := time.Since(began), s.reads()-before
	before = s.reads()
	s.each(func(i int) { s.send("POST", i, "", "Stream-Closed", "true") })
	if err := crowd.Wait(s.Context()); err != nil {
		log, _ := crowd.Log()
		s.Fatalf("crowd: %v\n%s", err, log)
	}
	end, asked := crowd.tally(), s.reads()-before
	if end.Lost != s.followers || end.Back != s.followers || end.Ended != s.followers || end.Stopped != s.followers ||
		end.Least != s.appended || end.Most != s.appended {
		s.Errorf("of %d followers and %d records: %+v", s.followers, s.appended, end)
	}
	s.Logf("%d followers of %d streams were back after %v and up to date after %v; %+v", s.followers, s.streams, came.Round(time.Millisecond), took.Round(time.Millisecond), end)
	s.Logf("Redis was read %d times, and %d times as all asked whether the end was the end", read, asked)
	if read < s.streams || read > s.followers/5 || asked == 0 || asked > s.followers/5 {
		s.Errorf("Redis was read %d and %d times for %d followers", read, asked, s.followers)
	}
	s.Logf("memory: %d MB of the server that was lost, %d of another one before, %d with half of the followers calmly", full>>20, idle>>20, usual>>20)
	for _, server := range s.others {
		most := s.memory(server, "VmHWM")
		s.Logf("memory of server %s: %d MB at most, %.2f × as with as many calmly", server.Name(), most>>20, float64(most)/float64(usual))
		if most > 2*usual {
			s.Errorf("server %s has used %d bytes, and %d would do", server.Name(), most, usual)
		}
	}
}

// records returns records with the numbers from and up to, as a body.
func records(from, to int) string {
	var body strings.Builder
	for n := from; n <= to; n++ {
		fmt.Fprintf(&body, "%c\"%d %s\"", "[,"[min(n-from, 1)], n, strings.Repeat("x", 240))
	}
	return body.String() + "]"
}

// flow appends a record to each stream, again and again, until done.
func (s *storm) flow(what string, done func() bool) {
	s.Helper()
	s.until(what, func() bool {
		s.append(1)
		return done()
	})
}

// until asks again and again until done.
func (s *storm) until(what string, done func() bool) {
	s.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for tick := time.NewTicker(beat); !done(); <-tick.C {
		if time.Now().After(deadline) {
			s.Fatalf("%s has not come to be", what)
		}
	}
}

// append appends records to each stream, in one request.
func (s *storm) append(n int) {
	s.Helper()
	body := records(s.appended+1, s.appended+n)
	s.each(func(i int) { s.send("POST", i, body) })
	s.appended += n
}

// each does something with each stream, several at a time.
func (s *storm) each(do func(stream int)) {
	var working sync.WaitGroup
	for k := range 8 {
		working.Go(func() {
			for i := k; i < s.streams; i += 8 {
				do(i)
			}
		})
	}
	working.Wait()
}

// send sends a request for a stream to a server that is not lost.
func (s *storm) send(method string, stream int, body string, headers ...string) {
	s.Helper()
	url := s.others[stream%len(s.others)].URL() + "/v1/stream/" + strconv.Itoa(stream)
	request, err := http.NewRequestWithContext(s.Context(), method, url, strings.NewReader(body))
	if err != nil {
		s.Error(err)
		return
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.Error(err)
		return
	}
	_ = response.Body.Close()
	if response.StatusCode/100 != 2 {
		s.Errorf("%s %s: %s", method, url, response.Status)
	}
}

// memory returns a figure of a server's memory, in bytes: VmRSS is what it has
// now, and VmHWM the most that it has had (proc(5)).
func (s *storm) memory(server *fleet.Server, figure string) (bytes int64) {
	s.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", server.PID()))
	if err != nil {
		s.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), figure+":")
	if _, err := fmt.Sscanf(strings.TrimSpace(rest), "%d kB", &bytes); err != nil {
		s.Fatalf("read %s: %v", figure, err)
	}
	return bytes << 10
}

// reads returns how many times Redis has been read: by scripts that do not write,
// of which each server sends one in five seconds that is for no stream.
func (s *storm) reads() int {
	s.Helper()
	stats, err := s.redis.Do(s.Context(), "INFO", "commandstats")
	if err != nil {
		s.Fatal(err)
	}
	calls := func(command string) (n int) {
		_, rest, found := strings.Cut(stats, "cmdstat_"+command+":calls=")
		if found {
			_, _ = fmt.Sscanf(rest, "%d", &n)
		}
		return n
	}
	return calls("evalsha_ro") + calls("eval_ro")
}

// A crowd is a running command crowd.
type crowd struct {
	*storm
	*fleet.Process
}

// crowd starts followers that come to one server, and back to others.
func (s *storm) crowd(name string, followers int, first *fleet.Server, then []*fleet.Server, args ...string) *crowd {
	s.Helper()
	var addrs []string
	for _, server := range then {
		addrs = append(addrs, server.Addr())
	}
	dir := s.TempDir()
	p := fleet.NewProcess(fleet.Command{Name: name, Dir: dir, Path: s.crowds, Args: append(args,
		"-followers", strconv.Itoa(followers), "-streams", strconv.Itoa(s.streams),
		"-first", first.Addr(), "-then", strings.Join(addrs, ","),
	)})
	if err := p.Start(s.Context()); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = p.Close() })
	return &crowd{s, p}
}

// A tally is what a crowd reports.
type tally struct{ Connected, Lost, Back, Ended, Stopped, Refused, Least, Most int }

// tally returns the last report.
func (c *crowd) tally() (t tally) {
	c.Helper()
	log, err := c.Log()
	if err != nil {
		c.Fatal(err)
	}
	lines := strings.Split(log, "\n")
	if len(lines) < 2 {
		return t
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-2]), &t); err != nil {
		c.Fatalf("crowd: %s", log)
	}
	return t
}

// at reports whether so many followers are there and all but up to date: at most
// a few records behind what is appended, as it is while records flow.
func (c *crowd) at(followers int) bool {
	t := c.tally()
	return t.Connected == followers && t.Least >= c.appended-2
}
