package dialect

import (
	"encoding/json"
	"math"

	"github.com/freshet-stream/freshet"
)

// An Event is one event of an answer, as it is recorded.
type Event struct {
	// Type is the event's type, "" if it was sent without one.
	Type string
	// ID is the event's id as its sender gave it.
	ID string
	// Data is never altered, and never kept beyond a call.
	Data []byte
}

// A Dialect reads and writes the events of one endpoint. The zero values of its
// implementations are ready; they may be used concurrently.
type Dialect interface {
	// Read returns what an event says. It never fails.
	Read(Event) Facts
	// Ends returns the events that tell how an answer ended whose upstream did
	// not tell it; none if it did. The tally is of all events of the answer.
	Ends(Tally, freshet.Closure) []Event
	// EndOfBody is how an answer has ended whose body ended cleanly, in an
	// exchange that was complete, without an event that ends it.
	EndOfBody() freshet.Reason

	pieces(Event) []piece
}

// Facts are what one event says.
type Facts struct {
	// End is the reason for which the event ends the answer, "" if it does not.
	End freshet.Reason
	// ID is the upstream's own id of the answer.
	ID string
	// Model is the model that answers, in the upstream's words.
	Model string
	// Finish is why the model stopped, in the upstream's words.
	Finish string
	// Text says that the event carries something that the model generated: text,
	// reasoning, a refusal, a part of a tool call.
	Text bool
	// Thought says that it carries reasoning as Usage counts it, not a summary.
	Thought bool
	// Usage is what the upstream says it has counted so far.
	Usage Usage
	// Sequence is the event's number in the answer, if Numbered.
	Sequence int64
	Numbered bool
	// Response is the state of the answer as an object, where events carry it.
	Response json.RawMessage
	// Change is what the event adds to the output of such an object, nil if
	// nothing.
	Change *Change
}

// A Usage counts tokens. Zero is not known.
type Usage struct {
	Input, Output int64
	// Cached is the part of Input that was read from a cache, Reasoning the part
	// of Output that is reasoning.
	Cached, Reasoning int64
}

// merge takes the later count where there is one.
func (u *Usage) merge(later Usage) {
	for _, p := range []struct {
		to   *int64
		from int64
	}{{&u.Input, later.Input}, {&u.Output, later.Output}, {&u.Cached, later.Cached}, {&u.Reasoning, later.Reasoning}} {
		if p.from > 0 {
			*p.to = p.from
		}
	}
}

// A Meter counts an answer. The zero value is ready; a Meter must not be used
// concurrently.
type Meter struct {
	Usage  Usage
	Model  string
	Finish string
	// Chunks is how many events carried something that was generated, and Thoughts
	// how many of these carried reasoning.
	Chunks, Thoughts int64
}

// Add counts an event.
func (m *Meter) Add(f Facts) {
	m.Usage.merge(f.Usage)
	if f.Text {
		m.Chunks++
	}
	if f.Thought {
		m.Thoughts++
	}
	if f.Model != "" {
		m.Model = f.Model
	}
	if f.Finish != "" {
		m.Finish = f.Finish
	}
}

// Tokens returns how many tokens were generated. Unless counted, the upstream
// did not say and they are chunks.
func (m *Meter) Tokens() (n int64, counted bool) {
	if m.Usage.Output > 0 {
		return m.Usage.Output, true
	}
	return m.Chunks, false
}

// Sent returns how many tokens came in the events: those of reasoning, which many
// upstreams count and keep to themselves, only if some of it came.
func (m *Meter) Sent() int64 {
	n, counted := m.Tokens()
	if counted && m.Thoughts == 0 {
		n = max(n-m.Usage.Reasoning, 0)
	}
	return n
}

// A Tally is what the end of an answer is told from. The zero value is that of
// an answer that has not begun. Of [Responses] it keeps the last state and up to
// 1 MiB of output, as an end that was not sent says what there was.
type Tally struct {
	ended bool
	// settled says that response is the state at the end.
	settled  bool
	next     int64
	response json.RawMessage
	output   output
}

// Add takes an event into account. It keeps what the facts point to.
func (t *Tally) Add(f Facts) {
	t.ended = t.ended || f.End != ""
	t.settled = t.settled || f.End != "" && f.Response != nil
	if f.Numbered && f.Sequence >= t.next && f.Sequence < math.MaxInt64 {
		t.next = f.Sequence + 1
	}
	if f.Response != nil {
		t.response = f.Response
	}
	if f.Change != nil {
		t.output.add(f.Change)
	}
}

// Ended reports whether the upstream has told the end.
func (t *Tally) Ended() bool { return t.ended }

// Response returns the answer as an object: its state at the end, or else the
// last one and the output since. It is nil if no event has carried one.
func (t *Tally) Response() json.RawMessage {
	object := t.object()
	if object == nil || t.settled {
		return t.response
	}
	if t.ended {
		object["status"] = encode("failed")
	}
	return encode(object)
}

// object is nil if the answer is not known as one.
func (t *Tally) object() map[string]json.RawMessage {
	var object map[string]json.RawMessage
	if !decode(t.response, &object) {
		return nil
	}
	if items := t.output.list(); len(items) > 0 {
		object["output"] = encode(items)
	}
	return object
}
