package websocket

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/gobwas/ws"

	"github.com/freshet-stream/freshet/internal/problem"
)

// errUpgrade says that a handshake failed and that the connection is no longer
// HTTP's.
var errUpgrade = errors.New("upgrade to WebSocket")

// A handshake is a request for a WebSocket that was found well-formed.
type handshake struct {
	request *http.Request
	// operations says that the client offers [Protocol].
	operations bool
	// deflate is the answer to an offer to compress messages; "" is none.
	deflate string
}

// readHandshake checks a request by RFC 6455, section 4.2.1. The error is
// [problem.ErrUpgrade] or [problem.ErrVersion].
func (t *Transport) readHandshake(r *http.Request) (handshake, error) {
	h := handshake{request: r}
	switch {
	case r.Method != http.MethodGet:
		return h, problem.ErrUpgrade.With("a WebSocket is asked for with GET, not %.32q", r.Method)
	case r.ProtoMajor != 1:
		return h, problem.ErrUpgrade.With("WebSocket over HTTP/%d is not offered; connect over HTTP/1.1", r.ProtoMajor)
	case !r.ProtoAtLeast(1, 1):
		return h, problem.ErrUpgrade.With("a WebSocket needs HTTP/1.1; a proxy may have made it 1.0")
	case !hasToken(r.Header, "Upgrade", "websocket"):
		return h, problem.ErrUpgrade.With("send the header Upgrade: websocket")
	case !hasToken(r.Header, "Connection", "upgrade"):
		return h, problem.ErrUpgrade.With("the header Connection: Upgrade is missing; a proxy that is not set up for WebSocket takes it out")
	case r.ContentLength != 0:
		return h, problem.ErrUpgrade.With("the request has a body; ask for a WebSocket without one")
	}
	if v := r.Header.Values("Sec-WebSocket-Version"); len(v) != 1 || v[0] != "13" {
		return h, problem.ErrVersion
	}
	if err := checkKey(r.Header.Values("Sec-WebSocket-Key")); err != nil {
		return h, err
	}
	h.operations = hasToken(r.Header, "Sec-WebSocket-Protocol", Protocol)
	if !t.opts.Compression {
		return h, nil
	}
	var err error
	h.deflate, err = chooseDeflate(r.Header)
	return h, err
}

func checkKey(keys []string) error {
	if len(keys) != 1 {
		return problem.ErrUpgrade.With("there are %d headers Sec-WebSocket-Key; send one", len(keys))
	}
	if nonce, err := base64.StdEncoding.DecodeString(keys[0]); err != nil || len(nonce) != 16 {
		return problem.ErrUpgrade.With("the header Sec-WebSocket-Key has to be 16 bytes in base64")
	}
	return nil
}

// hasToken reports whether a header that is a list (RFC 9110, section 5.6.1)
// names token, whatever its case.
func hasToken(h http.Header, name, token string) bool {
	for _, value := range h.Values(name) {
		for item := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.Trim(item, " \t"), token) {
				return true
			}
		}
	}
	return false
}

// refuse answers a request that does not become a WebSocket.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, problem.ErrVersion) {
		w.Header().Set("Sec-WebSocket-Version", "13")
		w.Header().Set("Upgrade", "websocket")
		w.Header().Add("Connection", "Upgrade")
	}
	problem.Write(w, r, err)
}

// upgrade makes the connection of a request a WebSocket. early is what the
// client has sent already. The error is errUpgrade; the connection is then
// closed.
func (t *Transport) upgrade(w http.ResponseWriter, asked handshake) (nc net.Conn, early []byte, err error) {
	r := asked.request
	// The library sees only what was checked: it knows less of lists.
	checked := &http.Request{
		Method: r.Method, Host: "freshet", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"Upgrade":               {"websocket"},
			"Connection":            {"Upgrade"},
			"Sec-Websocket-Version": {"13"},
			"Sec-Websocket-Key":     r.Header.Values("Sec-WebSocket-Key"),
		},
	}
	if asked.deflate != "" {
		w.Header().Set("Sec-WebSocket-Extensions", asked.deflate)
	}
	// The library writes its own, and a server that drains has set another.
	w.Header().Del("Connection")
	upgrader := ws.HTTPUpgrader{Timeout: t.opts.CloseWait, Header: w.Header()}
	if asked.operations {
		checked.Header["Sec-Websocket-Protocol"] = []string{Protocol}
		upgrader.Protocol = func(p string) bool { return p == Protocol }
	}
	nc, buffered, _, err := upgrader.Upgrade(checked, w)
	if err != nil {
		if nc != nil {
			_ = nc.Close()
		}
		t.opts.Logger.Debug("upgrade to WebSocket", "error", err)
		return nil, nil, fmt.Errorf("%w: %w", errUpgrade, err)
	}
	if n := buffered.Reader.Buffered(); n > 0 {
		early = make([]byte, n)
		_, _ = buffered.Reader.Read(early)
	}
	return t.opts.Wrap(nc, r), early, nil
}
