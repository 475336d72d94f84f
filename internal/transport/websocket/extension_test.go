package websocket

import (
	"net/http"
	"testing"
)

// RFC 7692, section 7.1.
func TestOffersOfCompression(t *testing.T) {
	const plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	for offer, want := range map[string]string{
		"":                   "",
		"permessage-deflate": plain,
		"permessage-deflate; client_max_window_bits":                            plain,
		"permessage-deflate; client_max_window_bits=8":                          plain,
		`permessage-deflate; client_max_window_bits="10"`:                       plain,
		"permessage-deflate;server_no_context_takeover":                         plain,
		"x-webkit-deflate-frame, permessage-deflate":                            plain,
		"permessage-deflate; server_max_window_bits=10":                         "",
		"permessage-deflate; server_max_window_bits=10, permessage-deflate":     plain,
		"permessage-deflate; server_max_window_bits=15":                         plain + "; server_max_window_bits=15",
		"permessage-deflate; server_max_window_bits":                            "",
		"permessage-deflate; client_max_window_bits=7":                          "",
		"permessage-deflate; client_max_window_bits=08":                         "",
		"permessage-deflate; client_no_context_takeover=1":                      "",
		"permessage-deflate; client_max_window_bits; client_max_window_bits=10": "",
		"permessage-deflate; something":                                         "",
		"permessage-bzip2":                                                      "",
	} {
		got, err := chooseDeflate(http.Header{"Sec-Websocket-Extensions": {offer}})
		if err != nil || got != want {
			t.Errorf("%q: got %q, error %v, want %q", offer, got, err, want)
		}
	}
	for _, offer := range []string{"permessage-deflate; =1", ";", "permessage-deflate; a=\"", "@"} {
		if got, err := chooseDeflate(http.Header{"Sec-Websocket-Extensions": {offer}}); err == nil {
			t.Errorf("%q: got %q", offer, got)
		}
	}
}
