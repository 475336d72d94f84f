package dialect

import (
	"encoding/json"
	"fmt"
	"strings"
)

// A uiMessage is a message as the AI SDK keeps it.
type uiMessage struct {
	ID    string   `json:"id"`
	Role  string   `json:"role"`
	Parts []uiPart `json:"parts"`
}

type uiPart struct {
	Type string `json:"type"`
	Text string `json:"text"`

	MediaType string `json:"mediaType"`
	URL       string `json:"url"`
	Filename  string `json:"filename"`

	ToolName   string          `json:"toolName"`
	ToolCallID string          `json:"toolCallId"`
	State      string          `json:"state"`
	Input      json.RawMessage `json:"input"`
	RawInput   json.RawMessage `json:"rawInput"`
	Output     json.RawMessage `json:"output"`
	ErrorText  string          `json:"errorText"`
	Hosted     bool            `json:"providerExecuted"`
}

// tell returns what the model is told of the message: an answer becomes several,
// one for each step and each result of a tool.
func (m *uiMessage) tell() ([]chatMessage, error) {
	switch m.Role {
	case "system":
		return said(chatMessage{Role: m.Role, Content: m.text()}), nil
	case "user":
		content, err := m.content()
		return said(chatMessage{Role: m.Role, Content: content}), err
	case "assistant":
		return m.steps(), nil
	}
	return nil, fmt.Errorf("%q is not a role; send system, user or assistant", m.Role)
}

// said returns the message unless it says nothing.
func said(m chatMessage) []chatMessage {
	if m.Content == "" && len(m.ToolCalls) == 0 {
		return nil
	}
	if m.Content == "" {
		m.Content = nil
	}
	return []chatMessage{m}
}

func (m *uiMessage) text() string {
	var b strings.Builder
	for i := range m.Parts {
		if m.Parts[i].Type == "text" {
			b.WriteString(m.Parts[i].Text)
		}
	}
	return b.String()
}

// content is a string unless there are files.
func (m *uiMessage) content() (any, error) {
	var parts []chatPart
	files := false
	for i := range m.Parts {
		switch p := &m.Parts[i]; p.Type {
		case "text":
			if p.Text != "" {
				parts = append(parts, chatPart{Type: "text", Text: p.Text})
			}
		case "file":
			file, err := p.file()
			if err != nil {
				return "", err
			}
			files = true
			parts = append(parts, file)
		}
	}
	if !files {
		return m.text(), nil
	}
	return parts, nil
}

func (p *uiPart) file() (chatPart, error) {
	switch {
	case strings.HasPrefix(p.MediaType, "image/"):
		return chatPart{Type: "image_url", ImageURL: &chatURL{p.URL}}, nil
	case p.MediaType == "application/pdf" && strings.HasPrefix(p.URL, "data:"):
		name := p.Filename
		if name == "" {
			name = "file.pdf"
		}
		return chatPart{Type: "file", File: &chatFile{name, p.URL}}, nil
	}
	return chatPart{}, fmt.Errorf("a file of the type %q cannot be told to the model; send an image, or a PDF as a data URL", p.MediaType)
}

func (m *uiMessage) steps() []chatMessage {
	var out, results []chatMessage
	var text strings.Builder
	var calls []chatCall
	end := func() {
		out = append(out, said(chatMessage{Role: "assistant", Content: text.String(), ToolCalls: calls})...)
		out = append(out, results...)
		text.Reset()
		calls, results = nil, nil
	}
	for i := range m.Parts {
		p := &m.Parts[i]
		switch {
		case p.Type == "step-start":
			end()
		case p.Type == "text":
			text.WriteString(p.Text)
		case p.hasResult():
			calls = append(calls, p.call())
			results = append(results, chatMessage{Role: "tool", ToolCallID: p.ToolCallID, Content: p.result()})
		}
	}
	end()
	return out
}

// hasResult reports whether the part is a tool call of the client's that came to
// an end.
func (p *uiPart) hasResult() bool {
	return !p.Hosted && p.ToolCallID != "" && (p.Type == "dynamic-tool" || strings.HasPrefix(p.Type, "tool-")) &&
		(p.State == "output-available" || p.State == "output-error" || p.State == "output-denied")
}

func (p *uiPart) call() chatCall {
	name := p.ToolName
	if p.Type != "dynamic-tool" {
		name = strings.TrimPrefix(p.Type, "tool-")
	}
	input := p.Input
	if input == nil {
		input = p.RawInput
	}
	if input == nil {
		input = json.RawMessage("{}")
	}
	return chatCall{ID: p.ToolCallID, Type: "function", Function: chatFunction{name, string(encode(input))}}
}

// result is the output's text, or its JSON.
func (p *uiPart) result() string {
	switch p.State {
	case "output-error":
		return p.ErrorText
	case "output-denied":
		return "The user has not allowed this call."
	}
	var text string
	if p.Output == nil || json.Unmarshal(p.Output, &text) == nil {
		return text
	}
	return string(encode(p.Output))
}
