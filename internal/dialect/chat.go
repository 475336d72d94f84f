package dialect

import (
	"bytes"
	"cmp"
	"encoding/json"

	"github.com/freshet-stream/freshet"
)

// Chat is OpenAI's chat completions: chunks of JSON, and [DONE].
type Chat struct{}

type chatChunk struct {
	ID      string          `json:"id"`
	Model   string          `json:"model"`
	Error   json.RawMessage `json:"error"`
	Usage   *chatUsage      `json:"usage"`
	Choices []chatChoice    `json:"choices"`
}

type chatChoice struct {
	Index        int       `json:"index"`
	FinishReason string    `json:"finish_reason"`
	Delta        chatDelta `json:"delta"`
}

type chatDelta struct {
	Content string `json:"content"`
	Refusal string `json:"refusal"`
	// Reasoning has two names among compatible servers.
	ReasoningContent string           `json:"reasoning_content"`
	Reasoning        string           `json:"reasoning"`
	ToolCalls        []chatToolCall   `json:"tool_calls"`
	Annotations      []chatAnnotation `json:"annotations"`
}

type chatToolCall struct {
	Index    int    `json:"index"`
	ID       string `json:"id"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

type chatAnnotation struct {
	URLCitation *citation `json:"url_citation"`
}

type citation struct {
	URL   string `json:"url"`
	Title string `json:"title"`
}

type chatUsage struct {
	Prompt        int64 `json:"prompt_tokens"`
	Completion    int64 `json:"completion_tokens"`
	PromptDetails struct {
		Cached int64 `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
	CompletionDetails struct {
		Reasoning int64 `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
}

func (u *chatUsage) usage() Usage {
	if u == nil {
		return Usage{}
	}
	return Usage{u.Prompt, u.Completion, u.PromptDetails.Cached, u.CompletionDetails.Reasoning}
}

func (d *chatDelta) generated() bool {
	return d.Content != "" || d.Refusal != "" || d.reasoning() != "" || len(d.ToolCalls) > 0
}

func (d *chatDelta) reasoning() string {
	if d.ReasoningContent != "" {
		return d.ReasoningContent
	}
	return d.Reasoning
}

func (c *chatChunk) failed() bool { return len(c.Error) > 0 && string(c.Error) != "null" }

// Read implements [Dialect].
func (Chat) Read(e Event) Facts {
	if isDone(e.Data) {
		return Facts{End: freshet.Completed}
	}
	var c chatChunk
	if !decode(e.Data, &c) {
		return errorByType(e)
	}
	if c.failed() || e.Type == typeError {
		return Facts{End: freshet.Failed}
	}
	f := Facts{ID: c.ID, Model: c.Model, Usage: c.Usage.usage()}
	for i := range c.Choices {
		f.Text = f.Text || c.Choices[i].Delta.generated()
		f.Thought = f.Thought || c.Choices[i].Delta.reasoning() != ""
		if c.Choices[i].FinishReason != "" {
			f.Finish = c.Choices[i].FinishReason
		}
	}
	return f
}

// Ends implements [Dialect] with an error and no [DONE]: the SDKs throw on the
// one, and take the other for success.
func (Chat) Ends(t Tally, c freshet.Closure) []Event {
	if t.ended {
		return nil
	}
	return []Event{{Data: errorObject(c)}}
}

// EndOfBody implements [Dialect]: without [DONE] an answer is not whole.
func (Chat) EndOfBody() freshet.Reason { return freshet.Failed }

// Refusal returns what the body of an answer says that is no stream: the message
// of its error, as compatible servers write it, or else the body.
func (Chat) Refusal(body []byte) string {
	var told struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
		Detail  string          `json:"detail"`
	}
	decode(body, &told)
	return cmp.Or(errorMessage(told.Error), told.Message, told.Detail, string(body))
}

const typeError = "error"

func errorByType(e Event) Facts {
	if e.Type == typeError {
		return Facts{End: freshet.Failed}
	}
	return Facts{}
}

// errorObject is OpenAI's error object for a close.
func errorObject(c freshet.Closure) []byte {
	type body struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    string  `json:"code"`
	}
	d := DetailOf(c)
	return encode(struct {
		Error body `json:"error"`
	}{body{Message: d.Message, Type: "server_error", Code: d.Code}})
}

func isDone(data []byte) bool { return string(bytes.TrimSpace(data)) == "[DONE]" }
