package apidoc_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestAsyncAPI tells a real server the stories of asyncapi.yaml. What goes over
// the wire is what the examples say and what the schemas allow, and no example
// is left over.
func TestAsyncAPI(t *testing.T) {
	doc := readDocument(t, "asyncapi.json")
	told := map[string]bool{}
	for _, story := range []func(*teller){tellEvents, tellSet, tellPlain, tellOperations} {
		synctest.Test(t, func(t *testing.T) {
			rig := newPipeRig(t)
			story(&teller{
				exchange: &exchange{pipeRig: rig, bindings: newBindings(), named: map[string]*dialogue{}},
				doc:      doc, told: told,
			})
		})
	}
	for name := range doc.object("/components/messages") {
		examples, _ := doc.object("/components/messages/" + name)["examples"].([]any)
		if len(examples) == 0 {
			t.Errorf("the message %s has no example", name)
		}
		for i := range examples {
			if !told[fmt.Sprint(name, i)] {
				t.Errorf("nobody sends example %d of %s", i, name)
			}
		}
	}
}

// A teller tells a story.
type teller struct {
	*exchange
	doc  *document
	told map[string]bool
	at   *dialogue
}

const getEvents = "GET %s HTTP/1.1\nHost: localhost\nAccept: text/event-stream\n"

// ask sends a request whose answer the story goes on with. Variables of the
// document are those of the run.
func (s *teller) ask(request string) {
	s.Helper()
	s.at = &dialogue{conn: s.dial()}
	s.at.request(s.resolve(request))
	if head := s.at.head(); !strings.HasPrefix(head, "HTTP/1.1 200") && !strings.HasPrefix(head, "HTTP/1.1 101") {
		s.Fatalf("%s is answered by %s", request, head)
	}
}

// example returns an example of a message.
func (s *teller) example(message, name string) map[string]any {
	s.Helper()
	examples, _ := s.doc.object("/components/messages/" + message)["examples"].([]any)
	for i, example := range examples {
		if e := example.(map[string]any); e["name"] == name {
			s.told[fmt.Sprint(message, i)] = true
			return e
		}
	}
	s.Fatalf("the message %s has no example called %q", message, name)
	return nil
}

// fits compares a message that came with an example, and both with the schema.
func (s *teller) fits(message, name string, headers map[string]any, payload any) {
	s.Helper()
	example := s.example(message, name)
	at := "/components/messages/" + message
	for what, got := range map[string]any{"headers": headers, "payload": payload} {
		if s.doc.object(at)[what] == nil || got == nil || what == "headers" && headers == nil {
			continue
		}
		s.doc.validate(message+" "+what, at+"/"+what, got)
		s.doc.validate("the example "+name, at+"/"+what, example[what])
	}
	got := map[string]any{"name": name}
	if headers != nil {
		got["headers"] = headers
	}
	if payload != nil {
		got["payload"] = payload
	}
	if err := s.compare(canonical(s.T, example), canonical(s.T, got)); err != nil {
		s.Errorf("%s, %q: %v", message, name, err)
	}
}

// canonical returns a value as JSON in which retry is a variable (see
// [variable]).
func canonical(t *testing.T, value any) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(out.String(), `"retry":`, "retry: ")
}

func parseJSON(t *testing.T, text string) any {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return value
}

// A want names an example of a message.
type want struct{ message, name string }

// events expects these events, and no others by now. It reads as little of SSE as
// it needs: what the server sends has one data line an event.
func (s *teller) events(wants ...want) {
	s.Helper()
	blocks := strings.SplitAfter(s.at.more(), "\n\n")
	blocks = slices.DeleteFunc(blocks, func(b string) bool { return b == "" })
	if len(blocks) != len(wants) {
		s.Fatalf("the events are %q, and %v were to come", blocks, wants)
	}
	for i, block := range blocks {
		headers := map[string]any{}
		var payload any
		for line := range strings.SplitSeq(strings.TrimRight(block, "\n"), "\n") {
			switch field, value, _ := strings.Cut(line, ": "); field {
			case "retry":
				headers[field] = json.Number(value)
			case "data":
				payload = value
			case ":":
				headers, payload = nil, block
			default:
				headers[field] = value
			}
		}
		w := wants[i]
		if at := s.doc.object("/components/messages/" + w.message); payload != nil && at["contentType"] == nil {
			payload = parseJSON(s.T, payload.(string))
		}
		s.fits(w.message, w.name, headers, payload)
	}
}

func tellEvents(s *teller) {
	s.do("create greeting text/plain")
	s.do("append greeting Hello")
	s.ask(fmt.Sprintf(getEvents, "/v1/stream/greeting"))
	s.events(want{"begin", "begin"}, want{"record", "text"})
	s.do("append greeting , world")
	s.events(want{"record", "live"})
	time.Sleep(16 * time.Second)
	s.events(want{"heartbeat", "heartbeat"})
	s.do("close greeting completed")
	s.events(want{"streamClosed", "completed"})

	s.do("delete greeting")
	s.do("create greeting text/plain")
	s.do("append greeting Good morning")
	s.ask(fmt.Sprintf(getEvents, "/v1/stream/greeting") + "Last-Event-ID: 0000000000000002_9566c74d10037c4d\n")
	s.events(want{"begin", "before a gap"}, want{"streamGap", "gap"}, want{"record", "anew"})
	s.do("delete greeting")
	s.events(want{"streamGap", "deleted"}, want{"streamClosed", "gone"})

	s.ask(fmt.Sprintf(getEvents, "/v1/stream/run?wait=5"))
	s.events(want{"begin", "while waiting"})
	s.do("create run text/event-stream")
	s.do(`append run event: delta\ndata: {"text":"Hel"}`)
	s.events(want{"record", "event"})
}

func tellSet(s *teller) {
	s.do("create left text/plain")
	s.do("append left Hello")
	s.do("create right application/json")
	body := `{"streams":[{"stream":"left"},{"stream":"right"}]}`
	s.ask(fmt.Sprintf("POST /v1/follow HTTP/1.1\nHost: localhost\nContent-Length: %d\n\n%s", len(body), body))
	s.events(want{"setBegin", "set"}, want{"setRecord", "text"})
	s.do(`append right [{"n":1}]`)
	s.events(want{"setRecord", "JSON"})
	s.do("close left completed")
	s.events(want{"setClosed", "completed"})
	s.do("delete right")
	s.events(want{"setGap", "deleted"}, want{"setClosed", "gone"})
}

const getWebSocket = "GET %s HTTP/1.1\nHost: localhost\nConnection: Upgrade\nUpgrade: websocket\n" +
	"Sec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n"

// messages expects these messages, and no others by now; acks come first (see
// [acksFirst]).
func (s *teller) messages(wants ...want) {
	s.Helper()
	var got []string
	for line := range strings.Lines(acksFirst(s.at.frames(s.T))) {
		got = append(got, strings.TrimSuffix(strings.TrimPrefix(line, "< "), "\n"))
	}
	if len(got) != len(wants) {
		s.Fatalf("the messages are %q, and %v were to come", got, wants)
	}
	for i, w := range wants {
		payload := any(got[i])
		if s.doc.object("/components/messages/" + w.message)["contentType"] == nil {
			payload = parseJSON(s.T, got[i])
		}
		s.fits(w.message, w.name, nil, payload)
	}
}

// say sends the payload of an example, after checking it against its schema.
func (s *teller) say(message, name string) {
	s.Helper()
	payload := s.example(message, name)["payload"]
	s.doc.validate("the example "+name, "/components/messages/"+message+"/payload", payload)
	text, ok := payload.(string)
	if !ok {
		text = strings.TrimSuffix(canonical(s.T, payload), "\n")
	}
	s.at.sendMessage(s.resolve(text))
}

func tellPlain(s *teller) {
	for _, w := range []struct{ name, contentType, data, message, example string }{
		{"greeting", "text/plain", "Hello", "plainText", "text"},
		{"steps", "application/json", `{"n":1}`, "plainJSON", "JSON"},
		{"run", "text/event-stream", `event: delta\ndata: Hel`, "plainEvent", "event"},
		{"blob", "application/octet-stream", "any bytes", "plainBytes", "bytes"},
	} {
		s.do("create " + w.name + " " + w.contentType)
		s.do("append " + w.name + " " + w.data)
		s.ask(fmt.Sprintf(getWebSocket, "/v1/stream/"+w.name+"?append="+w.name))
		s.messages(want{w.message, w.example})
		if w.name == "greeting" {
			s.say("plainText", "appended")
			s.messages(want{"plainText", "appended"})
		}
	}
}

func tellOperations(s *teller) {
	s.do("create a text/plain")
	s.do("append a Hello")
	s.do("create b application/json")
	s.do("create events text/event-stream")
	s.ask(fmt.Sprintf(getWebSocket, "/v1/stream/a") + "Sec-WebSocket-Protocol: freshet.v1.json\n")
	for _, step := range []struct {
		message, name string
		wants         []want
	}{
		{"follow", "the stream of the URL", []want{{"records", "text"}}},
		{"follow", "another", nil},
		{"follow", "missing", []want{{"error", "missing"}}},
		{"follow", "waiting", nil},
		{"unfollow", "another", []want{{"ack", "unfollowed"}}},
		{"append", "text", []want{{"ack", "appended"}, {"records", "appended"}}},
		{"append", "by a producer", []want{{"ack", "by a producer"}}},
		{"append", "by a producer", []want{{"ack", "again"}}},
		{"append", "out of turn", []want{{"error", "out of turn"}}},
		{"append", "an event", []want{{"ack", "an event"}}},
		{"close", "cancelled", []want{{"ack", "closed"}, {"closed", "cancelled"}}},
		{"auth", "token", []want{{"error", "token"}}},
		{"follow", "lost", []want{{"gap", "ahead"}, {"records", "again"}, {"closed", "cancelled"}}},
		{"follow", "gone", []want{{"gap", "gone"}, {"closed", "gone"}}},
	} {
		s.say(step.message, step.name)
		s.messages(step.wants...)
	}
	s.do("create later text/event-stream")
	s.do(`append later event: delta\ndata: lo`)
	s.messages(want{"records", "waited for"})
}
