package generation_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// An answer is read block by block.
type answer struct {
	*http.Response
	in     *bufio.Reader
	blocks []string
}

// newBlocks returns an answer that was read.
func newBlocks(whole string) *answer {
	blocks := strings.SplitAfter(whole, "\n\n")
	return &answer{blocks: blocks[:len(blocks)-1]}
}

func newAnswer(response *http.Response) *answer {
	return &answer{Response: response, in: bufio.NewReader(response.Body)}
}

// next reads a block. Comments belong to the block that they are before; those
// that are by themselves are none.
func (a *answer) next() error {
	var block strings.Builder
	for {
		line, err := a.in.ReadString('\n')
		block.WriteString(line)
		if err != nil {
			if err == io.EOF && block.Len() > 0 {
				return fmt.Errorf("the body ends with %q", block.String())
			}
			return err
		}
		if line == "\n" && strings.HasPrefix(block.String(), ":") && told(block.String()) == line {
			block.Reset()
		} else if line == "\n" {
			a.blocks = append(a.blocks, block.String())
			return nil
		}
	}
}

// upTo reads until it has n blocks.
func (a *answer) upTo(n int) error {
	for len(a.blocks) < n {
		if err := a.next(); err != nil {
			return fmt.Errorf("%s, after %d blocks: %w", a.Status, len(a.blocks), err)
		}
	}
	return nil
}

// toEnd reads the rest of an answer that ends as a whole one.
func (a *answer) toEnd() error {
	for {
		switch err := a.next(); err {
		case nil:
		case io.EOF:
			return nil
		default:
			return fmt.Errorf("%s, after %d blocks: %w", a.Status, len(a.blocks), err)
		}
	}
}

// told returns what was read, without ids and comments.
func (a *answer) told() string { return told(a.blocks...) }

func told(blocks ...string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.Join(blocks, "")) {
		if !strings.HasPrefix(line, "id:") && !strings.HasPrefix(line, ":") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// last returns the last block that was read.
func (a *answer) last() string {
	if len(a.blocks) == 0 {
		return ""
	}
	return a.blocks[len(a.blocks)-1]
}

// lastID returns the id of the last block that was read.
func (a *answer) lastID() string {
	for line := range strings.Lines(a.last()) {
		if id, ok := strings.CutPrefix(line, "id: "); ok {
			return strings.TrimSpace(id)
		}
	}
	return ""
}

// stream returns the name of the stream that an answer says it is.
func (a *answer) stream() string { return a.Header.Get("Freshet-Stream") }

// responseID returns the upstream's id of a response.
func (a *answer) responseID(t *testing.T) string {
	t.Helper()
	_, data, _ := strings.Cut(a.blocks[0], "data: ")
	var created struct{ Response struct{ ID string } }
	if err := json.Unmarshal([]byte(strings.SplitN(data, "\n", 2)[0]), &created); err != nil || created.Response.ID == "" {
		t.Fatalf("no id in %s: %v", a.blocks[0], err)
	}
	return created.Response.ID
}

// text returns the text of chat completions, or of the chunks of the AI SDK.
func (a *answer) text() (text string) {
	for _, block := range a.blocks {
		_, data, _ := strings.Cut(block, "data: ")
		data, _, _ = strings.Cut(data, "\n")
		var said struct {
			Delta   string
			Choices []struct{ Delta struct{ Content string } }
		}
		if json.Unmarshal([]byte(data), &said) != nil { // [DONE]
			continue
		}
		text += said.Delta
		for _, c := range said.Choices {
			text += c.Delta.Content
		}
	}
	return text
}
