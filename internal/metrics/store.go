package metrics

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/freshet-stream/freshet"
)

// storeMetrics are what is seen of a store, and with that of all that is written.
type storeMetrics struct {
	seconds                 *prometheus.HistogramVec
	errors                  *prometheus.CounterVec
	appends, closes, gaps   *prometheus.CounterVec
	records, bytes, swept   prometheus.Counter
	batches                 prometheus.Histogram
	created, read, readSize prometheus.Counter
}

func newStoreMetrics() storeMetrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	return storeMetrics{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "freshet_store_call_seconds", Help: "How long calls of the store take.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2.5, 12),
		}, []string{"call"}),
		errors: counters("freshet_store_errors_total",
			"Calls of the store that failed, with the code of the error or other. Streams that do not exist and gaps are no failures.", "call", "code"),
		appends: counters("freshet_appends_total",
			"Appends that the store has judged: landed, duplicate, or the code of why they were refused.", "outcome"),
		closes:   counters("freshet_closes_total", "Streams that were closed through this server, by reason.", "reason"),
		gaps:     counters("freshet_gaps_total", "Cursors that the store could not serve, by why.", "why"),
		records:  counter("freshet_appended_records_total", "Records that landed."),
		bytes:    counter("freshet_appended_bytes_total", "Size of the records that landed."),
		created:  counter("freshet_created_streams_total", "Streams that were created through this server."),
		read:     counter("freshet_store_read_records_total", "Records that were read from the store."),
		readSize: counter("freshet_store_read_bytes_total", "Size of the records that were read from the store."),
		swept:    counter("freshet_swept_total", "Pieces of work that were due and that this server has done: leases that ran out, streams that expired, records that were too old."),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "freshet_append_batch", Help: "How many appends of a stream go to the store in one call.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 11),
		}),
	}
}

func (m *storeMetrics) all() []prometheus.Collector {
	return []prometheus.Collector{
		m.seconds, m.errors, m.appends, m.closes, m.gaps, m.records, m.bytes, m.created, m.read, m.readSize, m.swept, m.batches,
	}
}

// Describe implements [prometheus.Collector].
func (m *storeMetrics) Describe(descs chan<- *prometheus.Desc) {
	for _, c := range m.all() {
		c.Describe(descs)
	}
}

// Collect implements [prometheus.Collector].
func (m *storeMetrics) Collect(metrics chan<- prometheus.Metric) {
	for _, c := range m.all() {
		c.Collect(metrics)
	}
}

// Store returns a store that counts and times what is asked of s.
func (m *Metrics) Store(s freshet.Store) freshet.Store { return &meteredStore{s, &m.store} }

type meteredStore struct {
	freshet.Store
	m *storeMetrics
}

// done notes a call and what came of it.
func (s *meteredStore) done(call string, began time.Time, err error) {
	s.m.seconds.WithLabelValues(call).Observe(time.Since(began).Seconds())
	var gap *freshet.GapError
	switch {
	case err == nil, errors.Is(err, freshet.ErrNotFound):
	case errors.As(err, &gap):
		s.m.gaps.WithLabelValues(gap.Why).Inc()
	default:
		s.m.errors.WithLabelValues(call, codeOf(err)).Inc()
	}
}

// codeOf returns the code of an error; other if it has none.
func codeOf(err error) string {
	var coded *freshet.Error
	switch {
	case errors.As(err, &coded):
		return coded.Code
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "other"
}

// judged notes what became of an append.
func (m *storeMetrics) judged(a *freshet.Append, r *freshet.Result) {
	switch {
	case r.Err != nil:
		m.appends.WithLabelValues(codeOf(r.Err)).Inc()
		return
	case r.Duplicate:
		m.appends.WithLabelValues("duplicate").Inc()
		return
	}
	m.appends.WithLabelValues("landed").Inc()
	m.landed(a)
}

// landed notes an append that landed.
func (m *storeMetrics) landed(a *freshet.Append) {
	size := 0
	for i := range a.Records {
		size += a.Records[i].Size()
	}
	m.records.Add(float64(len(a.Records)))
	m.bytes.Add(float64(size))
	if a.Close != nil {
		m.closes.WithLabelValues(string(a.Close.Reason)).Inc()
	}
}

// Create implements [freshet.Store], as the methods below do.
func (s *meteredStore) Create(ctx context.Context, name string, c freshet.Creation) (freshet.Info, bool, error) {
	began := time.Now()
	info, created, err := s.Store.Create(ctx, name, c)
	s.done("create", began, err)
	if created {
		s.m.created.Inc()
		if c.First != nil {
			s.m.landed(c.First)
		}
	}
	return info, created, err
}

func (s *meteredStore) Append(ctx context.Context, name string, call freshet.Call) ([]freshet.Result, error) {
	began := time.Now()
	results, err := s.Store.Append(ctx, name, call)
	s.done("append", began, err)
	s.m.batches.Observe(float64(len(call.Appends)))
	for i := range results {
		s.m.judged(&call.Appends[i], &results[i])
	}
	return results, err
}

func (s *meteredStore) Read(ctx context.Context, name string, from freshet.Offset, limit freshet.Limit) (freshet.Page, error) {
	began := time.Now()
	page, err := s.Store.Read(ctx, name, from, limit)
	s.done("read", began, err)
	size := 0
	for i := range page.Records {
		size += page.Records[i].Size()
	}
	s.m.read.Add(float64(len(page.Records)))
	s.m.readSize.Add(float64(size))
	return page, err
}

func (s *meteredStore) Info(ctx context.Context, name string) (freshet.Info, error) {
	began := time.Now()
	info, err := s.Store.Info(ctx, name)
	s.done("info", began, err)
	return info, err
}

func (s *meteredStore) Renew(ctx context.Context, name string, r freshet.Renewal) error {
	began := time.Now()
	err := s.Store.Renew(ctx, name, r)
	s.done("renew", began, err)
	return err
}

func (s *meteredStore) Delete(ctx context.Context, name string) error {
	began := time.Now()
	err := s.Store.Delete(ctx, name)
	s.done("delete", began, err)
	return err
}

func (s *meteredStore) Follow(ctx context.Context, name string, wake func(freshet.Hint)) (func(), error) {
	began := time.Now()
	stop, err := s.Store.Follow(ctx, name, wake)
	s.done("follow", began, err)
	return stop, err
}

func (s *meteredStore) List(ctx context.Context, prefix, after string, n int) ([]freshet.Info, error) {
	began := time.Now()
	infos, err := s.Store.List(ctx, prefix, after, n)
	s.done("list", began, err)
	return infos, err
}

func (s *meteredStore) Sweep(ctx context.Context, n int) (int, error) {
	began := time.Now()
	done, err := s.Store.Sweep(ctx, n)
	s.done("sweep", began, err)
	s.m.swept.Add(float64(done))
	return done, err
}
