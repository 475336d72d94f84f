package workload

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/chaos/history"
)

// A producer appends to one stream. It is used by one goroutine.
type producer struct {
	*stream
	name   string
	rng    *rand.Rand
	line   *line
	sender sender
	// named says that appends are named, so that they can be repeated; next is
	// the name of the next one.
	named bool
	next  freshet.Producer
	// sent counts records.
	sent int
	// most bounds the padding of records, in bytes.
	most int
}

// A sender makes one try of an append.
type sender interface {
	send(ctx context.Context, door Door, a *attempt) answer
	// perRecord says that sequence numbers count records.
	perRecord() bool
	// closesApart says that a close is a step of its own, after the append.
	closesApart() bool
	close()
}

// An attempt is an append as it is sent.
type attempt struct {
	stream   string
	format   format
	records  []string
	most     int
	producer *freshet.Producer
	close    freshet.Reason
	// perRecord says that the sequence number is that of the first record.
	perRecord bool
}

// An answer is what became of one try.
type answer struct {
	outcome history.Outcome
	// offset is the tail, why the reason of the stream's close.
	offset, why string
	code        string
	duplicate   bool
	// maybe says that there were tries without an answer before this one.
	maybe bool
	err   error
}

// unknown is the answer of a try that had none.
func unknown(err error) answer { return answer{outcome: history.Unknown, err: err} }

// errRefused is that an append was not taken, for a reason that belongs to the
// plot.
var errRefused = errors.New("the append was refused")

// errGivenUp is that an append had no certain answer.
var errGivenUp = errors.New("the append has no certain answer")

// produce appends calls of some records each, with pauses. It returns when all
// have landed, or with the reason why not.
func (p *producer) produce(ctx context.Context, calls int) error {
	for range calls {
		if p.opts.stopped() {
			return nil
		}
		if err := p.append(ctx, 1+p.rng.IntN(4), ""); err != nil && (p.named || !errors.Is(err, errGivenUp)) {
			return err
		}
		if err := rest(ctx, time.Duration(p.rng.Int64N(int64(p.opts.Pace)))); err != nil {
			return err
		}
	}
	return nil
}

// finish appends some records and closes the stream with them.
func (p *producer) finish(ctx context.Context, reason freshet.Reason) error {
	n := 1 + p.rng.IntN(3)
	if !p.sender.closesApart() {
		return p.append(ctx, n, reason)
	}
	if err := p.append(ctx, n, ""); err != nil {
		return err
	}
	return p.append(ctx, 0, reason)
}

// append makes an append of n new records and repeats it until it is known what
// became of it.
func (p *producer) append(ctx context.Context, n int, reason freshet.Reason) error {
	if p.format == textLines {
		n = min(n, 1)
	}
	if p.sender.perRecord() && n > 0 {
		n += p.rng.IntN(10)
	}
	a := attempt{stream: p.stream.name, format: p.format, most: p.most, close: reason, perRecord: p.sender.perRecord()}
	for range n {
		a.records = append(a.records, fmt.Sprintf("%s.%d", p.name, p.sent))
		p.sent++
	}
	e := history.Event{
		Kind: history.Called, Stream: a.stream, Who: p.name, Records: a.records,
		Call: &history.Call{Close: string(reason), Began: p.opts.Recorder.Now(), Atomic: !p.sender.perRecord()},
	}
	if p.named {
		next := p.next
		a.producer = &next
		e.Call.Producer, e.Call.Epoch, e.Call.Seq = next.ID, next.Epoch, next.Seq
		p.next.Seq++
		if p.sender.perRecord() && n > 0 {
			p.next.Seq += uint64(n) - 1
		}
	}
	last := p.repeat(ctx, &a, e.Call)
	e.Offset, e.Why = last.offset, last.why
	p.opts.Recorder.Add(e)
	switch last.outcome {
	case history.Landed:
		if p.landed.Add(1) == p.halfAt {
			p.reachHalf()
		}
		return nil
	case history.Rejected:
		return fmt.Errorf("%w: %s", errRefused, last.code)
	}
	return fmt.Errorf("%w: %w", errGivenUp, last.err)
}

// repeat tries until an answer is certain; once, if the append is not named.
func (p *producer) repeat(ctx context.Context, a *attempt, c *history.Call) (last answer) {
	failures := 0
	for {
		c.Tries++
		last = p.sender.send(ctx, pick(p.rng, p.opts.Doors...), a)
		c.Outcome, c.Code, c.Duplicate = last.outcome, last.code, last.duplicate
		c.Maybe = c.Maybe || last.maybe
		if last.outcome != history.Unknown || !p.named || ctx.Err() != nil {
			return last
		}
		c.Maybe = true
		if isClosed(p.opts.Healed) {
			failures++
		}
		if failures > p.opts.Patience {
			p.complain(fmt.Errorf("%s: %s: no certain answer after %d tries: %w", a.stream, p.name, c.Tries, last.err))
			return last
		}
		if rest(ctx, time.Duration(10+p.rng.IntN(200))*time.Millisecond) != nil {
			return last
		}
	}
}
