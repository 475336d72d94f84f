package dialect

import "strconv"

func (Responses) pieces(e Event) []piece {
	var r responsesEvent
	if !decode(e.Data, &r) {
		return nil
	}
	item := strconv.Itoa(r.OutputIndex)
	content := item + "." + strconv.Itoa(r.ContentIndex)
	summary := item + ".summary." + strconv.Itoa(r.SummaryIndex)
	thought := item + ".reasoning." + strconv.Itoa(r.ContentIndex)
	switch r.Type {
	case "response.output_text.delta", "response.refusal.delta":
		return []piece{{kind: addText, key: content, text: r.Delta}}
	case "response.output_text.done":
		return []piece{{kind: wholeText, key: content, text: r.Text}}
	case "response.refusal.done":
		return []piece{{kind: wholeText, key: content, text: r.Refusal}}
	case "response.content_part.done":
		return []piece{{kind: endBlock, key: content}}
	case "response.output_text.annotation.added":
		if r.Annotation.Type == "url_citation" {
			return []piece{{kind: addSource, source: r.Annotation.citation}}
		}
	case "response.reasoning_summary_text.delta":
		return []piece{{kind: addReasoning, key: summary, text: r.Delta}}
	case "response.reasoning_summary_part.done":
		return []piece{{kind: endBlock, key: summary}}
	case "response.reasoning_text.delta":
		return []piece{{kind: addReasoning, key: thought, text: r.Delta}}
	case "response.reasoning_text.done":
		return []piece{{kind: endBlock, key: thought}}
	case "response.output_item.added":
		if i := r.item(); i.calls() {
			return []piece{{kind: beginTool, key: item, call: i.CallID, name: i.Name}}
		}
	case "response.function_call_arguments.delta":
		return []piece{{kind: addInput, key: item, text: r.Delta}}
	case "response.output_item.done":
		return r.item().done(item)
	case responseFailed:
		var object responsesObject
		decode(r.Response, &object)
		return []piece{{kind: failure, text: object.Error.Message}}
	case typeError:
		if r.Message == "" {
			r.Message = r.Error.Message
		}
		return []piece{{kind: failure, text: r.Message}}
	}
	return nil
}

func (r *responsesEvent) item() *responsesItem {
	var i responsesItem
	decode(r.Item, &i)
	return &i
}

// calls reports whether the item is a call that the client has to make.
func (i *responsesItem) calls() bool {
	return i.Type == "function_call" || i.Type == "custom_tool_call"
}

func (i *responsesItem) done(key string) []piece {
	if !i.calls() {
		return nil
	}
	begin := piece{kind: beginTool, key: key, call: i.CallID, name: i.Name}
	if i.Type == "custom_tool_call" {
		return []piece{begin, {kind: rawInput, key: key, text: i.Input}}
	}
	return []piece{begin, {kind: wholeInput, key: key, text: i.Arguments}}
}
