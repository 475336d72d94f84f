package dialect

import (
	"encoding/json"
	"errors"
	"fmt"
)

// A Turn is what the AI SDK's useChat posts: a conversation that wants an answer.
type Turn struct {
	// Chat is the id of the conversation.
	Chat string
	// Message is the id of the message that the answer goes on with, after the
	// results of its tool calls; "" if the answer is a message of its own. It is
	// then the message id of the chunks.
	Message string
	// Request is the body of the same request to [Chat]: streamed, and with usage.
	Request []byte
}

// ParseTurn reads the body that the DefaultChatTransport of versions 5 and 6
// posts. What an application has added to it, such as model and tools, goes into
// the request as it is. Reasoning, sources and tool calls that have no result are
// not told to the model. It is asked for the model that is given unless it names
// one; "" is none.
func ParseTurn(body []byte, model string) (Turn, error) {
	request := map[string]json.RawMessage{}
	if err := json.Unmarshal(body, &request); err != nil {
		return Turn{}, fmt.Errorf("read chat: %w", err)
	}
	var chat string
	if err := json.Unmarshal(request["id"], &chat); err != nil || chat == "" {
		return Turn{}, errors.New("read chat: it has no id")
	}
	var messages []uiMessage
	if err := json.Unmarshal(request["messages"], &messages); err != nil {
		return Turn{}, fmt.Errorf("read messages: %w", err)
	}
	var told []chatMessage
	for i := range messages {
		more, err := messages[i].tell()
		if err != nil {
			return Turn{}, fmt.Errorf("read message %d: %w", i, err)
		}
		told = append(told, more...)
	}
	if len(told) == 0 {
		return Turn{}, errors.New("read messages: none says anything")
	}
	turn := Turn{Chat: chat}
	if last := &messages[len(messages)-1]; last.Role == "assistant" {
		turn.Message = last.ID
	}
	for _, own := range []string{"id", "trigger", "messageId"} {
		delete(request, own)
	}
	if model != "" && request["model"] == nil {
		request["model"] = encode(model)
	}
	request["messages"] = encode(told)
	request["stream"] = json.RawMessage("true")
	request["stream_options"] = json.RawMessage(`{"include_usage":true}`)
	turn.Request = encode(request)
	return turn, nil
}

// A chatMessage is one of the messages of a chat completion.
type chatMessage struct {
	Role string `json:"role"`
	// Content is a string or a list of parts.
	Content    any        `json:"content,omitempty"`
	ToolCalls  []chatCall `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
}

type chatCall struct {
	ID       string       `json:"id"`
	Type     string       `json:"type"`
	Function chatFunction `json:"function"`
}

type chatFunction struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

type chatPart struct {
	Type     string    `json:"type"`
	Text     string    `json:"text,omitempty"`
	ImageURL *chatURL  `json:"image_url,omitempty"`
	File     *chatFile `json:"file,omitempty"`
}

type chatURL struct {
	URL string `json:"url"`
}

type chatFile struct {
	Name string `json:"filename"`
	Data string `json:"file_data"`
}
