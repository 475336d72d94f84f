package dialect

import (
	"encoding/json"
	"strings"

	"github.com/freshet-stream/freshet"
)

// Responses is OpenAI's responses: numbered events whose data repeats their type.
type Responses struct{}

const (
	responseCompleted  = "response.completed"
	responseFailed     = "response.failed"
	responseIncomplete = "response.incomplete"
)

type responsesEvent struct {
	Type     string          `json:"type"`
	Sequence *int64          `json:"sequence_number"`
	Response json.RawMessage `json:"response"`
	Delta    string          `json:"delta"`

	OutputIndex  int                 `json:"output_index"`
	ContentIndex int                 `json:"content_index"`
	SummaryIndex int                 `json:"summary_index"`
	Item         json.RawMessage     `json:"item"`
	Annotation   responsesAnnotation `json:"annotation"`
	Text         string              `json:"text"`
	Refusal      string              `json:"refusal"`
	Message      string              `json:"message"`
	Error        upstreamError       `json:"error"`
}

type responsesItem struct {
	Type      string `json:"type"`
	CallID    string `json:"call_id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
	Input     string `json:"input"`
}

type responsesAnnotation struct {
	Type string `json:"type"`
	citation
}

type responsesObject struct {
	ID         string          `json:"id"`
	Model      string          `json:"model"`
	Usage      *responsesUsage `json:"usage"`
	Error      upstreamError   `json:"error"`
	Incomplete struct {
		Reason string `json:"reason"`
	} `json:"incomplete_details"`
}

type responsesUsage struct {
	Input        int64 `json:"input_tokens"`
	Output       int64 `json:"output_tokens"`
	InputDetails struct {
		Cached int64 `json:"cached_tokens"`
	} `json:"input_tokens_details"`
	OutputDetails struct {
		Reasoning int64 `json:"reasoning_tokens"`
	} `json:"output_tokens_details"`
}

func (u *responsesUsage) usage() Usage {
	if u == nil {
		return Usage{}
	}
	return Usage{u.Input, u.Output, u.InputDetails.Cached, u.OutputDetails.Reasoning}
}

// Read implements [Dialect]. An answer that reached a limit is incomplete to
// OpenAI, and complete here: the upstream has said all that it will.
func (Responses) Read(e Event) Facts {
	var r responsesEvent
	if !decode(e.Data, &r) {
		return errorByType(e)
	}
	f := Facts{Text: r.Delta != "" && strings.HasSuffix(r.Type, ".delta"), Change: r.change()}
	f.Thought = f.Text && r.Type == "response.reasoning_text.delta"
	if r.Sequence != nil {
		f.Sequence, f.Numbered = *r.Sequence, true
	}
	var object responsesObject
	if decode(r.Response, &object) {
		f.ID, f.Model, f.Usage, f.Response = object.ID, object.Model, object.Usage.usage(), r.Response
	}
	switch {
	case r.Type == responseCompleted:
		f.End, f.Finish = freshet.Completed, "completed"
	case r.Type == responseIncomplete:
		f.End, f.Finish = freshet.Completed, object.Incomplete.Reason
	case r.Type == responseFailed, r.Type == typeError, e.Type == typeError:
		f.End = freshet.Failed
	}
	return f
}

func (r *responsesEvent) change() *Change {
	switch r.Type {
	case "response.output_item.added":
		return &Change{Item: r.OutputIndex, Added: r.Item}
	case "response.output_item.done":
		return &Change{Item: r.OutputIndex, Done: r.Item}
	case "response.output_text.delta":
		return &Change{Item: r.OutputIndex, Part: r.ContentIndex, Text: r.Delta}
	case "response.refusal.delta":
		return &Change{Item: r.OutputIndex, Part: r.ContentIndex, Refusal: r.Delta}
	case "response.function_call_arguments.delta":
		return &Change{Item: r.OutputIndex, Arguments: r.Delta}
	}
	return nil
}

// responsesEnd is an end that the upstream did not send.
type responsesEnd struct {
	Type     string `json:"type"`
	Sequence int64  `json:"sequence_number"`
	// Response is the state of the answer then.
	Response map[string]json.RawMessage `json:"response"`
}

// responsesError is the end of an answer that had not begun.
type responsesError struct {
	Type     string  `json:"type"`
	Sequence int64   `json:"sequence_number"`
	Code     string  `json:"code"`
	Message  string  `json:"message"`
	Param    *string `json:"param"`
}

// Ends implements [Dialect] with response.incomplete for an answer that was
// stopped and response.failed for one that failed, on the response as the
// upstream last described it with the output since, or with an error if it never
// has.
func (Responses) Ends(t Tally, c freshet.Closure) []Event {
	if t.ended {
		return nil
	}
	d := DetailOf(c)
	end := responsesEnd{Type: responseFailed, Sequence: t.next, Response: t.object()}
	if end.Response == nil {
		return []Event{{Type: typeError, Data: encode(responsesError{
			Type: typeError, Sequence: t.next, Code: d.Code, Message: d.Message,
		})}}
	}
	if c.Reason == freshet.Cancelled {
		end.Type = responseIncomplete
		end.Response["status"] = encode("incomplete")
		end.Response["incomplete_details"] = encode(map[string]string{"reason": d.Code})
	} else {
		end.Response["status"] = encode("failed")
		end.Response["error"] = encode(map[string]string{"code": d.Code, "message": d.Message})
	}
	return []Event{{Type: end.Type, Data: encode(end)}}
}

// EndOfBody implements [Dialect]: without its last event an answer is not whole.
func (Responses) EndOfBody() freshet.Reason { return freshet.Failed }
