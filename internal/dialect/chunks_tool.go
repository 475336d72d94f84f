package dialect

import "strconv"

func (c *Chunks) takeTool(p piece) {
	t := c.tools[p.key]
	if p.kind == beginTool {
		t = c.beginTool(t, p)
	}
	if t == nil || t.ended {
		return
	}
	switch p.kind {
	case addInput:
		t.input = append(t.input, p.text...)
		c.tell(t.progress()...)
	case wholeInput:
		if len(t.input) == 0 {
			t.input = []byte(p.text)
		}
		c.endTool(t)
	case rawInput:
		t.input = encode(p.text)
		c.endTool(t)
	}
}

// beginTool goes on with the call t that has the piece's key, unless there is
// none or the piece is of another: some upstreams give all calls one index.
func (c *Chunks) beginTool(t *tool, p piece) *tool {
	another := t != nil && p.call != "" && t.upstream != "" && p.call != t.upstream
	if another {
		c.endTool(t)
	}
	if t == nil || another {
		c.endOpen()
		t = &tool{hosted: p.hosted}
		c.tools[p.key] = t
		c.inOrder = append(c.inOrder, t)
	}
	if t.started || t.ended {
		return t
	}
	if t.name == "" {
		t.name = p.name
	}
	if t.upstream == "" {
		t.upstream = p.call
	}
	if t.name != "" {
		c.name(t)
		c.tell(t.start(false)...)
		c.tell(t.progress()...)
	}
	return t
}

// name gives the call the id by which it is told: the upstream's, or one that is
// not taken.
func (c *Chunks) name(t *tool) {
	if t.call != "" {
		return
	}
	t.call = t.upstream
	for n := len(c.calls); t.call == "" || c.calls[t.call] != nil; n++ {
		t.call = t.upstream + "call-" + strconv.Itoa(n)
	}
	c.calls[t.call] = t
}

func (c *Chunks) endTools() {
	for _, t := range c.inOrder {
		c.endTool(t)
	}
}

func (c *Chunks) endTool(t *tool) {
	c.name(t)
	c.tell(t.end()...)
}

func (c *Chunks) takeOutput(p piece) {
	t := c.calls[p.call]
	if t == nil || !t.hosted || len(p.output) == 0 {
		return
	}
	c.endTool(t)
	c.tell(chunk{Type: "tool-output-available", ToolCallID: t.call, Output: p.output, Hosted: true})
}

// finishReason is the AI SDK's word for why the model stopped, "" if that is not
// known.
func (c *Chunks) finishReason() string {
	switch c.meter.Finish {
	case "length", "max_tokens", "max_output_tokens", "model_context_window_exceeded":
		return "length"
	case "content_filter", "refusal":
		return "content-filter"
	case "tool_calls", "function_call", "tool_use":
		return "tool-calls"
	case "completed":
		if len(c.inOrder) > 0 {
			return "tool-calls"
		}
		return "stop"
	case "stop", "end_turn", "stop_sequence", "pause_turn":
		return "stop"
	case "":
		return ""
	}
	return "other"
}
