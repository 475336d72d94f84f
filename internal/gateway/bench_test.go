package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/listen"
	"github.com/freshet-stream/freshet/memstore"
	"github.com/freshet-stream/freshet/pebblestore"
	"github.com/freshet-stream/freshet/server"
)

// aToken is what OpenAI sends for each token.
const aToken = `data: {"id":"chatcmpl-BwKf7nJ8fX2Zr5c0vQmY1tTq","object":"chat.completion.chunk","created":1753900000,"model":"gpt-4o-2024-08-06","service_tier":"default","system_fingerprint":"fp_07871e2ad8","choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}],"obfuscation":"aGVsbG8gdGhlcmU"}` + "\n\n"

// BenchmarkToken lets a caller get an answer whose next token is not written
// before it has come, through a server and directly.
func BenchmarkToken(b *testing.B) {
	log := slog.New(slog.DiscardHandler)
	stores := map[string]func(b *testing.B) freshet.Store{
		"memory": func(*testing.B) freshet.Store { return memstore.New(memstore.Options{}) },
		"pebble": func(b *testing.B) freshet.Store {
			s, err := pebblestore.Open(b.TempDir(), pebblestore.Options{Logger: log})
			if err != nil {
				b.Fatal(err)
			}
			return s
		},
	}
	for name, open := range stores {
		b.Run(name, func(b *testing.B) {
			next := make(chan struct{})
			up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				_ = http.NewResponseController(w).Flush()
				for {
					select {
					case <-next:
						_, _ = io.WriteString(w, aToken)
						_ = http.NewResponseController(w).Flush()
					case <-r.Context().Done():
						return
					}
				}
			}))
			defer up.Close()
			store := open(b)
			s, err := server.New(server.Options{
				Store: store, Logger: log, Upstreams: []server.Upstream{{Name: "origin", Base: up.URL + "/v1"}},
			})
			if err != nil {
				b.Fatal(err)
			}
			site := httptest.NewUnstartedServer(s)
			site.Config = listen.NewServer(s, time.Minute, log)
			site.Start()
			defer func() {
				s.Close()
				site.Close()
				_ = store.Close()
			}()
			b.ReportAllocs()
			took, cpu := map[string]time.Duration{}, map[string]time.Duration{}
			for _, url := range []string{up.URL, site.URL} {
				response, err := http.Post(url+"/v1/chat/completions", "application/json", strings.NewReader(question("/v1/chat/completions", "x")))
				if err != nil {
					b.Fatal(err)
				}
				lines := bufio.NewReader(response.Body)
				b.ResetTimer()
				b.StartTimer()
				before := spent(b)
				for range b.N {
					next <- struct{}{}
					for line := ""; !strings.HasPrefix(line, "data:"); {
						if line, err = lines.ReadString('\n'); err != nil {
							b.Fatal(fmt.Errorf("read token: %w", err))
						}
					}
				}
				b.StopTimer()
				took[url], cpu[url] = b.Elapsed(), spent(b)-before
				_ = response.Body.Close()
			}
			b.ReportMetric(float64(took[site.URL])/float64(took[up.URL]), "×direct")
			b.ReportMetric(float64(cpu[site.URL]-cpu[up.URL])/float64(b.N), "more-cpu-ns/op")
		})
	}
}

// spent returns how much of the processors this process has had.
func spent(b *testing.B) time.Duration {
	var of syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &of); err != nil {
		b.Fatal(err)
	}
	return time.Duration(of.Utime.Nano() + of.Stime.Nano())
}
