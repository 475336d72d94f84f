package dialect

import "encoding/json"

// A chunk is one of the AI SDK's UI message stream: the union of those that
// versions 5 and 6 both take.
type chunk struct {
	Type string `json:"type"`

	MessageID       string          `json:"messageId,omitempty"`
	MessageMetadata *metadata       `json:"messageMetadata,omitempty"`
	ID              string          `json:"id,omitempty"`
	Delta           string          `json:"delta,omitempty"`
	ToolCallID      string          `json:"toolCallId,omitempty"`
	ToolName        string          `json:"toolName,omitempty"`
	InputTextDelta  string          `json:"inputTextDelta,omitempty"`
	Input           json.RawMessage `json:"input,omitempty"`
	Output          json.RawMessage `json:"output,omitempty"`
	Hosted          bool            `json:"providerExecuted,omitempty"`
	SourceID        string          `json:"sourceId,omitempty"`
	URL             string          `json:"url,omitempty"`
	Title           string          `json:"title,omitempty"`
	ErrorText       string          `json:"errorText,omitempty"`
	FinishReason    string          `json:"finishReason,omitempty"`

	// added becomes Delta or InputTextDelta.
	added []byte
}

const (
	chunkTextDelta      = "text-delta"
	chunkReasoningDelta = "reasoning-delta"
	chunkInputDelta     = "tool-input-delta"
)

// maxJoined bounds the delta that deltas are joined to.
const maxJoined = 32 << 10

// join adds next to c if both are deltas of one block, and reports whether it
// has.
func (c *chunk) join(next *chunk) bool {
	if len(next.added) == 0 || c.Type != next.Type || c.ID != next.ID || c.ToolCallID != next.ToolCallID ||
		len(c.added)+len(next.added) > maxJoined {
		return false
	}
	c.added = append(c.added, next.added...)
	return true
}

func (c *chunk) event() Event {
	switch c.Type {
	case chunkTextDelta, chunkReasoningDelta:
		c.Delta = string(c.added)
	case chunkInputDelta:
		c.InputTextDelta = string(c.added)
	}
	return Event{Data: encode(c)}
}

// metadata is what a message says of itself, with the AI SDK's names.
type metadata struct {
	Model string       `json:"model,omitempty"`
	Usage *usageObject `json:"usage,omitempty"`
}

type usageObject struct {
	Input     int64 `json:"inputTokens,omitempty"`
	Output    int64 `json:"outputTokens,omitempty"`
	Total     int64 `json:"totalTokens,omitempty"`
	Reasoning int64 `json:"reasoningTokens,omitempty"`
	Cached    int64 `json:"cachedInputTokens,omitempty"`
}

// metadata returns nil if nothing is known.
func (m *Meter) metadata() *metadata {
	out := metadata{Model: m.Model}
	if u := m.Usage; u != (Usage{}) {
		out.Usage = &usageObject{Input: u.Input, Output: u.Output, Reasoning: u.Reasoning, Cached: u.Cached}
		if u.Input > 0 && u.Output > 0 {
			out.Usage.Total = u.Input + u.Output
		}
	}
	if out == (metadata{}) {
		return nil
	}
	return &out
}
