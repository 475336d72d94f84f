package dialect

import "encoding/json"

// A Change is what an event adds to the output of a response, OpenAI's list of
// what it consists of.
type Change struct {
	// Item is the index of the item in the output, Part that of the part in a
	// message's content.
	Item, Part int
	// Added or Done is the item as it is first, or at last.
	Added, Done json.RawMessage
	// Text, Refusal and Arguments are what is added to the item.
	Text, Refusal, Arguments string
}

// maxOutput bounds how much of an output is kept, in bytes. What is beyond it
// is missing from the end of an answer that was not finished.
const maxOutput = 1 << 20

// An output is the sum of its changes, as far as it is kept.
type output struct {
	items []outputItem
	size  int
}

type outputItem struct {
	object    json.RawMessage
	done      bool
	parts     []outputPart
	arguments []byte
}

type outputPart struct {
	text    []byte
	refusal bool
}

func (o *output) add(c *Change) {
	size := len(c.Added) + len(c.Done) + len(c.Text) + len(c.Refusal) + len(c.Arguments)
	if c.Item < 0 || c.Item > len(o.items) || o.size+size > maxOutput {
		return
	}
	if c.Item == len(o.items) {
		if c.Added == nil && c.Done == nil {
			return
		}
		o.items = append(o.items, outputItem{})
	}
	o.size += size
	switch item := &o.items[c.Item]; {
	case c.Done != nil:
		*item = outputItem{object: c.Done, done: true}
	case c.Added != nil:
		*item = outputItem{object: c.Added}
	case !item.done:
		item.arguments = append(item.arguments, c.Arguments...)
		item.extend(c)
	}
}

func (i *outputItem) extend(c *Change) {
	if c.Part < 0 || c.Part > len(i.parts) || c.Text == "" && c.Refusal == "" {
		return
	}
	if c.Part == len(i.parts) {
		i.parts = append(i.parts, outputPart{refusal: c.Refusal != ""})
	}
	part := &i.parts[c.Part]
	part.text = append(append(part.text, c.Text...), c.Refusal...)
}

// list returns the items, those that are not done as incomplete.
func (o *output) list() []json.RawMessage {
	out := make([]json.RawMessage, 0, len(o.items))
	for i := range o.items {
		if object := o.items[i].render(); object != nil {
			out = append(out, object)
		}
	}
	return out
}

// render returns nil if the upstream's item is none.
func (i *outputItem) render() json.RawMessage {
	var object map[string]json.RawMessage
	if !decode(i.object, &object) {
		return nil
	}
	if i.done {
		return i.object
	}
	if object["status"] != nil {
		object["status"] = encode("incomplete")
	}
	if len(i.parts) > 0 {
		object["content"] = i.content()
	}
	if len(i.arguments) > 0 {
		object["arguments"] = encode(string(i.arguments))
	}
	return encode(object)
}

func (i *outputItem) content() json.RawMessage {
	type textPart struct {
		Type        string     `json:"type"`
		Text        string     `json:"text"`
		Annotations []struct{} `json:"annotations"`
	}
	type refusalPart struct {
		Type    string `json:"type"`
		Refusal string `json:"refusal"`
	}
	parts := make([]any, 0, len(i.parts))
	for _, p := range i.parts {
		if p.refusal {
			parts = append(parts, refusalPart{"refusal", string(p.text)})
		} else {
			parts = append(parts, textPart{"output_text", string(p.text), []struct{}{}})
		}
	}
	return encode(parts)
}
