package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/client"
	"github.com/freshet-stream/freshet/sse"
)

// A chat is a conversation with a model.
type chat struct {
	url, model string
	out        io.Writer
	streams    *client.Client
	said       []message
}

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

func newChat(url, model string, out io.Writer) (*chat, error) {
	streams, err := client.New(url, client.Options{})
	return &chat{url: url, model: model, out: out, streams: streams}, err
}

// An answer is how far one has come.
type answer struct {
	// key makes every request for it the same question, and lastID is where the
	// next one goes on.
	key, lastID string
	body        []byte
	text        strings.Builder
}

// errCut says that the connection was lost before the answer had an end.
var errCut = errors.New("the connection was cut")

// ask writes the answer to a question as it comes. The answer is stopped when ctx
// ends.
func (c *chat) ask(ctx context.Context, question string) error {
	c.said = append(c.said, message{"user", question})
	body, err := json.Marshal(map[string]any{"model": c.model, "stream": true, "messages": c.said})
	if err != nil {
		return err
	}
	a := &answer{key: rand.Text(), body: body}
	for {
		err := c.read(ctx, a)
		if !errors.Is(err, errCut) {
			c.said = append(c.said, message{"assistant", a.text.String()})
			return err
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// silence is after how long without anything a connection counts as cut: three
// of the server's heartbeats.
const silence = 45 * time.Second

// read reads an answer until it ends or is cut.
func (c *chat) read(ctx context.Context, a *answer) error {
	connection, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	request, err := http.NewRequestWithContext(connection, http.MethodPost, c.url+"/v1/chat/completions", bytes.NewReader(a.body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", a.key)
	if a.lastID != "" {
		request.Header.Set("Last-Event-ID", a.lastID)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("%w: %w", errCut, err)
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode >= http.StatusInternalServerError, response.StatusCode == http.StatusTooManyRequests:
		return fmt.Errorf("%w: %s", errCut, response.Status)
	case response.StatusCode != http.StatusOK:
		why, _ := io.ReadAll(response.Body)
		return fmt.Errorf("%s: %s", response.Status, why)
	}
	// To stop an answer is to close its stream. That is told below, to every reader.
	defer context.AfterFunc(ctx, func() {
		_ = c.streams.Close(connection, response.Header.Get("Freshet-Stream"), freshet.Cancelled)
	})()
	watch := time.AfterFunc(silence, cut)
	defer watch.Stop()
	events := sse.NewDecoder(response.Body, sse.DecoderOptions{OnComment: func([]byte) { watch.Reset(silence) }})
	for {
		event, err := events.Next()
		watch.Reset(silence)
		if err != nil {
			return fmt.Errorf("%w: %w", errCut, err)
		}
		a.lastID = string(event.ID)
		if ended, err := c.take(a, event.Data); ended || err != nil {
			return err
		}
	}
}

// take writes what an event says, and reports whether it was the last. The error
// is that of an answer which has not become complete.
func (c *chat) take(a *answer, data []byte) (ended bool, err error) {
	if string(data) == "[DONE]" {
		return true, nil
	}
	var chunk struct {
		Error   *struct{ Message string }
		Choices []struct{ Delta struct{ Content string } }
	}
	switch err := json.Unmarshal(data, &chunk); {
	case err != nil:
		return false, err
	case chunk.Error != nil:
		return true, errors.New(chunk.Error.Message)
	case len(chunk.Choices) == 0:
		return false, nil
	}
	text := chunk.Choices[0].Delta.Content
	a.text.WriteString(text)
	_, err = io.WriteString(c.out, text)
	return false, err
}
