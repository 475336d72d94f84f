package apidoc_test

import (
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/ingest"
)

var update = flag.Bool("update", false, "write what the server sends into docs/transports.md, and the JSON of the API documents")

const transportsPath = "../../docs/transports.md"

// step finds what the document has the test do: blocks of bytes, whose fence says
// what they are (see [exchange.block]), and comments such as
//
//	<!-- do: append tale Once upon a time -->
//
// which readers do not see (see [exchange.do]).
var step = regexp.MustCompile("(?m)^```(http|text) ((?:request|response|sent|more|frames|bytes)\\b.*)\n((?s:.*?))^```$|^<!-- do: (.*) -->$")

// TestTransportsDocument runs the exchanges of docs/transports.md, from its
// beginning to its end, and compares every byte.
func TestTransportsDocument(t *testing.T) {
	document, err := os.ReadFile(transportsPath)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		e := &exchange{pipeRig: newPipeRig(t), bindings: newBindings(), named: map[string]*dialogue{}}
		blocks := 0
		updated := step.ReplaceAllStringFunc(string(document), func(block string) string {
			parts := step.FindStringSubmatch(block)
			if parts[4] != "" {
				e.do(parts[4])
				return block
			}
			blocks++
			body := e.block(strings.Fields(parts[2]), parts[3])
			return "```" + parts[1] + " " + parts[2] + "\n" + body + "```"
		})
		if blocks < 40 && !*update {
			t.Errorf("the document has %d blocks of bytes; the test does not see them all", blocks)
		}
		if *update {
			if err := os.WriteFile(transportsPath, []byte(updated), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// An exchange runs the blocks of a document.
type exchange struct {
	*pipeRig
	*bindings
	named map[string]*dialogue
	last  *dialogue
	// seen are the offsets and the cursors of sets in the run, the newest last.
	seen []string
}

// block runs a block. Its fence says
//
//	http request [NAME]   send this on a new connection
//	text sent [NAME]      send this as the next chunk of the request's body
//	http response [NAME]  exactly this has come by now: head, and body unchunked
//	text more [NAME]      exactly this has come since
//	text frames [NAME]    messages over WebSocket: > is sent, < has come
//	text bytes [NAME]     exactly these bytes have come since, in hexadecimal
//
// and then, in any order: `after 15s` to let that time pass before; `ends` if
// the body is whole by then, `breaks` if the connection was closed before it
// was. The first block without a name is of the last connection. In updates, the
// result is what to write instead.
func (e *exchange) block(words []string, body string) string {
	e.Helper()
	verb, words := words[0], words[1:]
	ends, words := cutWord(words, "ends")
	breaks, words := cutWord(words, "breaks")
	if i := slices.Index(words, "after"); i >= 0 {
		pause, err := time.ParseDuration(words[i+1])
		if err != nil {
			e.Fatal(err)
		}
		time.Sleep(pause)
		words = slices.Delete(words, i, i+2)
	}
	name := strings.Join(words, " ")
	if verb == "request" {
		request := e.guess(e.resolve(body))
		e.last = &dialogue{conn: e.dial()}
		e.last.request(request)
		synctest.Wait()
		if name != "" {
			e.named[name] = e.last
		}
		return e.document(request)
	}
	d := e.last
	if name != "" {
		if d = e.named[name]; d == nil {
			e.Fatalf("the document has no request called %q", name)
		}
	}
	var got string
	switch verb {
	case "sent":
		d.chunk(body, ends)
		synctest.Wait()
		return body
	case "response":
		got = d.response()
	case "more":
		got = d.more()
	case "bytes":
		got = d.hex(body)
	case "frames":
		return e.frames(d, body)
	}
	if d.whole != ends && verb != "bytes" && d.chunked {
		e.Errorf("that the response ends here is %t, by the document %t:\n%s", d.whole, ends, body)
	}
	if breaks != (d.closed && d.chunked && !d.whole) {
		e.Errorf("that the connection breaks here is %t, by the document %t:\n%s", !breaks, breaks, body)
	}
	return e.check(body, got)
}

// do does what happens beside the exchange.
func (e *exchange) do(what string) {
	e.Helper()
	words := strings.SplitN(what, " ", 3)
	verb, name, rest := words[0], words[1], strings.Join(words[2:], "")
	var err error
	switch verb {
	case "create":
		_, _, err = e.server.Create(e.Context(), name, freshet.Creation{Spec: freshet.Spec{ContentType: rest}})
	case "append":
		var records []freshet.Record
		if records, err = ingest.Records(freshet.KindOf(e.contentType(name)), []byte(unescape.Replace(rest))); err == nil {
			_, err = e.server.Append(e.Context(), name, freshet.Append{Records: records})
		}
	case "close":
		_, err = e.server.Append(e.Context(), name, freshet.Append{Close: &freshet.Closing{Reason: freshet.Reason(rest)}})
	case "delete":
		err = e.server.Delete(e.Context(), name)
	default:
		e.Fatalf("nobody knows how to do %q", what)
	}
	if err != nil {
		e.Fatalf("%s: %v", what, err)
	}
	synctest.Wait()
}

func (e *exchange) contentType(name string) string {
	info, err := e.server.Info(e.Context(), name)
	if err != nil {
		e.Fatal(err)
	}
	return info.Spec.ContentType
}

var unescape = strings.NewReplacer(`\n`, "\n", `\r`, "\r")

// check compares a block with what came.
func (e *exchange) check(body, got string) string {
	e.Helper()
	if !strings.HasSuffix(got, "\n") {
		got += "\n"
	}
	e.seen = append(e.seen, position.FindAllString(got, -1)...)
	err := e.compare(body, got)
	switch {
	case err == nil:
	case *update:
		return e.document(got)
	default:
		e.Errorf("%v", err)
	}
	return body
}

// position finds what a reader can resume at.
var position = regexp.MustCompile(`\b\d{16}_[0-9a-f]{16}\b|\bA[Q-Za-f][\w-]{14,}`)

// guess puts the newest position of the run in place of one that was written
// without its mark, as in 0000000000000002_? or, for a cursor of a set, A_?.
func (e *exchange) guess(request string) string {
	return regexp.MustCompile(`\d{16}_\?|\bA_\?`).ReplaceAllStringFunc(request, func(unknown string) string {
		for _, known := range slices.Backward(e.seen) {
			if strings.HasPrefix(known, strings.TrimRight(unknown, "_?")) {
				return known
			}
		}
		return unknown
	})
}

// frames runs messages over WebSocket.
func (e *exchange) frames(d *dialogue, body string) string {
	e.Helper()
	var out, expected strings.Builder
	arrived := func() {
		got := acksFirst(d.frames(e.T))
		if expected.Len() > 0 || got != "" {
			out.WriteString(e.check(expected.String(), got))
		}
		expected.Reset()
	}
	for line := range strings.Lines(body) {
		if message, sent := strings.CutPrefix(line, "> "); sent {
			arrived()
			message = e.guess(e.resolve(message))
			d.sendMessage(strings.TrimSuffix(message, "\n"))
			out.WriteString("> " + e.document(message))
			continue
		}
		expected.WriteString(line)
	}
	arrived()
	return out.String()
}

// acksFirst moves the answers to appends and closes before the records and ends
// that they brought about: which of them leaves first is not told.
func acksFirst(lines string) string {
	var acks, others strings.Builder
	for line := range strings.Lines(lines) {
		if strings.HasPrefix(line, `< {"op":"ack"`) {
			acks.WriteString(line)
		} else {
			others.WriteString(line)
		}
	}
	return acks.String() + others.String()
}

func cutWord(words []string, word string) (found bool, rest []string) {
	i := slices.Index(words, word)
	if i < 0 {
		return false, words
	}
	return true, slices.Delete(words, i, i+1)
}
