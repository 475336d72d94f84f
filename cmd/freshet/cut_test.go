package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/freshet-stream/freshet/internal/faultproxy"
)

const (
	textBytes = 5_000_000
	// Each connection is cut after a random number of bytes.
	leastCut, mostCut = 1_000, 200_000
	// A run whose faults did not happen proves nothing.
	leastCuts, leastInside = 30, 5
	// feedTime is for how long the text is being written.
	feedTime = 12 * time.Second
)

// Guarantee 2, with the real processes: five megabytes of awkward text, piped
// through `freshet append` to ten `freshet follow`, each behind a proxy that
// keeps cutting it, by turns with FIN and RST. Every output is the input.
func TestFollowersBehindCuttingProxies(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	binary := filepath.Join(t.TempDir(), "freshet")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	addr := freePort(t)
	server := startServer(t, binary, addr, t.TempDir())
	text := awkwardText(rand.New(rand.NewPCG(42, 0)), textBytes)

	var followers []*cutProcess
	for i := range 10 {
		via := []string{"sse", "ws"}[i%2]
		f := newCutProcess(t, addr, faultproxy.Options{Seed: uint64(i), Side: faultproxy.Down},
			binary, "follow", "--wait=1m", "--verbose", "--via="+via)
		followers = append(followers, f)
		if i < 8 {
			f.start(t)
		}
	}
	// A producer's bytes go the other way.
	producer := newCutProcess(t, addr, faultproxy.Options{Seed: 100, Side: faultproxy.Both}, binary, "append", "--close", "--verbose")
	producer.command.Stdin = &feed{rest: text, until: time.Now().Add(feedTime)}
	producer.start(t)
	// The last two join late.
	time.Sleep(feedTime / 2)
	for _, f := range followers[8:] {
		f.start(t)
	}

	if err := <-producer.ended; err != nil {
		t.Errorf("append: %v\n%s", err, producer.stderr.String())
	}
	counts := producer.proxy.Counts()
	t.Logf("append: %+v in %.1f s", counts, producer.took.Seconds())
	if counts.Cuts() < 5 {
		t.Errorf("append was cut only %d times", counts.Cuts())
	}
	for i, f := range followers {
		f.check(t, i, text)
	}
	server.kill(t)
}

// A cutProcess is a freshet command behind a proxy of its own.
type cutProcess struct {
	proxy          *faultproxy.Proxy
	command        *exec.Cmd
	stdout, stderr bytes.Buffer
	begun          time.Time
	// ended gives how the command ended; took is then for how long it ran.
	ended chan error
	took  time.Duration
}

func newCutProcess(t *testing.T, target string, opts faultproxy.Options, binary string, args ...string) *cutProcess {
	t.Helper()
	opts.Target, opts.Least, opts.Most = target, leastCut, mostCut
	proxy, err := faultproxy.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Close() })
	p := &cutProcess{proxy: proxy}
	p.command = exec.CommandContext(t.Context(), binary, append(args, "http://"+proxy.Addr()+"/v1/stream/awkward")...)
	p.command.Stdout, p.command.Stderr = &p.stdout, &p.stderr
	return p
}

func (p *cutProcess) start(t *testing.T) {
	t.Helper()
	p.begun = time.Now()
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	p.ended = make(chan error, 1)
	go func() {
		err := p.command.Wait()
		p.took = time.Since(p.begun)
		p.ended <- err
	}()
}

// check waits for a follower and holds what it wrote against the text.
func (p *cutProcess) check(t *testing.T, i int, text []byte) {
	t.Helper()
	name := fmt.Sprintf("follower %d (%s)", i, p.command.Args[4])
	if err := <-p.ended; err != nil {
		t.Errorf("%s: %v\n%s", name, err, last(p.stderr.String(), 1000))
	}
	counts := p.proxy.Counts()
	t.Logf("%s: %+v in %.1f s", name, counts, p.took.Seconds())
	if counts.Cuts() < leastCuts || counts.InsideEvent < leastInside || counts.FIN == 0 || counts.RST == 0 {
		t.Errorf("%s was cut too seldom: %+v", name, counts)
	}
	got := p.stdout.Bytes()
	if !bytes.Equal(got, text) {
		n := 0
		for n < min(len(got), len(text)) && got[n] == text[n] {
			n++
		}
		t.Errorf("%s wrote %d bytes, not the %d of the input; they differ from byte %d on: %.40q, not %.40q", name, len(got), len(text), n, got[n:], text[n:])
	}
}

// last returns the last n bytes of s at most.
func last(s string, n int) string { return s[max(0, len(s)-n):] }

// A feed is an input that comes bit by bit until a time.
type feed struct {
	rest  []byte
	until time.Time
}

func (f *feed) Read(p []byte) (int, error) {
	if len(f.rest) == 0 {
		return 0, io.EOF
	}
	const bit = 10 * time.Millisecond
	time.Sleep(bit)
	ticks := max(1, int(time.Until(f.until)/bit))
	n := copy(p, f.rest[:min(len(f.rest), 1+len(f.rest)/ticks)])
	f.rest = f.rest[n:]
	return n, nil
}

// awkwardText returns about n bytes of UTF-8 with every kind of line end and
// characters of every length, without a line end at its end.
func awkwardText(random *rand.Rand, n int) []byte {
	pieces := []string{
		"\r\n", "\r", "\n", "\n\n", "\r\r\n", " ", "\t", "data: ", "id: 7", "event: stream-closed\n", ":", "\"", "\\", "{\"a\":1}", "\u0000", "\u2028",
		"the", "quick", "freshet", "runs", "é", "ß", "€", "漢字", "🌊", "👩‍👩‍👧", "🇨🇭", "e\u0301", "\ufeff", "<script>", "&amp;",
	}
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(pieces[random.IntN(len(pieces))])
		for range random.IntN(20) {
			b.WriteByte(byte('a' + random.IntN(26)))
		}
	}
	b.WriteString("🌊 the end")
	if !utf8.ValidString(b.String()) {
		panic("the text is not UTF-8")
	}
	return []byte(b.String())
}
