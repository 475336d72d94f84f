package main

import (
	"context"
	"fmt"
	"time"

	"github.com/freshet-stream/freshet/bench/internal/load"
)

const (
	// unitStreams is how many streams are appended to, each by one producer.
	unitStreams = 10
	// unitToken is the size of a short record.
	unitToken = leastRecord
	// unitServers is at how many other servers they are followed at most.
	unitServers = 3
)

func aboutUnits(*config) string {
	return fmt.Sprintf("what each thing costs with Redis; %d streams, appended to one record at a time, %d a second and stream for CPU times", unitStreams, pace)
}

// runUnits measures the units of which the cost of a fleet is made.
func runUnits(ctx context.Context, c *config, r *result) error {
	s, err := c.openSiblings(ctx, unitServers)
	if err != nil {
		return err
	}
	defer s.close()
	for i, record := range [][]byte{load.Record(unitToken), c.payload()} {
		if err := s.weigh(ctx, c, r, fmt.Sprint("weigh", i), record); err != nil {
			return fmt.Errorf("weigh records of %d bytes: %w", len(record), err)
		}
	}
	if err := s.spread(ctx, c, r); err != nil {
		return err
	}
	r.table = unitsTable(r)
	return nil
}

func unitsTable(r *result) *table {
	t := &table{}
	t.add("each", "costs", "")
	for _, f := range r.Figures {
		t.add(f.Side, f.Metric, r.cell(f.Side, f.Metric))
	}
	return t
}

// weigh measures the memory that streams and their records take in Redis.
func (s *siblings) weigh(ctx context.Context, c *config, r *result, under string, record []byte) error {
	side := fmt.Sprintf("record of %d bytes more", len(record))
	var producers []*load.Producer
	for i := range unitStreams {
		path := fmt.Sprintf("/v1/stream/%s/%d", under, i)
		if err := load.Create(s.process.Addr, path, record); err != nil {
			return err
		}
		p, err := load.Post(s.process.Addr, path, record)
		if err != nil {
			return err
		}
		defer p.Close()
		producers = append(producers, p)
	}
	heads, err := s.redis.weigh(ctx, "h:"+under)
	if err != nil {
		return err
	}
	before, err := s.redis.weigh(ctx, "r:"+under)
	if err != nil {
		return err
	}
	sent, err := load.Run(ctx, producers, 0, c.time)
	if err != nil {
		return err
	}
	after, err := s.redis.weigh(ctx, "r:"+under)
	if err != nil {
		return err
	}
	r.add("stream", "memory of Redis: its head", "bytes", per(heads, unitStreams))
	r.add("stream", "memory of Redis: its first records", "bytes", per(before, unitStreams))
	r.add(side, "memory of Redis", "bytes", per(after-before, sent))
	return nil
}

// spread measures what the servers cost that follow.
func (s *siblings) spread(ctx context.Context, c *config, r *result) error {
	crowds := make([]*crowd, unitServers+1)
	for n := range crowds {
		var err error
		if crowds[n], err = c.seat(s.contender, s.process, fmt.Sprint("spread", n), unitStreams, 1, s.others[:n], 1); err != nil {
			return err
		}
		defer crowds[n].close()
		if _, err := crowds[n].run(ctx, time.Second/pace, c.time/8); err != nil {
			return err
		}
	}
	for range c.storeCount {
		var trips []trip
		for _, g := range crowds {
			t, err := s.run(ctx, g, time.Second/pace, c.time/2)
			if err != nil {
				return err
			}
			trips = append(trips, t)
		}
		r.addSpread(trips)
	}
	return nil
}

// addSpread adds what trips cost of which each goes to one server more.
func (r *result) addSpread(trips []trip) {
	first, last := trips[0], trips[len(trips)-1]
	more := float64(len(trips) - 1)
	side := "append that is followed nowhere"
	cpu, sent := micros(first.redis.cpu, first.appended), per(first.redis.sent, first.appended)
	r.add(side, "CPU of Redis", "µs", cpu)
	r.add(side, "sent by Redis", "bytes", sent)
	r.add(side, "CPU of the server", "µs", micros(first.cpu, first.appended))
	side = "server that follows, for each append"
	r.add(side, "CPU of Redis", "µs", (micros(last.redis.cpu, last.appended)-cpu)/more)
	r.add(side, "sent by Redis", "bytes", (per(last.redis.sent, last.appended)-sent)/more)
	r.add(side, "CPU of that server, with a delivery to 1 reader", "µs", micros(last.others, last.delivered))
}
