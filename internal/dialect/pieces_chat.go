package dialect

import (
	"encoding/json"
	"strconv"
)

// pieces takes the first choice only, as a message has one.
func (Chat) pieces(e Event) []piece {
	var c chatChunk
	if !decode(e.Data, &c) {
		return nil
	}
	if c.failed() {
		return []piece{{kind: failure, text: errorMessage(c.Error)}}
	}
	var out []piece
	for i := range c.Choices {
		if choice := &c.Choices[i]; choice.Index == 0 {
			out = choice.pieces(out)
		}
	}
	return out
}

func (c *chatChoice) pieces(out []piece) []piece {
	d := &c.Delta
	out = append(out,
		piece{kind: addReasoning, key: "reasoning", text: d.reasoning()},
		piece{kind: addText, key: "text", text: d.Content},
		piece{kind: addText, key: "refusal", text: d.Refusal})
	for _, call := range d.ToolCalls {
		key := strconv.Itoa(call.Index)
		out = append(out,
			piece{kind: beginTool, key: key, call: call.ID, name: call.Function.Name},
			piece{kind: addInput, key: key, text: call.Function.Arguments})
	}
	for _, a := range d.Annotations {
		if a.URLCitation != nil {
			out = append(out, piece{kind: addSource, source: *a.URLCitation})
		}
	}
	if c.FinishReason != "" {
		out = append(out, piece{kind: endTools})
	}
	return out
}

// errorMessage reads an error that is an object with a message, or a string.
func errorMessage(data json.RawMessage) string {
	var object upstreamError
	if decode(data, &object) {
		return object.Message
	}
	var text string
	if json.Unmarshal(data, &text) != nil {
		return ""
	}
	return text
}

// pieces takes what is not JSON, or a JSON string, for text. Of other JSON
// nothing is known.
func (Generic) pieces(e Event) []piece {
	if isDone(e.Data) {
		return nil
	}
	text := string(e.Data)
	if json.Valid(e.Data) && json.Unmarshal(e.Data, &text) != nil {
		return nil
	}
	if e.Type == typeError {
		return []piece{{kind: failure, text: text}}
	}
	return []piece{{kind: addText, key: "text", text: text}}
}
