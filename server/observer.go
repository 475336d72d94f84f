package server

import (
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/gateway"
)

// An Observer is told what becomes of LLM requests on this server, for metrics and
// for accounts. Its methods are called concurrently and hold up what they are told
// of, so they should return soon. An endpoint is the path that was asked, after
// /v1, as in /chat/completions; there are few.
type Observer interface {
	// Called: an upstream was asked, and has answered with a status, 0 if it has
	// not answered. Requests that are passed on without being recorded count too.
	Called(upstream, endpoint string, status int)
	// Came: a caller gets a generation.
	Came(endpoint string, how Arrival)
	// Begun: an upstream is asked for a generation. Each of these is followed by one
	// call of Ended.
	Begun(upstream, endpoint string)
	Ended(Generation)
}

// An Arrival is how a caller comes to a generation.
type Arrival string

// How callers come: with a new question, with an Idempotency-Key or a Last-Event-ID
// of a generation that there is, by the upstream's id of a response, or to a
// conversation in which an answer is under way.
const (
	ArrivedNew      = Arrival(gateway.ArrivedNew)
	ArrivedKey      = Arrival(gateway.ArrivedKey)
	ArrivedID       = Arrival(gateway.ArrivedID)
	ArrivedResponse = Arrival(gateway.ArrivedResponse)
	ArrivedChat     = Arrival(gateway.ArrivedChat)
)

// A Generation is how an answer has ended that this server got from an upstream.
type Generation struct {
	// Stream is the name of its stream.
	Stream, Endpoint, Upstream string
	// Model is what was asked for, ResponseModel what has answered, both in the words
	// of others.
	Model, ResponseModel string
	// Status is that of the upstream's answer, or the one that callers got; 0 if
	// there was none.
	Status int
	// Reason is how the stream was closed, "" if that is not known, or if the stream
	// was deleted.
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
	// TokensPerSecond is from the first to the last token, without reasoning that
	// was not sent; 0 if there were not two at different times.
	TokensPerSecond float64
	// Input counts the tokens of the question, Cached those of them from a cache,
	// and Reasoning those of Tokens that are reasoning; 0 if not known.
	Input, Cached, Reasoning int64
}

// told is an observer as the gateway has it.
type told struct{ Observer }

func (t told) Came(endpoint string, how gateway.Arrival) { t.Observer.Came(endpoint, Arrival(how)) }
func (t told) Ended(g gateway.Generation)                { t.Observer.Ended(Generation(g)) }

func (s *Server) observer() gateway.Observer {
	if s.opts.Observer == nil {
		return nil
	}
	return told{s.opts.Observer}
}
