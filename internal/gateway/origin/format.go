package origin

import (
	"bytes"
	"encoding/json"
)

// A format is one of the providers' ways to write an answer.
type format interface {
	// events writes it as a stream, whole at once.
	events(answer) []event
	whole(answer) object
	// failed is the event that tells of a failure instead of event n.
	failed(n int) event
	// refused is the body of a response that is not 200.
	refused(status int, why string) object
	// requestID is the header that has the number of a request.
	requestID() string
}

// formats are the formats by the path of their endpoint.
func formats() map[string]format {
	return map[string]format{
		"/v1/chat/completions": chat{},
		"/v1/responses":        responses{},
		"/v1/messages":         messages{},
	}
}

// An event is one of the stream of an answer.
type event struct {
	// name is empty in formats whose events have none.
	name string
	// body is nil for the [DONE] of chat completions.
	body object
	// token says that a model takes time to make it.
	token bool
}

// append appends the event as it is sent.
func (e event) append(b []byte) []byte {
	if e.name != "" {
		b = append(append(append(b, "event: "...), e.name...), '\n')
	}
	data := []byte("[DONE]")
	if e.body != nil {
		data = encode(e.body)
	}
	return append(append(append(b, "data: "...), data...), "\n\n"...)
}

type object map[string]any

// encode encodes as the providers do, who leave <, > and & as they are.
func encode(o object) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(o); err != nil {
		panic(err) // of an object of plain values
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
