// Package problem tells clients what went wrong: it has the one table from
// error codes to what each transport says of them.
package problem

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"

	"github.com/freshet-stream/freshet"
)

// Errors of requests that no stream is to blame for.
var (
	ErrRequest  = &freshet.Error{Code: "bad_request", Detail: "the request is not well-formed HTTP"}
	ErrPath     = &freshet.Error{Code: "no_such_path", Detail: "there is nothing at this path; streams are at /v1/stream/NAME"}
	ErrMethod   = &freshet.Error{Code: "method_not_allowed", Detail: "this method is not known here"}
	ErrQuery    = &freshet.Error{Code: "bad_query", Detail: "a query parameter is malformed"}
	ErrHeader   = &freshet.Error{Code: "bad_header", Detail: "a header is malformed"}
	ErrHeaders  = &freshet.Error{Code: "headers_too_large", Detail: "the request's headers are too large"}
	ErrBody     = &freshet.Error{Code: "bad_body", Detail: "the request's body cannot be read"}
	ErrHost     = &freshet.Error{Code: "host_not_allowed", Detail: "the server does not answer to this Host; name it with --allow-host"}
	ErrOrigin   = &freshet.Error{Code: "origin_not_allowed", Detail: "pages of this origin may not do that; name it with --allow-origin"}
	ErrUpgrade  = &freshet.Error{Code: "bad_upgrade", Detail: "the WebSocket handshake is malformed"}
	ErrVersion  = &freshet.Error{Code: "bad_websocket_version", Detail: "this version of WebSocket is not known here; send Sec-WebSocket-Version: 13"}
	ErrMessage  = &freshet.Error{Code: "bad_message", Detail: "the message cannot be understood"}
	ErrFeature  = &freshet.Error{Code: "not_implemented", Detail: "this server cannot do that yet"}
	ErrUpstream = &freshet.Error{Code: "bad_upstream", Detail: "the upstream cannot be reached; the server's log has more"}
	ErrChat     = &freshet.Error{Code: "bad_chat", Detail: "the conversation cannot be understood"}
	ErrLate     = &freshet.Error{Code: "upstream_timeout", Detail: "the upstream has not begun its answer in time; --upstream-header-timeout says how long it may take"}
	ErrKey      = &freshet.Error{Code: "key_reused", Detail: "this Idempotency-Key came with another body; send a new key with a new question"}
	ErrDraining = &freshet.Error{Code: "draining", Detail: "the server is about to end; send what is new to another"}
	ErrStore    = &freshet.Error{Code: "store_unavailable", Detail: "the store does not answer; the server's log has more"}
	ErrInternal = &freshet.Error{Code: "internal", Detail: "the server met an unexpected error; its log has the cause"}
)

// A Kind is what all errors of one code have in common.
type Kind struct {
	// Status is the HTTP status and Title what it is in a few words.
	Status int
	Title  string
	// Close is the WebSocket close code (RFC 6455, section 7.4), where the
	// error ends the connection.
	Close uint16
}

var kinds = map[string]Kind{
	freshet.ErrName.Code:         {http.StatusBadRequest, "Malformed stream name", 1008},
	freshet.ErrReserved.Code:     {http.StatusForbidden, "Reserved stream name", 1008},
	freshet.ErrOffset.Code:       {http.StatusBadRequest, "Malformed offset", 1008},
	freshet.ErrReason.Code:       {http.StatusBadRequest, "Unknown close reason", 1008},
	freshet.ErrContentType.Code:  {http.StatusBadRequest, "Malformed content type", 1008},
	freshet.ErrSpec.Code:         {http.StatusBadRequest, "Impossible stream", 1008},
	freshet.ErrNotFound.Code:     {http.StatusNotFound, "No such stream", 4404},
	freshet.ErrGap.Code:          {http.StatusGone, "Offset out of reach", 4410},
	freshet.ErrConflict.Code:     {http.StatusConflict, "Stream exists", 1008},
	freshet.ErrEmpty.Code:        {http.StatusBadRequest, "Nothing to append", 1008},
	freshet.ErrRecord.Code:       {http.StatusBadRequest, "Malformed content", 1007},
	freshet.ErrTooLarge.Code:     {http.StatusRequestEntityTooLarge, "Content too large", 1009},
	freshet.ErrTypeMismatch.Code: {http.StatusConflict, "Content type mismatch", 1003},
	freshet.ErrClosed.Code:       {http.StatusConflict, "Stream is closed", 1008},
	freshet.ErrStale.Code:        {http.StatusConflict, "Stale sequence", 1008},
	freshet.ErrExpected.Code:     {http.StatusPreconditionFailed, "Unexpected tail", 1008},
	freshet.ErrProducer.Code:     {http.StatusBadRequest, "Malformed producer", 1008},
	freshet.ErrFenced.Code:       {http.StatusForbidden, "Producer fenced", 1008},
	freshet.ErrEpochStart.Code:   {http.StatusBadRequest, "Epoch not begun", 1008},
	freshet.ErrSequence.Code:     {http.StatusConflict, "Sequence gap", 1008},
	freshet.ErrProducers.Code:    {http.StatusTooManyRequests, "Too many producers", 1013},
	freshet.ErrUncertain.Code:    {http.StatusServiceUnavailable, "Outcome unknown", 1013},
	freshet.ErrUnavailable.Code:  {http.StatusServiceUnavailable, "Store unavailable", 1013},
	freshet.ErrOverloaded.Code:   {http.StatusServiceUnavailable, "Overloaded", 1013},
	freshet.ErrShutdown.Code:     {http.StatusServiceUnavailable, "Shutting down", 1012},

	ErrRequest.Code:  {http.StatusBadRequest, "Malformed request", 1002},
	ErrPath.Code:     {http.StatusNotFound, "Nothing here", 1008},
	ErrMethod.Code:   {http.StatusMethodNotAllowed, "Method not allowed", 1008},
	ErrQuery.Code:    {http.StatusBadRequest, "Malformed query", 1008},
	ErrHeader.Code:   {http.StatusBadRequest, "Malformed header", 1008},
	ErrHeaders.Code:  {http.StatusRequestHeaderFieldsTooLarge, "Headers too large", 1008},
	ErrBody.Code:     {http.StatusBadRequest, "Unreadable body", 1007},
	ErrHost.Code:     {http.StatusMisdirectedRequest, "Host not allowed", 1008},
	ErrOrigin.Code:   {http.StatusForbidden, "Origin not allowed", 1008},
	ErrUpgrade.Code:  {http.StatusBadRequest, "Malformed handshake", 1002},
	ErrVersion.Code:  {http.StatusUpgradeRequired, "Unknown WebSocket version", 1002},
	ErrMessage.Code:  {http.StatusBadRequest, "Malformed message", 1008},
	ErrFeature.Code:  {http.StatusNotImplemented, "Not implemented", 1008},
	ErrUpstream.Code: {http.StatusBadGateway, "Upstream unreachable", 1013},
	ErrChat.Code:     {http.StatusBadRequest, "Malformed conversation", 1008},
	ErrLate.Code:     {http.StatusGatewayTimeout, "Upstream too slow", 1013},
	ErrKey.Code:      {http.StatusUnprocessableEntity, "Key used for another request", 1008},
	ErrDraining.Code: {http.StatusServiceUnavailable, "Draining", 1012},
	ErrStore.Code:    {http.StatusServiceUnavailable, "Store unavailable", 1013},
	ErrInternal.Code: {http.StatusInternalServerError, "Internal error", 1011},
}

// Kinds returns the kind of each code that clients may be told.
func Kinds() map[string]Kind { return maps.Clone(kinds) }

// retryAfter is how many seconds to wait after an error that passes.
var retryAfter = map[int]int{http.StatusTooManyRequests: 60, http.StatusServiceUnavailable: 1}

// Of returns the coded error in err's tree and what is said of its kind. An
// error without a code is [ErrInternal], and its text is not for clients.
func Of(err error) (*freshet.Error, Kind) {
	var gap *freshet.GapError
	if errors.As(err, &gap) {
		return freshet.ErrGap.With("%v", gap), kinds[freshet.ErrGap.Code]
	}
	var coded *freshet.Error
	if errors.As(err, &coded) {
		if kind, ok := kinds[coded.Code]; ok {
			return coded, kind
		}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return freshet.ErrUnavailable, kinds[freshet.ErrUnavailable.Code]
	}
	return ErrInternal, kinds[ErrInternal.Code]
}

// details is the body of a response (RFC 9457, section 3).
type details struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
	// Error is the same as the SDKs of LLM providers read errors.
	Error *callError `json:"error,omitempty"`
}

type callError struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    string  `json:"code"`
}

// Write answers a request with what err means to its client, as
// application/problem+json. Headers that belong to the answer are set before.
func Write(w http.ResponseWriter, r *http.Request, err error) {
	coded, kind := Of(err)
	write(w, r, coded, newDetails(coded, kind))
}

// WriteCall is [Write] for those who call a provider of LLMs: its SDKs find what is
// wrong where they look for it, in a member error.
func WriteCall(w http.ResponseWriter, r *http.Request, err error) {
	coded, kind := Of(err)
	d := newDetails(coded, kind)
	d.Error = &callError{Message: d.Detail, Type: "invalid_request_error", Code: d.Code}
	if d.Status/100 == 5 {
		d.Error.Type = "server_error"
	}
	write(w, r, coded, d)
}

func newDetails(coded *freshet.Error, kind Kind) details {
	return details{
		Type:   "urn:freshet:problem:" + coded.Code,
		Title:  kind.Title,
		Status: kind.Status,
		Detail: coded.Detail,
		Code:   coded.Code,
	}
}

func write(w http.ResponseWriter, r *http.Request, coded *freshet.Error, d details) {
	body, _ := json.Marshal(d)
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(body)+1))
	if errors.Is(coded, freshet.ErrShutdown) {
		// The next request is for another server. Over HTTP/2 this is a GOAWAY.
		h.Set("Connection", "close")
	}
	if seconds, ok := retryAfter[d.Status]; ok {
		h.Set("Retry-After", strconv.Itoa(seconds))
	}
	w.WriteHeader(d.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(append(body, '\n'))
	}
}

// WriteMethod answers a request whose method is not among allowed.
func WriteMethod(w http.ResponseWriter, r *http.Request, allowed string) {
	w.Header().Set("Allow", allowed)
	Write(w, r, ErrMethod.With("this path takes %s, not %.32q", allowed, r.Method))
}
