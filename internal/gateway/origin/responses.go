package origin

import "strings"

// responses is the format of OpenAI's Responses.
type responses struct{}

func (responses) requestID() string { return "X-Request-Id" }

func (responses) refused(status int, why string) object { return chat{}.refused(status, why) }

func (responses) failed(n int) event {
	return event{name: "error", body: object{
		"type": "error", "sequence_number": n, "code": "server_error", "message": brokenWhy, "param": nil,
	}}
}

func (responses) whole(a answer) object {
	var output []object
	for _, i := range a.items() {
		output = append(output, i.done)
	}
	return a.response("completed", output, a.responseUsage())
}

func (responses) events(a answer) []event {
	var events []event
	emit := func(name string, token bool, body object) {
		body["type"], body["sequence_number"] = name, len(events)
		events = append(events, event{name: name, body: body, token: token})
	}
	emit("response.created", false, object{"response": a.response("in_progress", []object{}, nil)})
	emit("response.in_progress", false, object{"response": a.response("in_progress", []object{}, nil)})
	var output []object
	for n, i := range a.items() {
		// at returns an event of the item.
		at := func(more object) object {
			o := object{"item_id": i.done["id"], "output_index": n}
			if i.partIndex != "" {
				o[i.partIndex] = 0
			}
			for name, value := range more {
				o[name] = value
			}
			return o
		}
		emit("response.output_item.added", false, object{"output_index": n, "item": i.added})
		if i.part != "" {
			emit(i.part+".added", false, at(object{"part": i.partAdded}))
		}
		for _, token := range i.tokens {
			delta := at(object{"delta": token})
			if i.delta == "response.output_text" {
				delta["logprobs"] = []any{}
			}
			emit(i.delta+".delta", true, delta)
		}
		emit(i.delta+".done", false, at(object{i.deltaField: strings.Join(i.tokens, "")}))
		if i.part != "" {
			emit(i.part+".done", false, at(object{"part": i.partDone}))
		}
		emit("response.output_item.done", false, object{"output_index": n, "item": i.done})
		output = append(output, i.done)
	}
	emit("response.completed", false, object{"response": a.response("completed", output, a.responseUsage())})
	return events
}

// An item is one of the output of a response.
type item struct {
	// added is how it begins, and done how it ends.
	added, done object
	// part is the name of the events of its only part, if it has parts,
	// partIndex the field with the part's number.
	part, partIndex     string
	partAdded, partDone object
	// delta is the name of the events of its tokens, and deltaField the field
	// of the last of them that has the whole.
	delta, deltaField string
	tokens            []string
}

// items returns the output of the response to which a is the answer.
func (a answer) items() []item {
	var items []item
	if len(a.reasoning) > 0 {
		part := func(text string) object { return object{"type": "summary_text", "text": text} }
		whole := part(strings.Join(a.reasoning, ""))
		of := func(parts ...object) object {
			return object{"id": "rs_" + a.id, "type": "reasoning", "summary": append([]object{}, parts...)}
		}
		items = append(items, item{
			added: of(), done: of(whole), tokens: a.reasoning,
			part: "response.reasoning_summary_part", partIndex: "summary_index", partAdded: part(""), partDone: whole,
			delta: "response.reasoning_summary_text", deltaField: "text",
		})
	}
	if len(a.text) > 0 {
		items = append(items, a.messageItem())
	}
	for _, c := range a.calls {
		of := func(status, arguments string) object {
			return object{
				"id": "fc_" + c.id, "type": "function_call", "status": status,
				"call_id": "call_" + c.id, "name": c.name, "arguments": arguments,
			}
		}
		items = append(items, item{
			added: of("in_progress", ""), done: of("completed", strings.Join(c.arguments, "")), tokens: c.arguments,
			delta: "response.function_call_arguments", deltaField: "arguments",
		})
	}
	return items
}

func (a answer) messageItem() item {
	delta, field := "response.output_text", "text"
	part := func(text string) object {
		return object{"type": "output_text", "annotations": []any{}, "logprobs": []any{}, "text": text}
	}
	if a.refusal {
		delta, field = "response.refusal", "refusal"
		part = func(text string) object { return object{"type": "refusal", "refusal": text} }
	}
	whole := part(strings.Join(a.text, ""))
	of := func(status string, parts ...object) object {
		return object{
			"id": "msg_" + a.id, "type": "message", "role": "assistant", "status": status,
			"content": append([]object{}, parts...),
		}
	}
	return item{
		added: of("in_progress"), done: of("completed", whole), tokens: a.text,
		part: "response.content_part", partIndex: "content_index", partAdded: part(""), partDone: whole,
		delta: delta, deltaField: field,
	}
}

// response returns the state of the response as a whole.
func (a answer) response(status string, output []object, usage any) object {
	return object{
		"id": "resp_" + a.id, "object": "response", "created_at": a.created, "status": status, "model": a.model,
		"output": output, "usage": usage, "error": nil, "incomplete_details": nil, "instructions": nil,
		"max_output_tokens": nil, "metadata": object{}, "parallel_tool_calls": true, "previous_response_id": nil,
		"reasoning": object{"effort": nil, "summary": nil}, "store": true, "temperature": 1.0, "top_p": 1.0,
		"text": object{"format": object{"type": "text"}}, "tool_choice": "auto", "tools": []any{},
		"truncation": "disabled", "user": nil,
	}
}

func (a answer) responseUsage() object {
	return object{
		"input_tokens": a.input, "input_tokens_details": object{"cached_tokens": 0},
		"output_tokens": a.outputTokens(), "output_tokens_details": object{"reasoning_tokens": len(a.reasoning)},
		"total_tokens": a.input + a.outputTokens(),
	}
}
