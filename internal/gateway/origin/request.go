package origin

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// A request is what a call asks for, in any of the formats.
type request struct {
	Model         string `json:"model"`
	Stream        bool   `json:"stream"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	// Messages is the conversation, except that the Responses format calls it
	// Input, which may be a mere string.
	Messages []message `json:"messages"`
	Input    content   `json:"input"`
	Tools    []tool    `json:"tools"`
}

type message struct {
	Role    string  `json:"role"`
	Content content `json:"content"`
}

// A tool has its name inside of Function in the format of chat completions.
type tool struct {
	Name     string `json:"name"`
	Function struct {
		Name string `json:"name"`
	} `json:"function"`
}

// A content is a text, or a list of parts or of messages; it keeps the last text.
type content string

// contentDepth is how deep there is text in lists: in the parts of results of tools
// in messages. What is deeper is not read, since all of it is read at each depth.
const contentDepth = 3

func (c *content) UnmarshalJSON(data []byte) error {
	text, err := readContent(data, contentDepth)
	*c = content(text)
	return err
}

func readContent(data []byte, depth int) (last string, err error) {
	if json.Unmarshal(data, &last) == nil || depth == 0 {
		return last, nil
	}
	var parts []struct {
		Text    string          `json:"text"`
		Content json.RawMessage `json:"content"`
	}
	if err := json.Unmarshal(data, &parts); err != nil {
		return "", fmt.Errorf("read content: %w", err)
	}
	for _, part := range parts {
		text := part.Text
		if len(part.Content) > 0 {
			more, err := readContent(part.Content, depth-1)
			if err != nil {
				return "", err
			}
			text += more
		}
		if text != "" {
			last = text
		}
	}
	return last, nil
}

func readRequest(body []byte) (request, error) {
	var r request
	if err := json.Unmarshal(body, &r); err != nil {
		return request{}, fmt.Errorf("read request: %w", err)
	}
	if r.Model == "" {
		return request{}, errors.New("read request: you must provide a model parameter")
	}
	return r, nil
}

// prompt returns what was said last.
func (r request) prompt() string {
	if len(r.Messages) > 0 {
		return string(r.Messages[len(r.Messages)-1].Content)
	}
	return string(r.Input)
}

// toolName returns the name of the first tool on offer.
func (r request) toolName() string {
	for _, t := range r.Tools {
		if name := t.Name + t.Function.Name; name != "" {
			return name
		}
	}
	return "get_weather"
}

// words returns the words of the model's name and of the prompt.
func (r request) words() []string {
	return strings.FieldsFunc(r.Model+" "+r.prompt(), func(c rune) bool { return c == ',' || c == ' ' || c == '\n' })
}
