package websocket

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/gobwas/httphead"

	"github.com/freshet-stream/freshet/internal/problem"
)

// deflateName is the extension that compresses messages (RFC 7692).
const deflateName = "permessage-deflate"

// A deflateOffer is one of a client's (RFC 7692, section 7.1).
type deflateOffer struct {
	// declined says that the offer cannot be taken.
	declined bool
	seen     map[string]bool
	// echo is a parameter that the answer has to have.
	echo string
}

// chooseDeflate returns the answer to the first offer that can be taken, or "" if
// there is none (RFC 7692, section 5.1). Neither side then keeps anything from
// one message to the next, so that a connection that waits costs no more than
// one without compression.
func chooseDeflate(h http.Header) (answer string, err error) {
	header := strings.Join(h.Values("Sec-WebSocket-Extensions"), ",")
	if strings.Trim(header, ", \t") == "" {
		return "", nil
	}
	var offers []*deflateOffer
	at := -1
	ok := httphead.ScanOptions([]byte(header), func(i int, name, param, value []byte) httphead.Control {
		if i != at {
			at = i
			offers = append(offers, &deflateOffer{declined: string(name) != deflateName, seen: map[string]bool{}})
		}
		if param != nil {
			offers[len(offers)-1].take(string(param), string(value))
		}
		return httphead.ControlContinue
	})
	if !ok {
		return "", problem.ErrUpgrade.With("the header Sec-WebSocket-Extensions is malformed")
	}
	for _, o := range offers {
		if !o.declined {
			return deflateName + "; server_no_context_takeover; client_no_context_takeover" + o.echo, nil
		}
	}
	return "", nil
}

// take notes a parameter (RFC 7692, section 7.1).
func (o *deflateOffer) take(param, value string) {
	if o.seen[param] {
		o.declined = true
	}
	o.seen[param] = true
	switch param {
	case "server_no_context_takeover", "client_no_context_takeover":
		o.declined = o.declined || value != ""
	case "client_max_window_bits":
		// What the client may do and need not: we read any window.
		o.declined = o.declined || value != "" && !isWindow(value)
	case "server_max_window_bits":
		// We write with the largest window only.
		o.declined = o.declined || value != "15"
		o.echo = "; server_max_window_bits=15"
	default:
		o.declined = true
	}
}

// isWindow reports whether s is a number of bits, 8 to 15, without zeros in
// front.
func isWindow(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 8 && n <= 15 && s == strconv.Itoa(n)
}
