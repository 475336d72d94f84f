package dialect

import (
	"encoding/json"

	"github.com/freshet-stream/freshet"
)

// Messages is Anthropic's messages: events whose data repeats their type.
type Messages struct{}

type messagesEvent struct {
	Type    string `json:"type"`
	Index   int    `json:"index"`
	Message struct {
		ID    string         `json:"id"`
		Model string         `json:"model"`
		Usage *messagesUsage `json:"usage"`
	} `json:"message"`
	Block messagesBlock  `json:"content_block"`
	Delta messagesDelta  `json:"delta"`
	Usage *messagesUsage `json:"usage"`
	Error upstreamError  `json:"error"`
}

type messagesBlock struct {
	Type     string          `json:"type"`
	ID       string          `json:"id"`
	Name     string          `json:"name"`
	Text     string          `json:"text"`
	Thinking string          `json:"thinking"`
	Input    json.RawMessage `json:"input"`
	// Content is a list of results, or an object that says why there is none.
	Content   json.RawMessage `json:"content"`
	ToolUseID string          `json:"tool_use_id"`
}

type messagesDelta struct {
	Type        string   `json:"type"`
	Text        string   `json:"text"`
	Thinking    string   `json:"thinking"`
	PartialJSON string   `json:"partial_json"`
	StopReason  string   `json:"stop_reason"`
	Citation    citation `json:"citation"`
}

type messagesUsage struct {
	Input         int64 `json:"input_tokens"`
	CacheRead     int64 `json:"cache_read_input_tokens"`
	CacheCreation int64 `json:"cache_creation_input_tokens"`
	Output        int64 `json:"output_tokens"`
}

// usage counts as input what was read from and written to the cache, which
// Anthropic counts beside it.
func (u *messagesUsage) usage() Usage {
	if u == nil {
		return Usage{}
	}
	return Usage{Input: u.Input + u.CacheRead + u.CacheCreation, Output: u.Output, Cached: u.CacheRead}
}

func (d *messagesDelta) generated() bool {
	return d.Text != "" || d.Thinking != "" || d.PartialJSON != ""
}

func (b *messagesBlock) generated() bool {
	return b.Text != "" || b.Thinking != "" || b.Name != ""
}

// upstreamError is the error object of either provider.
type upstreamError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

// Read implements [Dialect].
func (Messages) Read(e Event) Facts {
	var m messagesEvent
	if !decode(e.Data, &m) {
		return errorByType(e)
	}
	switch m.Type {
	case "message_start":
		usage := m.Message.Usage.usage()
		usage.Output = 0 // A placeholder here; the count comes at the end.
		return Facts{ID: m.Message.ID, Model: m.Message.Model, Usage: usage}
	case "content_block_start":
		return Facts{Text: m.Block.generated()}
	case "content_block_delta":
		return Facts{Text: m.Delta.generated(), Thought: m.Delta.Thinking != ""}
	case "message_delta":
		return Facts{Finish: m.Delta.StopReason, Usage: m.Usage.usage()}
	case "message_stop":
		return Facts{End: freshet.Completed}
	case typeError:
		return Facts{End: freshet.Failed}
	}
	return errorByType(e)
}

// Ends implements [Dialect] with an error whose type is the code of the close;
// the SDKs throw it.
func (Messages) Ends(t Tally, c freshet.Closure) []Event {
	if t.ended {
		return nil
	}
	type body struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	}
	d := DetailOf(c)
	return []Event{{Type: typeError, Data: encode(struct {
		Type  string `json:"type"`
		Error body   `json:"error"`
	}{typeError, body{d.Code, d.Message}})}}
}

// EndOfBody implements [Dialect]: without message_stop an answer is not whole.
func (Messages) EndOfBody() freshet.Reason { return freshet.Failed }
