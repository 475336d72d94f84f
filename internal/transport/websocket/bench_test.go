package websocket

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/memstore"
)

// crowdVariable makes the test's binary a crowd of clients: it has the address,
// the number, and what each sends when it is connected.
const crowdVariable = "FRESHET_WEBSOCKET_CROWD"

// beCrowd connects, says so, and reads whatever comes until its input ends.
func beCrowd(crowd string) {
	var addr, protocol string
	var n int
	_, _ = fmt.Sscanf(crowd, "%s %d %s", &addr, &n, &protocol)
	headers, first := "", []byte(nil)
	if protocol == Protocol {
		headers, first = "Sec-WebSocket-Protocol: "+Protocol+"\r\n", text1(`{"op":"follow","id":1,"offset":"now"}`)
	}
	for range n {
		nc, err := net.Dial("tcp", addr)
		if err == nil {
			_, err = fmt.Fprintf(nc, handshakeFormat, "s?offset=now", headers)
		}
		var answer *http.Response
		in := bufio.NewReader(nc)
		if err == nil {
			answer, err = http.ReadResponse(in, nil)
		}
		if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
			fmt.Println("cannot connect:", err, answer)
			os.Exit(1)
		}
		_, _ = nc.Write(first)
		go func() { _, _ = io.Copy(io.Discard, in) }()
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// A crowded server has n followers in another process.
func crowded(b *testing.B, n int, protocol string) (h *hub.Hub, transport *Transport, writes *atomic.Int64, base, with runtime.MemStats) {
	b.Helper()
	store := memstore.New(memstore.Options{})
	h = hub.New(hub.Options{Store: store})
	writes = new(atomic.Int64)
	transport = New(Options{Hub: h, Heartbeat: time.Minute, CloseWait: 200 * time.Millisecond, Wrap: func(c net.Conn, _ *http.Request) net.Conn {
		return counted{c.(*net.TCPConn), writes}
	}})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		transport.ServeStream(w, r, strings.TrimPrefix(r.URL.Path, "/v1/stream/"))
	})}
	go func() { _ = server.Serve(listener) }()
	if _, _, err := h.Create(b.Context(), "s", freshet.Creation{Spec: freshet.Spec{ContentType: "text/plain"}}); err != nil {
		b.Fatal(err)
	}
	base = measure()
	crowd := exec.Command(os.Args[0])
	crowd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %s", crowdVariable, listener.Addr(), n, protocol))
	in, _ := crowd.StdinPipe()
	out, _ := crowd.StdoutPipe()
	if err := crowd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		_ = crowd.Wait()
		transport.Close()
		_ = server.Close()
		h.Close()
	})
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		b.Fatal(line)
	}
	for h.Stats().Followers < int64(n) {
		time.Sleep(10 * time.Millisecond)
	}
	return h, transport, writes, base, measure()
}

// measure tells what is in use once garbage is gone, stacks included.
func measure() (m runtime.MemStats) {
	for range 4 {
		time.Sleep(50 * time.Millisecond)
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m
}

// What an idle follower costs: bytes on the heap and of stacks, right after it
// has connected and after it has been sent something. The clients are another
// process; what the kernel holds is not counted.
func BenchmarkIdleFollower(b *testing.B) {
	const n = 2000
	for _, protocol := range []string{"plain", Protocol} {
		b.Run(protocol, func(b *testing.B) {
			h, _, _, base, fresh := crowded(b, n, protocol)
			goroutines := runtime.NumGoroutine()
			for range 20 {
				_, err := h.Append(b.Context(), "s", freshet.Append{Records: []freshet.Record{{Data: make([]byte, 128)}}})
				if err != nil {
					b.Fatal(err)
				}
				time.Sleep(20 * time.Millisecond)
			}
			used := measure()
			each := func(m runtime.MemStats, of func(*runtime.MemStats) uint64) float64 {
				return (float64(of(&m)) - float64(of(&base))) / n
			}
			heap := func(m *runtime.MemStats) uint64 { return m.HeapAlloc }
			stack := func(m *runtime.MemStats) uint64 { return m.StackInuse }
			all := func(m *runtime.MemStats) uint64 { return m.HeapAlloc + m.StackInuse }
			for b.Loop() {
				runtime.KeepAlive(h)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(each(fresh, heap), "heap-B/new")
			b.ReportMetric(each(fresh, stack), "stack-B/new")
			b.ReportMetric(each(used, heap), "heap-B/used")
			b.ReportMetric(each(used, stack), "stack-B/used")
			b.ReportMetric(each(used, all), "B/follower")
			b.ReportMetric(float64(goroutines)/n, "goroutines/follower")
		})
	}
}

// What it costs the server to send a record of 128 bytes to each of a thousand
// followers: CPU time of this process a delivery, beside as many bare writes of
// the frame. A backlog is 100 records that leave together.
func BenchmarkFanOut(b *testing.B) {
	const n = 1000
	record := freshet.Record{Data: make([]byte, 128)}
	for _, backlog := range []int{1, 100} {
		records := slices.Repeat([]freshet.Record{record}, backlog)
		b.Run(fmt.Sprint("records=", backlog), func(b *testing.B) {
			h, _, writes, _, _ := crowded(b, n, "plain")
			began, deliveries := cpuTime(), 0
			for b.Loop() {
				want := writes.Load() + n
				if _, err := h.Append(b.Context(), "s", freshet.Append{Records: records}); err != nil {
					b.Fatal(err)
				}
				for writes.Load() < want {
					time.Sleep(100 * time.Microsecond)
				}
				deliveries += n * backlog
			}
			b.ReportMetric(float64(cpuTime()-began)/float64(deliveries), "cpu-ns/delivery")
		})
	}
	b.Run("bare", func(b *testing.B) {
		_, transport, _, _, _ := crowded(b, n, "plain")
		frame := appendFrame(nil, ws.OpText, record.Data)
		began, deliveries := cpuTime(), 0
		for b.Loop() {
			for c := range transport.conns {
				if _, err := c.nc.Write(frame); err != nil {
					b.Fatal(err)
				}
			}
			deliveries += n
		}
		b.ReportMetric(float64(cpuTime()-began)/float64(deliveries), "cpu-ns/delivery")
	})
}

// cpuTime returns what this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
