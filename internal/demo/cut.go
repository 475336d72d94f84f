package demo

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/problem"
)

// cutBody bounds the body of POST /v1/demo/cut, in bytes.
const cutBody = 1 << 10

// serveCut has the connection of a tap broken, whichever server it is on, by an
// append to the tap's stream. The tap is in the query, or in a JSON body.
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
	said, err := json.Marshal(order{Cut: true})
	if err != nil {
		return err
	}
	_, err = d.opts.Hub.Append(r.Context(), tapStreams+tap, freshet.Append{Records: []freshet.Record{{Data: said}}})
	switch {
	case errors.Is(err, freshet.ErrNotFound):
		return problem.ErrPath.With("no connection has had this tap of late")
	case err != nil:
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return nil
}
