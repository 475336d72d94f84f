package origin

import (
	"encoding/json"
	"net/http"
	"strings"
)

// messages is the format of Anthropic's Messages.
type messages struct{}

func (messages) requestID() string { return "Request-Id" }

func (messages) refused(status int, why string) object {
	kind := "invalid_request_error"
	switch {
	case status == http.StatusUnauthorized:
		kind = "authentication_error"
	case status == http.StatusNotFound:
		kind = "not_found_error"
	case status == http.StatusTooManyRequests:
		kind = "rate_limit_error"
	case status >= http.StatusInternalServerError:
		kind = "api_error"
	}
	return anthropicError(kind, why)
}

func (messages) failed(int) event {
	return event{name: "error", body: anthropicError("overloaded_error", "Overloaded")}
}

func anthropicError(kind, why string) object {
	return object{"type": "error", "error": object{"type": kind, "message": why}}
}

func (messages) whole(a answer) object {
	content := []object{}
	for _, b := range a.blocks() {
		content = append(content, b.whole)
	}
	o := a.message(content, a.outputTokens())
	o["stop_reason"] = a.stopReason()
	return o
}

func (messages) events(a answer) []event {
	var events []event
	emit := func(name string, token bool, body object) {
		body["type"] = name
		events = append(events, event{name: name, body: body, token: token})
	}
	emit("message_start", false, object{"message": a.message([]object{}, 1)})
	for n, b := range a.blocks() {
		emit("content_block_start", false, object{"index": n, "content_block": b.begin})
		if n == 0 {
			emit("ping", false, object{})
		}
		for _, token := range b.tokens {
			emit("content_block_delta", true, object{"index": n, "delta": object{"type": b.delta, b.deltaField: token}})
		}
		if b.signature != "" {
			delta := object{"type": "signature_delta", "signature": b.signature}
			emit("content_block_delta", false, object{"index": n, "delta": delta})
		}
		emit("content_block_stop", false, object{"index": n})
	}
	emit("message_delta", false, object{
		"delta": object{"stop_reason": a.stopReason(), "stop_sequence": nil},
		"usage": object{"output_tokens": a.outputTokens()},
	})
	emit("message_stop", false, object{})
	return events
}

// A block is one of the content of a message.
type block struct {
	begin, whole object
	// delta is the type of what its tokens come in, and deltaField the field.
	delta, deltaField string
	tokens            []string
	signature         string
}

// blocks returns the content of the message that is the answer.
func (a answer) blocks() []block {
	var blocks []block
	if len(a.reasoning) > 0 {
		of := func(thinking, signature string) object {
			return object{"type": "thinking", "thinking": thinking, "signature": signature}
		}
		signature := "Eq" + a.id + "=="
		blocks = append(blocks, block{
			begin: of("", ""), whole: of(strings.Join(a.reasoning, ""), signature),
			delta: "thinking_delta", deltaField: "thinking", tokens: a.reasoning, signature: signature,
		})
	}
	if len(a.text) > 0 {
		of := func(text string) object { return object{"type": "text", "text": text} }
		blocks = append(blocks, block{
			begin: of(""), whole: of(strings.Join(a.text, "")),
			delta: "text_delta", deltaField: "text", tokens: a.text,
		})
	}
	for _, c := range a.calls {
		of := func(input any) object {
			return object{"type": "tool_use", "id": "toolu_" + c.id, "name": c.name, "input": input}
		}
		blocks = append(blocks, block{
			begin: of(object{}), whole: of(json.RawMessage(strings.Join(c.arguments, ""))),
			delta: "input_json_delta", deltaField: "partial_json", tokens: c.arguments,
		})
	}
	return blocks
}

func (a answer) message(content []object, outputTokens int) object {
	return object{
		"id": "msg_" + a.id, "type": "message", "role": "assistant", "model": a.model, "content": content,
		"stop_reason": nil, "stop_sequence": nil,
		"usage": object{
			"input_tokens": a.input, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
			"output_tokens": outputTokens,
		},
	}
}

func (a answer) stopReason() string {
	switch {
	case a.refusal:
		return "refusal"
	case len(a.calls) > 0:
		return "tool_use"
	}
	return "end_turn"
}
