package dialect

import "encoding/json"

// A tool is a call whose input is being told.
type tool struct {
	call, name string
	upstream   string
	hosted     bool
	input      []byte
	// told is how much of input has gone out; the start goes before it.
	told    int
	started bool
	ended   bool
}

// anyName stands for a name that the upstream never gave.
const anyName = "tool"

// start returns nothing until the name is known, unless it must be.
func (t *tool) start(must bool) []chunk {
	if t.started || t.name == "" && !must {
		return nil
	}
	if t.name == "" {
		t.name = anyName
	}
	t.started = true
	return []chunk{{Type: "tool-input-start", ToolCallID: t.call, ToolName: t.name, Hosted: t.hosted}}
}

// progress tells what has not been told of the input.
func (t *tool) progress() []chunk {
	if !t.started || t.told == len(t.input) {
		return nil
	}
	added := t.input[t.told:]
	t.told = len(t.input)
	return []chunk{{Type: chunkInputDelta, ToolCallID: t.call, added: append([]byte(nil), added...)}}
}

// end tells all that remains. No input is an empty object; one that is not JSON
// is told as an error, with its text.
func (t *tool) end() []chunk {
	if t.ended {
		return nil
	}
	t.ended = true
	out := append(t.start(true), t.progress()...)
	last := chunk{Type: "tool-input-available", ToolCallID: t.call, ToolName: t.name, Hosted: t.hosted, Input: t.input}
	if len(t.input) == 0 {
		last.Input = json.RawMessage("{}")
	} else if !json.Valid(t.input) {
		last.Type, last.Input = "tool-input-error", encode(string(t.input))
		last.ErrorText = "The input of the tool call is not valid JSON."
	}
	return append(out, last)
}
