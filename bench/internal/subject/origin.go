package subject

import (
	"bytes"
	"net/http"

	"github.com/freshet-stream/freshet/bench/internal/load"
	"github.com/freshet-stream/freshet/internal/gateway/origin"
)

// openOrigin opens a provider of language models, each of whose tokens has a
// stamp that says when it was written.
func openOrigin(Spec) (*Subject, error) {
	l, err := listenLoopback()
	if err != nil {
		return nil, err
	}
	o := origin.New("")
	hs := serveHTTP(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.ServeHTTP(&stamper{ResponseWriter: w}, r)
	}))
	return &Subject{Addr: l.Addr().String(), Close: hs.Close}, nil
}

// A stamper stamps the text in each chunk of a chat completion.
type stamper struct {
	http.ResponseWriter
	buffer []byte
}

// Write takes one event.
func (s *stamper) Write(event []byte) (int, error) {
	const text = `"content":"`
	at := bytes.Index(event, []byte(text)) + len(text)
	if at < len(text) || event[at] == '"' {
		return s.ResponseWriter.Write(event)
	}
	s.buffer = append(s.buffer[:0], event[:at]...)
	s.buffer = append(load.AppendStamp(s.buffer), event[at:]...)
	if _, err := s.ResponseWriter.Write(s.buffer); err != nil {
		return 0, err
	}
	return len(event), nil
}

// Unwrap is for [http.ResponseController].
func (s *stamper) Unwrap() http.ResponseWriter { return s.ResponseWriter }
