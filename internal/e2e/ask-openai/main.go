// Command ask-openai makes the calls of node/ask-openai.mjs with openai-go, and
// writes what came of them in the same way.
//
//	go run ./ask-openai URL MODEL KEY [PROMPT]
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
)

// A question is a prompt with a name.
type question struct{ name, prompt string }

// questions are what the origin of the tests answers in so many ways.
var questions = []question{
	{"text", "tokens=60"},
	{"reasoning", "reasoning=12 tokens=20"},
	{"calls", "tokens=3 calls=2"},
	{"refusal", "refuse tokens=8"},
	{"error", "tokens=20 error=7"},
	{"error at once", "error=0"},
	{"unauthorized", "status=401"},
	{"limited", "status=429 retry-after=3"},
	{"invalid", "status=400"},
	{"broken", "status=500"},
	{"cut", "tokens=20 cut=9"},
	{"ended", "tokens=20 end=9"},
}

// A called is what came of a call: the parts of the answer and the error.
type called struct {
	Call   string            `json:"call"`
	Got    []json.RawMessage `json:"got"`
	Thrown *thrown           `json:"thrown"`
}

// A thrown is what an application can know of an error.
type thrown struct {
	Class      string `json:"class"`
	Message    string `json:"message,omitempty"`
	Status     int    `json:"status,omitempty"`
	Body       string `json:"body,omitempty"`
	RetryAfter string `json:"retryAfter,omitempty"`
}

func main() {
	url, model, key := os.Args[1], os.Args[2], os.Args[3]
	client := openai.NewClient(option.WithBaseURL(url+"/v1"), option.WithAPIKey(key), option.WithMaxRetries(0))
	lines := json.NewEncoder(os.Stdout)
	lines.SetEscapeHTML(false)
	asked := questions
	if len(os.Args) > 4 {
		asked = []question{{"given", os.Args[4]}}
	}
	for _, q := range asked {
		for _, kind := range kinds {
			c := called{Call: kind.name + ": " + q.name, Got: []json.RawMessage{}}
			c.Thrown = told(kind.make(&client, model, q.prompt, func(part string) {
				c.Got = append(c.Got, json.RawMessage(part))
			}))
			if err := lines.Encode(c); err != nil {
				fmt.Fprintln(os.Stderr, c.Call, err)
				os.Exit(1)
			}
		}
	}
}

// told returns what an application can know of an error.
func told(err error) *thrown {
	if err == nil {
		return nil
	}
	var refused *openai.Error
	if errors.As(err, &refused) {
		return &thrown{
			Class: fmt.Sprintf("%T", refused), Message: refused.Message, Status: refused.StatusCode,
			Body: refused.RawJSON(), RetryAfter: refused.Response.Header.Get("Retry-After"),
		}
	}
	return &thrown{Class: fmt.Sprintf("%T", err), Message: err.Error()}
}

// kinds are the ways to call. Each hands over the parts of an answer, which are
// JSON.
var kinds = []struct {
	name string
	make func(client *openai.Client, model, prompt string, take func(part string)) error
}{
	{"chat, streamed", chatStreamed},
	{"chat, whole", chatWhole},
	{"responses, streamed", responsesStreamed},
	{"responses, whole", responsesWhole},
}

func chatParams(model, prompt string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:    model,
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(prompt)},
		Tools: []openai.ChatCompletionToolUnionParam{
			openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{Name: "look_up"}),
		},
	}
}

func chatStreamed(client *openai.Client, model, prompt string, take func(string)) error {
	params := chatParams(model, prompt)
	params.StreamOptions.IncludeUsage = openai.Bool(true)
	stream := client.Chat.Completions.NewStreaming(context.Background(), params)
	for stream.Next() {
		chunk := stream.Current()
		take(chunk.RawJSON())
	}
	return errors.Join(stream.Err(), stream.Close())
}

func chatWhole(client *openai.Client, model, prompt string, take func(string)) error {
	completion, err := client.Chat.Completions.New(context.Background(), chatParams(model, prompt))
	if err == nil {
		take(completion.RawJSON())
	}
	return err
}

func responseParams(model, prompt string) responses.ResponseNewParams {
	return responses.ResponseNewParams{
		Model: model,
		Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(prompt)},
		Tools: []responses.ToolUnionParam{responses.ToolParamOfFunction("look_up", map[string]any{}, false)},
	}
}

func responsesStreamed(client *openai.Client, model, prompt string, take func(string)) error {
	stream := client.Responses.NewStreaming(context.Background(), responseParams(model, prompt))
	for stream.Next() {
		event := stream.Current()
		take(event.RawJSON())
	}
	return errors.Join(stream.Err(), stream.Close())
}

func responsesWhole(client *openai.Client, model, prompt string, take func(string)) error {
	response, err := client.Responses.New(context.Background(), responseParams(model, prompt))
	if err == nil {
		take(response.RawJSON())
	}
	return err
}
