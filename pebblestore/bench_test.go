package pebblestore

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/freshet-stream/freshet"
)

const (
	benchStreams = 64
	benchBytes   = 128
	benchRound   = 200 // appends of each stream in a round
)

// BenchmarkDurableAppends lets 64 goroutines append to 64 streams, each append
// fsynced before the next, and compares that in the same run, round by round,
// with the same number of batches of the same bytes committed to a bare Pebble
// from as many goroutines, and with one file that is written and fsynced
// serially. One op is one append.
func BenchmarkDurableAppends(b *testing.B) {
	s, err := Open(b.TempDir(), Options{Logger: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(b.Context()) // as the hub's can
	defer cancel()
	for i := range benchStreams {
		if _, _, err := s.Create(ctx, fmt.Sprint(i), freshet.Creation{Nonce: freshet.NewNonce()}); err != nil {
			b.Fatal(err)
		}
	}
	opts := Options{Logger: quiet()}.withDefaults().engine(nil, logger{s.fatal})
	bare, err := pebble.Open(b.TempDir(), opts)
	if err != nil {
		b.Fatal(err)
	}
	defer bare.Close()
	file, err := os.Create(filepath.Join(b.TempDir(), "file"))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()

	data := bytes.Repeat([]byte("x"), benchBytes)
	var store, batches, fsyncs time.Duration
	rounds, serial := 0, 0
	b.ReportAllocs()
	for appends := 0; appends < b.N; appends += benchStreams * benchRound {
		rounds++
		store += parallel(func(w, _ int) error {
			return firstError(s.Append(ctx, fmt.Sprint(w), freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{{Records: []freshet.Record{{Data: data}}}}}))
		})
		b.StopTimer()
		batches += parallel(func(w, i int) error {
			batch := bare.NewBatch()
			defer batch.Close()
			if err := batch.Set(recordKey(uint64(w), uint64(rounds*benchRound+i)), data, nil); err != nil {
				return err
			}
			return batch.Commit(pebble.Sync)
		})
		start := time.Now()
		for range benchRound {
			if _, err := file.Write(data); err != nil {
				b.Fatal(err)
			}
			if err := file.Sync(); err != nil {
				b.Fatal(err)
			}
			serial++
		}
		fsyncs += time.Since(start)
		b.StartTimer()
	}
	rate := func(n int, d time.Duration) float64 { return float64(n) / d.Seconds() }
	n := rounds * benchStreams * benchRound
	b.ReportMetric(rate(n, store), "appends/s")
	b.ReportMetric(rate(n, batches), "bare-batches/s")
	b.ReportMetric(rate(serial, fsyncs), "serial-fsyncs/s")
	b.ReportMetric(rate(n, store)/rate(n, batches), "of-bare")
	b.ReportMetric(rate(n, store)/rate(serial, fsyncs), "x-serial")
}

// parallel runs do benchRound times in each of benchStreams goroutines.
func parallel(do func(worker, i int) error) time.Duration {
	start := time.Now()
	var wg sync.WaitGroup
	for w := range benchStreams {
		wg.Go(func() {
			for i := range benchRound {
				must(do(w, i))
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

func firstError(results []freshet.Result, err error) error {
	if err == nil {
		err = results[0].Err
	}
	return err
}

// BenchmarkAppendLatency is one durable append after the other, beside one
// fsync after the other: what the store adds when it is idle.
func BenchmarkAppendLatency(b *testing.B) {
	s, err := Open(b.TempDir(), Options{Logger: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if _, _, err := s.Create(b.Context(), "s", freshet.Creation{Nonce: freshet.NewNonce()}); err != nil {
		b.Fatal(err)
	}
	file, err := os.Create(filepath.Join(b.TempDir(), "file"))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	data := bytes.Repeat([]byte("x"), benchBytes)
	var store, fsyncs time.Duration
	for range b.N {
		start := time.Now()
		must(appendText(b.Context(), s, string(data)))
		store += time.Since(start)
		start = time.Now()
		_, err := file.Write(data)
		must(err)
		must(file.Sync())
		fsyncs += time.Since(start)
	}
	b.ReportMetric(store.Seconds()/float64(b.N)*1e6, "µs/append")
	b.ReportMetric(fsyncs.Seconds()/float64(b.N)*1e6, "µs/fsync")
}

// BenchmarkReadPage reads pages of 64 KiB of tiny records.
func BenchmarkReadPage(b *testing.B) {
	s, err := Open(b.TempDir(), Options{Logger: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	ctx := b.Context()
	if _, _, err := s.Create(ctx, "s", freshet.Creation{Nonce: freshet.NewNonce()}); err != nil {
		b.Fatal(err)
	}
	records := make([]freshet.Record, 1000)
	for i := range records {
		records[i].Data = bytes.Repeat([]byte("x"), 32)
	}
	for range 100 {
		must(firstError(s.Append(ctx, "s", freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{{Records: records}}})))
	}
	b.ReportAllocs()
	var from freshet.Offset
	total := 0
	for b.Loop() {
		page, err := s.Read(ctx, "s", from, freshet.Limit{Bytes: 64 << 10})
		must(err)
		total += len(page.Records)
		from = freshet.Offset{}
		if n := len(page.Records); n > 0 {
			from = page.Records[n-1].Offset
		}
	}
	b.ReportMetric(float64(total)/float64(b.N), "records/op")
}
