package hub

import (
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/freshet-stream/freshet"
)

var asIs = &Encoder{Encode: func(dst []byte, r *freshet.Record) []byte {
	dst = append(dst, "data: "...)
	dst = append(dst, r.Data...)
	dst = append(dst, "\nid: "...)
	dst = r.Offset.Append(dst)
	return append(dst, "\n\n"...)
}}

func benchHub(b *testing.B) *Hub {
	store := newStore()
	h := New(Options{Store: store, Logger: slog.New(slog.DiscardHandler)})
	b.Cleanup(h.Close)
	return h
}

// BenchmarkDeliver appends one record of 128 bytes to a stream with many
// followers, each in a goroutine of its own, and waits until all have it.
func BenchmarkDeliver(b *testing.B) {
	for _, followers := range []int{1, 1000} {
		b.Run(fmt.Sprintf("followers=%d", followers), func(b *testing.B) {
			h := benchHub(b)
			if _, _, err := h.Create(b.Context(), "s", freshet.Creation{}); err != nil {
				b.Fatal(err)
			}
			var got atomic.Int64
			all := make(chan struct{})
			var wg sync.WaitGroup
			for range followers {
				f, err := h.Follow(b.Context(), "s", FollowOptions{Idle: 15e9})
				if err != nil {
					b.Fatal(err)
				}
				wg.Go(func() {
					defer f.Close()
					var buf []byte
					for {
						batch, err := f.Next(b.Context())
						if err != nil || batch.Closed != nil {
							return
						}
						buf = buf[:0]
						for i := range batch.Len() {
							buf = batch.Append(buf, i, asIs)
						}
						if got.Add(1) == int64(followers) {
							got.Store(0)
							all <- struct{}{}
						}
					}
				})
			}
			a := freshet.Append{Records: []freshet.Record{{Data: make([]byte, 128)}}}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for b.Loop() {
				if _, err := h.Append(b.Context(), "s", a); err != nil {
					b.Fatal(err)
				}
				<-all
			}
			runtime.ReadMemStats(&after)
			deliveries := float64(b.N) * float64(followers)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/deliveries, "ns/delivery")
			b.ReportMetric(float64(after.Mallocs-before.Mallocs)/deliveries, "allocs/delivery")
			_, _ = h.Append(b.Context(), "s", freshet.Append{Close: &freshet.Closing{}})
			wg.Wait()
		})
	}
}

// BenchmarkAppend appends records of 128 bytes to streams that nobody follows
// here, by many producers at once, beside the bare store.
func BenchmarkAppend(b *testing.B) {
	for _, streams := range []int{1, 64} {
		for _, bare := range []bool{false, true} {
			what := "hub"
			if bare {
				what = "store"
			}
			b.Run(fmt.Sprintf("streams=%d/%s", streams, what), func(b *testing.B) {
				h := benchHub(b)
				names := make([]string, streams)
				for i := range names {
					names[i] = fmt.Sprint("s", i)
					if _, _, err := h.Create(b.Context(), names[i], freshet.Creation{}); err != nil {
						b.Fatal(err)
					}
				}
				a := freshet.Append{Records: []freshet.Record{{Data: make([]byte, 128)}}}
				b.ReportAllocs()
				b.SetParallelism(64)
				var n atomic.Int64
				b.RunParallel(func(pb *testing.PB) {
					name := names[int(n.Add(1))%streams]
					for pb.Next() {
						var err error
						if bare {
							_, err = h.store.Append(b.Context(), name, freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{a}})
						} else {
							_, err = h.Append(b.Context(), name, a)
						}
						if err != nil {
							b.Error(err)
						}
					}
				})
			})
		}
	}
}
