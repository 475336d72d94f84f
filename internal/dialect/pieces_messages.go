package dialect

import (
	"encoding/json"
	"strconv"
	"strings"
)

func (Messages) pieces(e Event) []piece {
	var m messagesEvent
	if !decode(e.Data, &m) {
		return nil
	}
	key := strconv.Itoa(m.Index)
	switch m.Type {
	case "content_block_start":
		return m.Block.pieces(key)
	case "content_block_delta":
		return m.Delta.pieces(key)
	case "content_block_stop":
		return []piece{{kind: endBlock, key: key}, {kind: wholeInput, key: key}}
	case typeError:
		return []piece{{kind: failure, text: m.Error.Message}}
	}
	return nil
}

func (b *messagesBlock) pieces(key string) []piece {
	switch {
	case b.Type == "text":
		return []piece{{kind: addText, key: key, text: b.Text}}
	case b.Type == "thinking":
		return []piece{{kind: addReasoning, key: key, text: b.Thinking}}
	case strings.HasSuffix(b.Type, "_tool_result"):
		return b.result()
	case strings.HasSuffix(b.Type, "tool_use"):
		begin := piece{kind: beginTool, key: key, call: b.ID, name: b.Name, hosted: b.Type != "tool_use"}
		if input := string(b.Input); input != "" && input != "{}" && input != "null" {
			return []piece{begin, {kind: addInput, key: key, text: input}}
		}
		return []piece{begin}
	}
	return nil
}

// result tells what a hosted call gave, and the pages among it.
func (b *messagesBlock) result() []piece {
	out := []piece{{kind: toolOutput, call: b.ToolUseID, output: b.Content}}
	var found []struct {
		Type string `json:"type"`
		citation
	}
	if json.Unmarshal(b.Content, &found) != nil {
		return out
	}
	for _, f := range found {
		if f.Type == "web_search_result" {
			out = append(out, piece{kind: addSource, source: f.citation})
		}
	}
	return out
}

func (d *messagesDelta) pieces(key string) []piece {
	switch d.Type {
	case "text_delta":
		return []piece{{kind: addText, key: key, text: d.Text}}
	case "thinking_delta":
		return []piece{{kind: addReasoning, key: key, text: d.Thinking}}
	case "input_json_delta":
		return []piece{{kind: addInput, key: key, text: d.PartialJSON}}
	case "citations_delta":
		return []piece{{kind: addSource, source: d.Citation}}
	}
	return nil
}
