package gateway

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/freshet-stream/freshet/internal/dialect"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/sse"
)

// chunksHeader says which protocol the AI SDK's chunks are of.
const chunksHeader, chunksVersion = "X-Vercel-Ai-Ui-Message-Stream", "v1"

// newChunks returns how a turn of a conversation is told, nil for what is told as
// its upstream has told it. The message's id is the same whoever asks, and when.
func newChunks(id string, m *Meta) *dialect.Chunks {
	if m.Endpoint != chat {
		return nil
	}
	if m.Message == "" {
		m.Message = id
	}
	return dialect.NewChunks(chatEndpoint.dialect, m.Message)
}

// appendChunks appends a batch as chunks. They have no ids: the AI SDK starts
// again from the first.
func (c *relay) appendChunks(dst []byte, batch *hub.Batch) []byte {
	events := make([]dialect.Event, batch.Len())
	for i := range events {
		record := batch.Record(i)
		events[i] = dialect.Event{Type: record.Type, ID: record.ID, Data: record.Data}
		c.idle = 0
	}
	chunks := c.chunks.Next(events...)
	if batch.Closed != nil {
		chunks = append(chunks, c.chunks.Close(*batch.Closed)...)
	}
	for _, chunk := range chunks {
		dst = sse.AppendEvent(dst, chunk.Type, chunk.Data, "")
	}
	return dst
}

// refusal returns how an answer is told that is not a stream of events: as an
// error, whose text the AI SDK shows.
func refusal(m *Meta, body []byte) (int, []byte) {
	status, text := m.Status, dialect.Chat{}.Refusal(body)
	switch {
	case status/100 == 2:
		status, text = http.StatusBadGateway, "The upstream has not answered with a stream of events."
	case text == "", isPage(m.Header):
		text = strings.TrimSpace(fmt.Sprintf("The upstream answered %d %s", status, http.StatusText(status))) + "."
	}
	return status, []byte(text)
}

// isPage reports whether an answer is a page for a browser, as proxies send them.
func isPage(h http.Header) bool {
	return strings.HasPrefix(strings.ToLower(h.Get("Content-Type")), "text/html")
}
