package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/freshet-stream/freshet/bench/internal/child"
	"github.com/freshet-stream/freshet/bench/internal/load"
	"github.com/freshet-stream/freshet/bench/internal/pin"
	"github.com/freshet-stream/freshet/bench/internal/stat"
	"github.com/freshet-stream/freshet/bench/internal/subject"
)

const (
	// direct is the side without Freshet, and bareDisk the one with nothing but what
	// a durable token waits for.
	direct   = "direct"
	bareDisk = "a bare log"
	// loneAnswer is how many tokens an answer has at most that is the only one:
	// there are enough first tokens then.
	loneAnswer = 20
)

func aboutGenerations(c *config) string {
	return fmt.Sprintf("answers with %d tokens a second, asked for at their origin and through Freshet by turns; the first token's time is from the request, a token's delay from its origin's write", c.tokens)
}

// A generator is a way to get answers: from Freshet with a store, or directly.
type generator struct {
	*engine
	name string
	// heard is what was heard in all repetitions, by how many callers.
	heard map[int]*load.Heard
}

// runGenerations measures what Freshet adds to the way of an answer.
func runGenerations(ctx context.Context, c *config, r *result) error {
	counts, err := parseCounts(c.callers)
	if err != nil {
		return err
	}
	// What the origin does is not the server's work.
	origin, err := child.Start(ctx, pin.Cores{Server: c.cores.Load, Load: c.cores.Load}, 0, subject.Spec{Name: "origin"})
	if err != nil {
		return err
	}
	defer origin.Close()
	generators := []*generator{{engine: &engine{process: origin}, name: direct}}
	for _, store := range strings.Split(c.into, ",") {
		title := store
		if store == "redis" {
			title = redisEverysec
		}
		e, err := c.open(ctx, contender{title: title, subject: "freshet", upstream: origin.Addr})
		if err != nil {
			return fmt.Errorf("%s: %w", store, err)
		}
		defer e.close()
		if err := c.profile(e.contender, r.Name, e.process.Profile); err != nil {
			return err
		}
		generators = append(generators, &generator{engine: e, name: title})
	}
	synced := map[int][]time.Duration{}
	for range c.callersCount {
		for _, n := range counts {
			if err := c.syncTogether(synced, n); err != nil {
				return err
			}
			for _, g := range generators {
				if err := g.measure(ctx, c, r, n); err != nil {
					return fmt.Errorf("%s: %w", g.side(n), err)
				}
			}
		}
	}
	r.sumUp(generators, counts)
	for n, took := range synced {
		side := fmt.Sprintf("%d, %s", n, bareDisk)
		r.add(side, "delay", "ms", stat.Millis(took).Median())
		r.add(side, "delay, p99", "ms", stat.Millis(took).Quantile(0.99))
	}
	r.table = generationsTable(r, generators, counts)
	return nil
}

// eventBytes is about the size of a token in the format of its provider.
const eventBytes = 300

// syncTogether measures what a log makes as many tokens wait as callers get, unless
// nothing that is measured is durable.
func (c *config) syncTogether(waited map[int][]time.Duration, callers int) error {
	if !strings.Contains(c.into, "pebble") {
		return nil
	}
	more, err := subject.SyncTogether(c.data, eventBytes, callers, time.Second/time.Duration(c.tokens), 3*c.time)
	waited[callers] = append(waited[callers], more...)
	return err
}

// parseCounts reads how many callers there are.
func parseCounts(s string) (counts []int, err error) {
	for _, word := range strings.Split(s, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-callers has %q and may have numbers from 1 on", word)
		}
		counts = append(counts, n)
	}
	return counts, nil
}

func (g *generator) side(callers int) string { return fmt.Sprintf("%d, %s", callers, g.name) }

// measure lets callers get answers.
func (g *generator) measure(ctx context.Context, c *config, r *result, n int) error {
	tokens := c.answer
	if n == 1 {
		tokens = min(tokens, loneAnswer)
	}
	calls := load.Calls{
		Addr: g.process.Addr, Callers: n, Tokens: tokens, Gap: time.Second / time.Duration(c.tokens),
		Request: load.Ask(g.process.Addr, fmt.Sprintf("tokens=%d pace=%d", tokens, c.tokens)),
	}
	callers, err := load.Call(calls)
	if err != nil {
		return err
	}
	defer callers.Close()
	time.Sleep(calls.Lasts() + calls.Lasts()/4)
	if _, err = callers.Heard(); err != nil {
		return err
	}
	var heard load.Heard
	var cpu time.Duration
	run := func() (err error) {
		cpu, _, err = spent(g.process, func() error {
			time.Sleep(3 * c.time)
			heard, err = callers.Heard()
			return err
		})
		return err
	}
	var of expense
	if g.redis == nil {
		err = run()
	} else {
		of, err = g.redis.spent(ctx, run)
	}
	if err != nil {
		return err
	}
	done := int64(len(heard.Delays))
	if g.redis != nil {
		r.add(g.side(n), "CPU of Redis", "µs", micros(of.cpu, done))
	}
	r.add(g.side(n), "CPU per token", "µs", micros(cpu, done))
	r.add(g.side(n), "tokens", "/s", float64(done)/(3*c.time).Seconds())
	r.add(g.side(n), "first token", "ms", stat.Millis(heard.First).Median())
	r.add(g.side(n), "delay", "ms", stat.Millis(heard.Delays).Median())
	if g.heard == nil {
		g.heard = map[int]*load.Heard{}
	}
	if g.heard[n] == nil {
		g.heard[n] = &load.Heard{}
	}
	g.heard[n].Add(heard)
	return callers.Leave(ctx)
}

// sumUp adds what is only known of all repetitions.
func (r *result) sumUp(generators []*generator, counts []int) {
	for _, n := range counts {
		for _, g := range generators {
			side, h := g.side(n), g.heard[n]
			r.add(side, "first token, p99", "ms", stat.Millis(h.First).Quantile(0.99))
			r.add(side, "delay, p99", "ms", stat.Millis(h.Delays).Quantile(0.99))
			r.add(side, "held back", "", float64(h.Held))
			r.compare(side, "first token", generators[0].side(n), "first token")
			r.compare(side, "delay", generators[0].side(n), "delay")
		}
	}
}

func generationsTable(r *result, generators []*generator, counts []int) *table {
	t := &table{}
	t.add("at a time", "first token: median", "p99", "later by", "a token's delay: median", "p99", "longer by", "held back", "tokens", "CPU of Freshet for a million", "of Redis")
	for _, n := range counts {
		first, delay := r.find(generators[0].side(n), "first token"), r.find(generators[0].side(n), "delay")
		for _, g := range generators {
			side := g.side(n)
			row := []string{side, r.cell(side, "first token"), r.cell(side, "first token, p99"), "–", r.cell(side, "delay"), r.cell(side, "delay, p99"), "–"}
			cpu := "–"
			if g.name != direct {
				row[3] = short(r.find(side, "first token").Median-first.Median) + " ms"
				row[6] = short(r.find(side, "delay").Median-delay.Median) + " ms"
				cpu = r.number(side, "CPU per token") + " s"
			}
			redis := "–"
			if g.redis != nil {
				redis = r.number(side, "CPU of Redis") + " s"
			}
			held := fmt.Sprintf("%.0f of %d", r.find(side, "held back").Median, len(g.heard[n].Delays))
			t.add(append(row, held, r.cell(side, "tokens"), cpu, redis)...)
		}
		if side := fmt.Sprintf("%d, %s", n, bareDisk); r.find(side, "delay") != nil {
			t.add(side, "–", "–", "–", r.cell(side, "delay"), r.cell(side, "delay, p99"), "–", "–", "–", "–", "–")
		}
	}
	return t
}
