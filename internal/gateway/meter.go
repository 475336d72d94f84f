package gateway

import (
	"time"

	"github.com/freshet-stream/freshet/internal/dialect"
)

// tellEvery is how often the meta says how far an answer is. It goes with an
// append of events, never alone.
const tellEvery = time.Second

// A meter measures an answer while it comes. It must not be used concurrently.
type meter struct {
	dialect.Meter
	// taken is when the question was, begun when the first event of the answer
	// came, first and last when the first and the last came of what was generated.
	taken, begun, first, last time.Time
	// id is the upstream's own of the answer.
	id string
	// told is when the meta last said how far the answer is.
	told time.Time
}

// add counts an event that came now. It reports whether the meta should say so:
// with the first event that has something generated, and now and then.
func (m *meter) add(f dialect.Facts, now time.Time) (tell bool) {
	m.Add(f)
	if m.begun.IsZero() {
		m.begun = now
	}
	if f.ID != "" && m.id == "" {
		m.id = f.ID
	}
	if !f.Text {
		return false
	}
	if m.first.IsZero() {
		m.first = now
	}
	m.last = now
	if m.told.IsZero() || now.Sub(m.told) >= tellEvery {
		m.told = now
		return true
	}
	return false
}

// since returns how long after the question something was that may not have been.
func (m *meter) since(at time.Time) time.Duration {
	if at.IsZero() {
		return 0
	}
	return at.Sub(m.taken)
}

// rate returns the tokens per second from the first to the last, 0 if there were
// not two at different times. The first is what the time is counted from.
func (m *meter) rate() float64 {
	n, took := m.Sent(), m.last.Sub(m.first)
	if n < 2 || took <= 0 {
		return 0
	}
	return float64(n-1) / took.Seconds()
}

// Figures are what an answer has come to. What is not known is left out.
type Figures struct {
	// ResponseModel is the model that has answered, and Finish why it stopped, in
	// the upstream's words.
	ResponseModel string `json:"response_model,omitempty"`
	Finish        string `json:"finish,omitempty"`
	// FirstTokenMS is from the question to the first token, in milliseconds, and
	// DurationMS from the question until now or, at last, the end.
	FirstTokenMS float64 `json:"first_token_ms,omitempty"`
	DurationMS   float64 `json:"duration_ms,omitempty"`
	// Tokens is how many were generated: as the upstream has counted them if
	// TokensFrom is usage, otherwise how many chunks have come.
	Tokens     int64  `json:"tokens,omitempty"`
	TokensFrom string `json:"tokens_from,omitempty"`
	// TokensPerSecond is from the first to the last token.
	TokensPerSecond float64 `json:"tokens_per_second,omitempty"`
	InputTokens     int64   `json:"input_tokens,omitempty"`
	// CachedTokens are a part of InputTokens, ReasoningTokens of Tokens.
	CachedTokens    int64 `json:"cached_tokens,omitempty"`
	ReasoningTokens int64 `json:"reasoning_tokens,omitempty"`
}

// Where the number of tokens is from.
const (
	fromUsage  = "usage"
	fromChunks = "chunks"
)

// The words of an upstream are kept up to these sizes.
const (
	modelBytes  = 256
	finishBytes = 64
)

func (m *meter) figures(now time.Time) *Figures {
	f := &Figures{
		ResponseModel: clip(m.Model, modelBytes), Finish: clip(m.Finish, finishBytes),
		FirstTokenMS: milliseconds(m.since(m.first)), DurationMS: milliseconds(m.since(now)),
		TokensPerSecond: float64(int64(m.rate()*100)) / 100,
		InputTokens:     m.Usage.Input, CachedTokens: m.Usage.Cached, ReasoningTokens: m.Usage.Reasoning,
	}
	n, counted := m.Tokens()
	switch f.Tokens = n; {
	case counted:
		f.TokensFrom = fromUsage
	case n > 0:
		f.TokensFrom = fromChunks
	}
	return f
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
