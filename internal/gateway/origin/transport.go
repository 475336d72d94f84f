package origin

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"
)

// A Transport has calls answered by a handler in the process, whatever their
// host. What the handler writes is not buffered: it waits for the reader. Its
// context ends when the body of the response is closed.
type Transport struct {
	Handler http.Handler
}

// RoundTrip implements [http.RoundTripper].
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	body, out := io.Pipe()
	context.AfterFunc(ctx, func() { _ = out.CloseWithError(context.Cause(ctx)) })
	w := &pipeWriter{header: http.Header{}, begun: make(chan struct{}), out: out}
	go func() {
		defer cancel()
		err := t.serve(w, r.Clone(ctx))
		w.WriteHeader(http.StatusOK)
		_ = out.CloseWithError(err)
	}()
	select {
	case <-w.begun:
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	}
	return &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: &pipeBody{body, cancel}, ContentLength: -1, Request: r,
	}, nil
}

// serve calls the handler, and returns why its answer was cut, if it was.
func (t Transport) serve(w http.ResponseWriter, r *http.Request) (err error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	defer func() {
		_ = r.Body.Close()
		switch why := recover(); why {
		case nil:
		case http.ErrAbortHandler:
			err = io.ErrUnexpectedEOF
		default:
			panic(why)
		}
	}()
	t.Handler.ServeHTTP(w, r)
	return nil
}

// A pipeWriter writes the body of a response into a pipe.
type pipeWriter struct {
	header http.Header
	out    *io.PipeWriter

	// status and sent are the head, from when begun is closed.
	once   sync.Once
	begun  chan struct{}
	status int
	sent   http.Header
}

func (w *pipeWriter) Header() http.Header { return w.header }

func (w *pipeWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.begun)
	})
}

func (w *pipeWriter) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.out.Write(b)
}

// Flush implements [http.Flusher].
func (w *pipeWriter) Flush() { w.WriteHeader(http.StatusOK) }

// A pipeBody is the reader's side. Closing it ends the handler's context.
type pipeBody struct {
	*io.PipeReader
	cancel context.CancelFunc
}

func (b *pipeBody) Close() error {
	b.cancel()
	return b.PipeReader.Close()
}
