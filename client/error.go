package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/freshet-stream/freshet"
)

// ErrProtocol is wrapped by errors that mean that the server breaks the
// protocol, or is none of ours. Asking again would not help.
var ErrProtocol = errors.New("the server does not keep to the protocol")

// An Error is a request that the server refused (RFC 9457). With [errors.Is]
// it equals the sentinel of package freshet that has the same code.
type Error struct {
	// Status is the HTTP status, or 0 if the refusal came over a WebSocket.
	Status int
	// Code is stable, such as "not_found". It is "" if what answered was not a
	// Freshet server and the status has no meaning of its own.
	Code string
	// Title and Detail are for people.
	Title, Detail string
	// RetryAfter is how long the server asks to wait, or 0.
	RetryAfter time.Duration
	// Header are those of the answer. nil if it came over a WebSocket.
	Header http.Header
}

// Error returns the server's own words.
func (e *Error) Error() string {
	text := e.Detail
	if text == "" {
		text = e.Title
	}
	switch {
	case text == "" && e.Status != 0:
		return fmt.Sprintf("the server answered %d %s", e.Status, http.StatusText(e.Status))
	case e.Code == "" && e.Status != 0:
		return fmt.Sprintf("the server answered %d %s: %s", e.Status, http.StatusText(e.Status), text)
	}
	return text
}

// Is reports whether target is the [freshet.Error] with the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*freshet.Error)
	return ok && t.Code == e.Code && e.Code != ""
}

// Temporary reports whether the same request may succeed later.
func (e *Error) Temporary() bool {
	switch e.Status {
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	case http.StatusTooManyRequests, http.StatusRequestTimeout, http.StatusTooEarly:
		return true
	case 0:
		switch e.Code {
		case freshet.ErrUnavailable.Code, freshet.ErrOverloaded.Code, freshet.ErrUncertain.Code, freshet.ErrShutdown.Code, "internal":
			return true
		}
		return false
	}
	return e.Status >= 500
}

// errorOf reads the refusal out of an answer. It does not close its body.
func errorOf(resp *http.Response) error {
	e := &Error{Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header, time.Now()), Header: resp.Header}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	switch media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); media {
	case "application/problem+json":
		var p struct{ Title, Detail, Code string }
		if json.Unmarshal(body, &p) == nil {
			e.Title, e.Detail, e.Code = p.Title, p.Detail, p.Code
		}
	case "text/plain":
		e.Detail = strings.TrimSpace(string(body[:min(len(body), 300)]))
	}
	if e.Code == "" {
		e.Code = codeOf(resp)
	}
	return e
}

// codeOf returns what an answer means by the Durable Streams protocol alone.
// An answer to HEAD has no other way to tell it.
func codeOf(resp *http.Response) string {
	h := resp.Header
	switch resp.StatusCode {
	case http.StatusNotFound:
		return freshet.ErrNotFound.Code
	case http.StatusGone:
		return freshet.ErrGap.Code
	case http.StatusRequestEntityTooLarge:
		return freshet.ErrTooLarge.Code
	case http.StatusForbidden:
		if h.Get("Producer-Epoch") != "" {
			return freshet.ErrFenced.Code
		}
	case http.StatusConflict:
		switch {
		case h.Get("Stream-Closed") == "true":
			return freshet.ErrClosed.Code
		case h.Get("Producer-Expected-Seq") != "":
			return freshet.ErrSequence.Code
		}
	}
	return ""
}

// retryAfter reads a Retry-After header (RFC 9110, section 10.2.3).
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil {
		return time.Duration(min(max(seconds, 0), 3600)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), time.Hour)
	}
	return 0
}

// isFinal reports whether trying again after err is of no use.
func isFinal(err error) bool {
	var refused *Error
	if errors.As(err, &refused) {
		return !refused.Temporary()
	}
	var invalid *freshet.Error
	return errors.As(err, &invalid) || errors.Is(err, ErrProtocol)
}
