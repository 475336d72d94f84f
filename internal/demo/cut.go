package demo

import (
	"encoding/json"
	"io"
	"net"
	"net/http"

	"github.com/freshet-stream/freshet/internal/problem"
)

// cutBody bounds the body of POST /v1/demo/cut, in bytes.
const cutBody = 1 << 10

// serveCut breaks the connection of a tap: by a TCP reset, or over HTTP/2 by a
// reset of its stream. The tap is in the query, or in a JSON body.
func (d *Demo) serveCut(w http.ResponseWriter, r *http.Request) error {
	tap := r.URL.Query().Get("tap")
	if tap == "" {
		var body struct {
			Tap string `json:"tap"`
		}
		raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, cutBody))
		if err != nil {
			return problem.ErrBody.With("the body may have %d bytes: %v", cutBody, err)
		}
		if err := json.Unmarshal(raw, &body); err != nil {
			return problem.ErrBody.With(`the body has to be JSON such as {"tap":"RANDOM"}: %v`, err)
		}
		tap = body.Tap
	}
	if !isTap(tap) {
		return problem.ErrQuery.With("tap has to be %d to %d letters, digits, - and _", tapLeast, tapMost)
	}
	cut := d.taps.take(tap)
	if cut == nil {
		return problem.ErrPath.With("no connection with this tap is open; it may be on its way back")
	}
	cut()
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// hijacked lets a cut reset conn, which is no longer HTTP's.
func (c *connection) hijacked(conn net.Conn) {
	c.taps.mu.Lock()
	defer c.taps.mu.Unlock()
	c.cut = func() { reset(conn) }
}
