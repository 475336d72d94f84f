package dialect

import (
	"strconv"

	"github.com/freshet-stream/freshet"
)

// Chunks tells an answer as the UI message stream of Vercel's AI SDK, versions 6
// and 5 (from 5.0.100; early ones know no finishReason), from its first event on:
// start and start-step, blocks that begin before they go on, and one of finish,
// abort and error, then [DONE], after which nothing comes. It must not be used
// concurrently.
type Chunks struct {
	dialect   Dialect
	messageID string
	meter     Meter

	out     []chunk
	begun   bool
	ended   bool
	failure string

	open    block
	blocks  int
	seen    map[string]bool
	tools   map[string]*tool
	inOrder []*tool
	calls   map[string]*tool
	sources map[string]bool
}

// A block is text or reasoning that goes on; id is "" if there is none.
type block struct {
	kind, key, id string
}

// NewChunks returns the chunks of an answer in d. The message id has to be the
// same whenever this answer is told.
func NewChunks(d Dialect, messageID string) *Chunks {
	return &Chunks{
		dialect: d, messageID: messageID,
		seen: map[string]bool{}, tools: map[string]*tool{}, calls: map[string]*tool{}, sources: map[string]bool{},
	}
}

// Ended reports whether the end has been told.
func (c *Chunks) Ended() bool { return c.ended }

// Next returns what the next events of the answer are told as. Deltas that are
// given together leave joined. The first call, even without events, begins the
// message.
func (c *Chunks) Next(events ...Event) []Event {
	c.begin()
	for _, e := range events {
		if c.ended {
			break
		}
		c.add(e)
	}
	return c.flush()
}

// Close returns the end of an answer that was closed, none if it has been told.
func (c *Chunks) Close(closure freshet.Closure) []Event {
	if c.ended {
		return nil
	}
	c.begin()
	reason := closure.Reason
	if reason == freshet.Completed {
		reason = c.dialect.EndOfBody()
	}
	c.failure = DetailOf(closure).Message
	c.end(reason)
	return c.flush()
}

func (c *Chunks) begin() {
	if c.begun {
		return
	}
	c.begun = true
	c.tell(chunk{Type: "start", MessageID: c.messageID}, chunk{Type: "start-step"})
}

func (c *Chunks) add(e Event) {
	facts := c.dialect.Read(e)
	c.meter.Add(facts)
	for _, p := range c.dialect.pieces(e) {
		c.take(p)
	}
	if facts.End != "" {
		c.end(facts.End)
	}
}

func (c *Chunks) take(p piece) {
	switch p.kind {
	case addText:
		c.extend("text", p)
	case addReasoning:
		c.extend("reasoning", p)
	case wholeText:
		if !c.seen[p.key] {
			c.extend("text", p)
		}
		c.endBlock(p.key)
	case endBlock:
		c.endBlock(p.key)
	case beginTool, addInput, wholeInput, rawInput:
		c.takeTool(p)
	case endTools:
		c.endTools()
	case toolOutput:
		c.takeOutput(p)
	case addSource:
		c.addSource(p.source)
	case failure:
		c.failure = p.text
	}
}

// extend adds to the open block, or ends it and begins another.
func (c *Chunks) extend(kind string, p piece) {
	if p.text == "" {
		return
	}
	c.seen[p.key] = true
	if c.open.id == "" || c.open.kind != kind || c.open.key != p.key {
		c.endOpen()
		c.open = block{kind, p.key, strconv.Itoa(c.blocks)}
		c.blocks++
		c.tell(chunk{Type: kind + "-start", ID: c.open.id})
	}
	c.tell(chunk{Type: kind + "-delta", ID: c.open.id, added: []byte(p.text)})
}

func (c *Chunks) endBlock(key string) {
	if c.open.key == key {
		c.endOpen()
	}
}

func (c *Chunks) endOpen() {
	if c.open.id != "" {
		c.tell(chunk{Type: c.open.kind + "-end", ID: c.open.id})
		c.open = block{}
	}
}

func (c *Chunks) addSource(s citation) {
	if s.URL == "" || c.sources[s.URL] {
		return
	}
	c.sources[s.URL] = true
	c.tell(chunk{Type: "source-url", SourceID: "source-" + strconv.Itoa(len(c.sources)), URL: s.URL, Title: s.Title})
}

// end tells the end. What the upstream has not finished of a tool call's input
// stays unfinished unless the answer is complete.
func (c *Chunks) end(reason freshet.Reason) {
	c.endOpen()
	meta := c.meter.metadata()
	if reason == freshet.Completed {
		c.endTools()
		c.tell(chunk{Type: "finish-step"}, chunk{Type: "finish", FinishReason: c.finishReason(), MessageMetadata: meta})
		c.ended = true
		return
	}
	if meta != nil {
		c.tell(chunk{Type: "message-metadata", MessageMetadata: meta})
	}
	c.ended = true
	if reason == freshet.Cancelled {
		c.tell(chunk{Type: "abort"})
		return
	}
	if c.failure == "" {
		c.failure = defaultDetail(reason).Message
	}
	c.tell(chunk{Type: "error", ErrorText: c.failure})
}

func (c *Chunks) tell(chunks ...chunk) {
	for _, next := range chunks {
		if n := len(c.out); n == 0 || !c.out[n-1].join(&next) {
			c.out = append(c.out, next)
		}
	}
}

func (c *Chunks) flush() []Event {
	if len(c.out) == 0 {
		return nil
	}
	events := make([]Event, 0, len(c.out)+1)
	for i := range c.out {
		events = append(events, c.out[i].event())
	}
	c.out = nil
	if c.ended {
		events = append(events, Event{Data: []byte("[DONE]")})
	}
	return events
}
