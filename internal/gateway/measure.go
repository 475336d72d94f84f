package gateway

import (
	"context"
	"time"

	"github.com/freshet-stream/freshet"
)

// An Observer is told what becomes of requests. Its methods are called
// concurrently, and hold up what they are told of.
type Observer interface {
	// Called: an upstream was asked, and has answered with a status; 0 if it has
	// not. Endpoint is one of few.
	Called(upstream, endpoint string, status int)
	// Came: a caller gets a generation, and how it was found.
	Came(endpoint string, how Arrival)
	// Begun: an upstream is to answer. Ended is called for each.
	Begun(upstream, endpoint string)
	Ended(Generation)
}

// An Arrival is how a caller comes to a generation.
type Arrival string

// How callers come.
const (
	// ArrivedNew: the caller asked for a new one.
	ArrivedNew Arrival = "new"
	// ArrivedKey: it had been asked for with the same Idempotency-Key.
	ArrivedKey Arrival = "key"
	// ArrivedID: the caller had some of it, and sent a Last-Event-ID.
	ArrivedID Arrival = "id"
	// ArrivedResponse: it was asked for by the upstream's id of the response.
	ArrivedResponse Arrival = "response"
	// ArrivedChat: it is the current one of a conversation.
	ArrivedChat Arrival = "chat"
)

// A Generation is how an answer has ended that this server got from an upstream.
type Generation struct {
	// Stream is the name of its stream.
	Stream, Endpoint, Upstream string
	// Model is what was asked for, ResponseModel what has answered.
	Model, ResponseModel string
	// Status is that of the upstream's answer, or the one that callers got; 0 if
	// there was none.
	Status int
	// Reason is how the stream was closed, "" if that is not known, or if it was
	// deleted.
	Reason freshet.Reason
	// Finish is why the model stopped, in the upstream's words.
	Finish string
	// FirstToken is from the question to the first token, 0 if there was none, and
	// Duration to the end.
	FirstToken, Duration time.Duration
	// Tokens is how many were generated, as the upstream has counted them if
	// Counted, else how many chunks came.
	Tokens  int64
	Counted bool
	// TokensPerSecond is from the first to the last token, 0 if not known.
	TokensPerSecond float64
	// Input counts the tokens of the question, Cached those of them from a cache,
	// and Reasoning those of Tokens that are reasoning; 0 if not known.
	Input, Cached, Reasoning int64
}

// nobody observes.
type nobody struct{}

func (nobody) Called(string, string, int) {}
func (nobody) Came(string, Arrival)       {}
func (nobody) Begun(string, string)       {}
func (nobody) Ended(Generation)           {}

// measure runs a generation, and tells what came of it.
func (gen *generation) measure(work context.Context) {
	q, o := gen.question, gen.g.opts.Observer
	gen.meter.taken = q.taken
	gen.startSpan()
	o.Begun(q.upstream.Name, q.endpoint.label())
	gen.run(work)
	now := time.Now()
	o.Ended(gen.summary(now))
	gen.endSpan(now)
}

func (gen *generation) summary(now time.Time) Generation {
	m := &gen.meter
	tokens, counted := m.Tokens()
	s := Generation{
		Stream: gen.name, Endpoint: gen.question.endpoint.label(), Upstream: gen.meta.Upstream,
		Model: gen.question.model, ResponseModel: m.Model, Status: gen.meta.Status, Finish: m.Finish,
		FirstToken: m.since(m.first), Duration: m.since(now),
		Tokens: tokens, Counted: counted, TokensPerSecond: m.rate(),
		Input: m.Usage.Input, Cached: m.Usage.Cached, Reasoning: m.Usage.Reasoning,
	}
	if closed := gen.closure(); closed != nil {
		s.Reason = closed.Reason
	}
	return s
}

// closure returns how the stream was closed, by whomever, as far as that was seen.
func (gen *generation) closure() *freshet.Closure {
	if gen.closed != nil {
		return gen.closed
	}
	return gen.recorder.closed
}

// soFar returns the meta with what is known now.
func (gen *generation) soFar(now time.Time) []byte {
	gen.meta.Figures = gen.meter.figures(now)
	return gen.meta.encode()
}

// labelOf returns what a path after /v1 is counted as that is passed on. Below some
// there may be anything.
func labelOf(path string) string {
	switch {
	case isModels(path):
		return models
	case isHelper(path), isBuiltin(path):
		return path
	case isResponse(path):
		return responses
	}
	return "other"
}
