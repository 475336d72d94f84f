package dialect_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/dialect"
	"github.com/freshet-stream/freshet/sse"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden holds what is made of recorded answers against testdata: what is
// metered, the chunks as they come live and as they are replayed, and what
// readers are told if the answer is stopped, fails or is interrupted half-way.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.sse")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".sse")
		t.Run(name, func(t *testing.T) {
			got := describe(dialectOf(t, name), recorded(t, file))
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func dialectOf(t testing.TB, name string) dialect.Dialect {
	prefix, _, _ := strings.Cut(name, "-")
	d, ok := map[string]dialect.Dialect{
		"chat": dialect.Chat{}, "responses": dialect.Responses{}, "messages": dialect.Messages{}, "generic": dialect.Generic{},
	}[prefix]
	if !ok {
		t.Fatalf("no dialect %s", prefix)
	}
	return d
}

func recorded(t testing.TB, file string) []dialect.Event {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var events []dialect.Event
	for dec := sse.NewDecoder(bytes.NewReader(data), sse.DecoderOptions{}); ; {
		e, err := dec.Next()
		if errors.Is(err, io.EOF) {
			return events
		}
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, dialect.Event{Type: string(e.Type), Data: bytes.Clone(e.Data)})
	}
}

func describe(d dialect.Dialect, events []dialect.Event) []byte {
	var b bytes.Buffer
	var meter dialect.Meter
	for i, e := range events {
		f := d.Read(e)
		meter.Add(f)
		if f.ID != "" && i == 0 {
			fmt.Fprintf(&b, "id %s\n", f.ID)
		}
		if f.Numbered && f.Sequence != int64(i) {
			fmt.Fprintf(&b, "event %d has number %d\n", i, f.Sequence)
		}
		if f.End != "" {
			fmt.Fprintf(&b, "event %d of %d ends it: %s\n", i+1, len(events), f.End)
		}
	}
	n, counted := meter.Tokens()
	fmt.Fprintf(&b, "%+v\ntokens %d, counted %v\n", meter, n, counted)

	b.WriteString("\n# live\n")
	live := dialect.NewChunks(d, "msg-1")
	for _, e := range events {
		write(&b, live.Next(e))
	}
	write(&b, live.Close(closed(freshet.Completed)))

	b.WriteString("\n# replayed\n")
	replayed := dialect.NewChunks(d, "msg-1")
	write(&b, replayed.Next(events...))
	write(&b, replayed.Close(closed(freshet.Completed)))

	half := events[:len(events)/2]
	var tally dialect.Tally
	for _, e := range half {
		tally.Add(d.Read(e))
	}
	for _, reason := range []freshet.Reason{freshet.Cancelled, freshet.Failed, freshet.Interrupted} {
		fmt.Fprintf(&b, "\n# %s after %d\n", reason, len(half))
		write(&b, d.Ends(tally, closed(reason)))
		b.WriteString("as chunks\n")
		chunks := dialect.NewChunks(d, "msg-1")
		chunks.Next(half...)
		write(&b, chunks.Close(closed(reason)))
	}
	return b.Bytes()
}

func write(b *bytes.Buffer, events []dialect.Event) {
	for _, e := range events {
		if e.Type != "" {
			fmt.Fprintf(b, "event: %s\n", e.Type)
		}
		fmt.Fprintf(b, "data: %s\n", e.Data)
	}
}

func closed(reason freshet.Reason) freshet.Closure {
	return freshet.Closure{Closing: freshet.Closing{Reason: reason}}
}
