package e2e

import (
	"slices"
	"strings"
	"testing"
)

// tapped is a record of the stream of a tap.
type tapped struct {
	Tap   string
	Bytes []byte
	Open  *struct {
		Server      string
		WebSocket   bool
		LastEventID string
	}
	End     string
	Dropped int
}

// A response is what a server wrote to one SSE connection.
type response struct {
	lastEventID string
	body        []byte
	end         string
}

// checkReplays checks the responses that an EventSource got which was cut: each
// but the first has to answer the last id that the browser had been sent, by
// that id and then by newer ones.
func checkReplays(t *testing.T, messages []tapped, cuts int) {
	t.Helper()
	responses := sseResponses(t, messages)
	// The last answers the browser's return after the end, with 204.
	if len(responses) < cuts+1 {
		t.Fatalf("there were %d responses for %d cuts", len(responses), cuts)
	}
	last := ""
	for i, r := range responses[:cuts+1] {
		ids := eventIDs(r.body)
		if len(ids) < 2 {
			t.Fatalf("response %d has %d ids", i, len(ids))
		}
		if i < cuts && r.end != "reset" {
			t.Errorf("response %d ended %s", i, r.end)
		}
		if i > 0 {
			// What was on its way when the connection was reset did not arrive.
			if r.lastEventID == "" || r.lastEventID > last {
				t.Errorf("response %d was asked for with Last-Event-ID %q, and the last id before was %q", i, r.lastEventID, last)
			}
			if ids[0] != r.lastEventID || ids[1] <= r.lastEventID {
				t.Errorf("response %d begins with the ids %q for Last-Event-ID %q", i, ids[:2], r.lastEventID)
			}
		}
		if !slices.IsSorted(ids) {
			t.Errorf("the ids of response %d go back: %q", i, ids)
		}
		last = ids[len(ids)-1]
	}
}

func sseResponses(t *testing.T, messages []tapped) []response {
	t.Helper()
	var responses []response
	sse := ""
	for _, m := range messages {
		switch {
		case m.Open != nil && !m.Open.WebSocket:
			sse = m.Tap
			responses = append(responses, response{lastEventID: m.Open.LastEventID})
		case m.Dropped > 0:
			t.Fatalf("%d bytes were not shown to the page", m.Dropped)
		case m.Tap != sse || len(responses) == 0:
		case m.End != "":
			responses[len(responses)-1].end = m.End
		default:
			r := &responses[len(responses)-1]
			r.body = append(r.body, m.Bytes...)
		}
	}
	return responses
}

func eventIDs(body []byte) (ids []string) {
	for line := range strings.Lines(string(body)) {
		if id, ok := strings.CutPrefix(line, "id: "); ok {
			ids = append(ids, strings.TrimSpace(id))
		}
	}
	return ids
}
