package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// A feed is what a stream is to be given.
type feed struct {
	contentType string
	// bodies are the requests' bodies, one an append.
	bodies []string
	// want is what a follower has been given at the end, JSON records one a
	// line.
	want string
}

// words are of one to four bytes a character, and have what could be taken for
// the lines of an event.
var words = []string{
	"stream ", "flüstert ", "ручей ", "流れ", "溪水", "🌊", "👩🏽‍💻 ", "é", "\n", "\n\n", "data: ", "id: 7\n", ": ", "  ", `"`, `\`, "\t",
}

func sentence(random *rand.Rand, size int) string {
	var b strings.Builder
	for b.Len() < size {
		b.WriteString(words[random.IntN(len(words))])
	}
	return b.String()
}

// textFeed is of about size bytes, in appends that end anywhere, inside characters too
// unless they are to be whole.
func textFeed(seed uint64, size int, whole bool) *feed {
	random := rand.New(rand.NewPCG(seed, 1))
	f := &feed{contentType: "text/plain", want: sentence(random, size)}
	for rest := f.want; rest != ""; {
		n := min(1+random.IntN(size/100), len(rest))
		for whole && n < len(rest) && !utf8.RuneStart(rest[n]) {
			n++
		}
		f.bodies = append(f.bodies, rest[:n])
		rest = rest[n:]
	}
	return f
}

// jsonFeed is of about size bytes, in appends with several records each, large and small.
func jsonFeed(seed uint64, size int) *feed {
	random := rand.New(rand.NewPCG(seed, 2))
	f := &feed{contentType: "application/json"}
	var want strings.Builder
	for n := 0; want.Len() < size; {
		var records []string
		for range 1 + random.IntN(12) {
			records = append(records, jsonRecord(n, sentence(random, random.IntN(size/1000))))
			n++
		}
		f.bodies = append(f.bodies, "["+strings.Join(records, ",")+"]")
		want.WriteString(strings.Join(records, "\n") + "\n")
	}
	f.want = want.String()
	return f
}

// jsonRecord is written as JavaScript and Python write it.
func jsonRecord(n int, text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"n":%d,"text":%s}`, n, bytes.TrimSpace(b.Bytes()))
}

// create makes the feed's stream.
func (f *feed) create(s *server, name string) {
	s.t.Helper()
	s.do("PUT", "/v1/stream/"+name, "", "Content-Type", f.contentType)
}

// give appends the feed to the stream, spread over the time, and closes it with
// the last append. It may be called in a goroutine.
func (f *feed) give(s *server, name string, over time.Duration) error {
	pace := time.NewTicker(over / time.Duration(len(f.bodies)))
	defer pace.Stop()
	for i, body := range f.bodies {
		<-pace.C
		r, err := http.NewRequest("POST", s.url+"/v1/stream/"+name, strings.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", f.contentType)
		if i == len(f.bodies)-1 {
			r.Header.Set("Stream-Closed", "true")
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		_ = response.Body.Close()
		if response.StatusCode >= 300 {
			return fmt.Errorf("append %d to %s: %s", i, name, response.Status)
		}
	}
	return nil
}

// firstDifference tells where two texts part.
func firstDifference(got, want string) string {
	n := 0
	for n < min(len(got), len(want)) && got[n] == want[n] {
		n++
	}
	return fmt.Sprintf("%d bytes instead of %d, which differ from byte %d on: %.60q instead of %.60q", len(got), len(want), n, got[n:], want[n:])
}
