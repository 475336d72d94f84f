package redisstore

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/freshet-stream/freshet"
)

// BenchmarkAppend appends tokens to streams of which each has one append in
// flight, and reports the commands that Redis was sent for each, beside the least
// that would keep the record: an XADD.
func BenchmarkAppend(b *testing.B) {
	for _, streams := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprint(streams, " streams"), func(b *testing.B) {
			s := open(b, sharedURL(), Options{Prefix: newPrefix(), Logger: quiet()})
			defer s.Close()
			for i := range streams {
				if _, _, err := s.Create(b.Context(), fmt.Sprint(i), freshet.Creation{Nonce: freshet.NewNonce()}); err != nil {
					b.Fatal(err)
				}
			}
			data := []byte(strings.Repeat("x", 128))
			before := calls(b, "evalsha")
			inParallel(b, streams, func(stream int) error {
				call := freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{{Records: []freshet.Record{{Data: data}}}}}
				_, err := s.Append(b.Context(), fmt.Sprint(stream), call)
				return err
			})
			b.ReportMetric(float64(calls(b, "evalsha")-before)/float64(b.N), "commands/op")
		})
		b.Run(fmt.Sprint(streams, " streams, bare XADD"), func(b *testing.B) {
			s := open(b, sharedURL(), Options{Prefix: newPrefix(), Logger: quiet()})
			defer s.Close()
			data := strings.Repeat("x", 128)
			inParallel(b, streams, func(stream int) error {
				key := s.keys(fmt.Sprint(stream)).records
				return s.client.Do(b.Context(), s.client.B().Xadd().Key(key).Id("*").FieldValue().FieldValue("d", data).Build()).Error()
			})
		})
	}
}

// inParallel runs do b.N times, in one goroutine a stream.
func inParallel(b *testing.B, streams int, do func(stream int) error) {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(b.N))
	done := make(chan error, streams)
	b.ResetTimer()
	for stream := range streams {
		go func() {
			for left.Add(-1) >= 0 {
				if err := do(stream); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range streams {
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
	b.StopTimer()
}

// calls returns how often Redis has executed a command.
func calls(b *testing.B, command string) (n int) {
	b.Helper()
	text, err := shared.Do(b.Context(), "INFO", "commandstats")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(text, "cmdstat_"+command+":calls=")
	_, _ = fmt.Sscanf(rest, "%d", &n)
	return n
}
