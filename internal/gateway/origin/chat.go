package origin

import (
	"net/http"
	"strings"
)

// chat is the format of OpenAI's chat completions.
type chat struct{}

func (chat) requestID() string { return "X-Request-Id" }

func (chat) events(a answer) []event {
	var opening any = ""
	if len(a.text) == 0 || a.refusal {
		opening = nil
	}
	events := []event{a.chunk(object{"role": "assistant", "content": opening, "refusal": nil}, nil, false)}
	for _, token := range a.reasoning {
		events = append(events, a.chunk(object{"reasoning_content": token}, nil, true))
	}
	for _, token := range a.text {
		events = append(events, a.chunk(object{a.textField(): token}, nil, true))
	}
	for i, c := range a.calls {
		begin := object{"index": i, "id": "call_" + c.id, "type": "function", "function": object{"name": c.name, "arguments": ""}}
		events = append(events, a.chunk(object{"tool_calls": []object{begin}}, nil, false))
		for _, token := range c.arguments {
			more := object{"index": i, "function": object{"arguments": token}}
			events = append(events, a.chunk(object{"tool_calls": []object{more}}, nil, true))
		}
	}
	events = append(events, a.chunk(object{}, a.finishReason(), false))
	if a.includeUsage {
		last := a.completion("chat.completion.chunk", []object{})
		last["usage"] = a.chatUsage()
		events = append(events, event{body: last})
	}
	return append(events, event{})
}

func (chat) whole(a answer) object {
	message := object{"role": "assistant", "content": nil, "refusal": nil, "annotations": []any{}}
	if len(a.text) > 0 {
		message[a.textField()] = strings.Join(a.text, "")
	}
	if len(a.reasoning) > 0 {
		message["reasoning_content"] = strings.Join(a.reasoning, "")
	}
	var calls []object
	for _, c := range a.calls {
		function := object{"name": c.name, "arguments": strings.Join(c.arguments, "")}
		calls = append(calls, object{"id": "call_" + c.id, "type": "function", "function": function})
	}
	if calls != nil {
		message["tool_calls"] = calls
	}
	choice := object{"index": 0, "message": message, "logprobs": nil, "finish_reason": a.finishReason()}
	o := a.completion("chat.completion", []object{choice})
	o["usage"] = a.chatUsage()
	return o
}

func (chat) failed(int) event {
	return event{body: openAIError(brokenWhy, "server_error", "server_error")}
}

func (chat) refused(status int, why string) object {
	kind, code := "invalid_request_error", any(nil)
	switch status {
	case http.StatusUnauthorized:
		code = "invalid_api_key"
	case http.StatusTooManyRequests:
		kind, code = "requests", "rate_limit_exceeded"
	}
	if status >= http.StatusInternalServerError {
		kind = "server_error"
	}
	return openAIError(why, kind, code)
}

func openAIError(message, kind string, code any) object {
	return object{"error": object{"message": message, "type": kind, "param": nil, "code": code}}
}

func (a answer) completion(kind string, choices []object) object {
	return object{
		"id": "chatcmpl-" + a.id, "object": kind, "created": a.created, "model": a.model,
		"service_tier": "default", "system_fingerprint": "fp_" + a.id[:10], "choices": choices,
	}
}

func (a answer) chunk(delta object, finish any, token bool) event {
	o := a.completion("chat.completion.chunk", []object{{"index": 0, "delta": delta, "logprobs": nil, "finish_reason": finish}})
	if a.includeUsage {
		o["usage"] = nil
	}
	return event{body: o, token: token}
}

func (a answer) textField() string {
	if a.refusal {
		return "refusal"
	}
	return "content"
}

func (a answer) finishReason() string {
	if len(a.calls) > 0 {
		return "tool_calls"
	}
	return "stop"
}

func (a answer) chatUsage() object {
	return object{
		"prompt_tokens": a.input, "completion_tokens": a.outputTokens(), "total_tokens": a.input + a.outputTokens(),
		"prompt_tokens_details":     object{"cached_tokens": 0, "audio_tokens": 0},
		"completion_tokens_details": object{"reasoning_tokens": len(a.reasoning), "audio_tokens": 0},
	}
}
