package gateway

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/dialect"
	"github.com/freshet-stream/freshet/sse"
)

// A generation is an answer that this server gets from an upstream and records.
type generation struct {
	g        *Gateway
	name     string
	question *question
	meta     Meta
	recorder *recorder
	meter    meter
	span     trace.Span
	// closed is the end of the stream as others than the recorder have seen it.
	closed *freshet.Closure
	// ctx is that of the exchange with the upstream, which abort ends for a reason.
	ctx   context.Context
	abort context.CancelCauseFunc
	// asked, unless it is nil, is where the answer comes to a question that was
	// sent ahead.
	asked <-chan reply
	dog   *watchdog
	// told says that the upstream has told the end. The exchange is then about to end
	// by itself, and is not aborted when the stream does.
	told atomic.Bool
}

func newGeneration(g *Gateway, id string, q *question, meta Meta) *generation {
	gen := &generation{g: g, name: genPrefix + id, question: q, meta: meta}
	gen.ctx, gen.abort = context.WithCancelCause(context.Background())
	return gen
}

// Why an exchange with an upstream is aborted.
var (
	errStopped     = errors.New("somebody else has closed the stream")
	errUnwatched   = errors.New("nobody reads the answer any more")
	errInterrupted = errors.New("the server ends")
)

// run asks the upstream, records its answer, and closes the stream unless
// somebody else does. It returns early if work ends.
func (gen *generation) run(work context.Context) {
	ctx, abort := gen.ctx, gen.abort
	defer abort(nil)
	defer context.AfterFunc(work, func() { abort(errInterrupted) })()

	recording, giveUp := context.WithCancel(context.Background())
	// What is not recorded nobody gets, so its upstream is not waited for.
	gen.recorder = startRecorder(recording, gen.g.opts.Hub, gen.name, func() { abort(errStopped) })
	var watching sync.WaitGroup
	watching.Go(func() { gen.keepLease(ctx) })
	watching.Go(func() { gen.watch(ctx) })
	if gen.question.unwatched {
		watching.Go(func() { gen.awaitReaders(ctx) })
	}

	closing := gen.exchange(ctx)
	if closing != nil {
		gen.recorder.record(entry{meta: gen.soFar(time.Now()), close: closing})
	}
	if errors.Is(context.Cause(ctx), errStopped) {
		giveUp()
	}
	<-gen.recorder.done
	giveUp()
	abort(nil)
	watching.Wait()
	if err := gen.recorder.failure(); err != nil {
		gen.g.opts.Logger.Error("record generation", "stream", gen.name, "error", err)
		gen.close(closingFor(freshet.Failed, dialect.CodeUpstream, "The answer could not be recorded."))
	}
}

// close closes the stream when the recorder has failed.
func (gen *generation) close(c *freshet.Closing) {
	ctx, cancel := context.WithTimeout(context.Background(), recordTime)
	defer cancel()
	result, err := gen.g.opts.Hub.Append(ctx, gen.name, freshet.Append{Close: c})
	gen.closed = cmp.Or(result.Closed, gen.closed)
	if err != nil && !isOver(err) {
		gen.g.opts.Logger.Error("close generation", "stream", gen.name, "error", err)
	}
}

// exchange asks the upstream and records what it says. It returns how the stream
// is to be closed, or nil if it is.
func (gen *generation) exchange(ctx context.Context) *freshet.Closing {
	response, err := gen.answer()
	if err != nil {
		return gen.unreachable(ctx, err)
	}
	defer response.Body.Close()
	gen.dog = gen.g.watchBody(response, gen.question.upstream, gen.abort)
	defer gen.dog.stop()
	gen.meta.Status, gen.meta.Header = response.StatusCode, answeredHeaders(response.Header)
	if response.StatusCode/100 != 2 || freshet.KindOf(response.Header.Get("Content-Type")) != freshet.KindEvents {
		return gen.recordPlain(ctx)
	}
	gen.recorder.record(entry{meta: gen.meta.encode()})
	return gen.recordEvents(ctx)
}

// recordEvents records the events of an answer as they come, until it ends.
func (gen *generation) recordEvents(ctx context.Context) *freshet.Closing {
	d := sse.NewDecoder(gen.dog, sse.DecoderOptions{MaxEventBytes: gen.g.opts.Limits.Record, FlushAtEOF: true})
	failed, named := false, false
	for {
		event, err := d.Next()
		if err != nil {
			return gen.endOf(ctx, err, failed)
		}
		record := freshet.Record{Type: string(event.Type), Data: bytes.Clone(event.Data)}
		if event.HasID {
			record.ID = string(event.ID)
		}
		e := entry{record: &record}
		facts := read(gen.question.endpoint.dialect, &record)
		if event.Unfinished && !isWhole(facts, &record) {
			failed = failed || facts.End == freshet.Failed
			continue
		}
		now := time.Now()
		tell := gen.meter.add(facts, now)
		if facts.ID != "" && !named {
			named = true
			if err := gen.nameResponse(ctx, facts.ID); err != nil {
				gen.g.opts.Logger.Warn("name response", "stream", gen.name, "response", facts.ID, "error", err)
			}
		}
		switch facts.End {
		case "":
		case freshet.Failed:
			// What a failure is followed by is still its upstream's to say, soon.
			failed = true
			gen.dog.part()
		default:
			e.close = &freshet.Closing{Reason: facts.End}
			if failed {
				// Some say after an error, too, that they are done.
				e.close.Reason = freshet.Failed
			}
			gen.told.Store(true)
		}
		if tell || e.close != nil {
			e.meta = gen.soFar(now)
		}
		if !gen.recorder.record(e) {
			gen.abort(errStopped)
			return nil
		}
		if e.close != nil {
			gen.rest()
			return nil
		}
	}
}

// isWhole reports whether an event is all there although its empty line did not
// come. That is taken of the last one only, and SDKs do not miss the line there.
func isWhole(facts dialect.Facts, record *freshet.Record) bool {
	return facts.End == freshet.Completed || facts.End == freshet.Failed && json.Valid(record.Data)
}

// partingTime is for how long an upstream may go on that has ended its answer.
const partingTime = time.Second

// rest reads what is left of a body, so that its connection can be used again.
func (gen *generation) rest() {
	const most = 4 << 10
	gen.dog.part()
	_, _ = io.CopyN(io.Discard, gen.dog, most)
}
