package server

import (
	"fmt"
	"net/http"
)

// NameHeader has, in every answer, the name of the server that gave it
// ([Options].Name), WebSocket handshakes and problems included. Only what is not
// well-formed HTTP is refused without it.
const NameHeader = "Freshet-Server"

const nameMost = 128

// checkName returns why a name cannot be sent, or nil.
func checkName(name string) error {
	if len(name) > nameMost {
		return fmt.Errorf("the server's name has %d bytes and may have %d", len(name), nameMost)
	}
	for _, c := range []byte(name) {
		if c <= ' ' || c > '~' {
			return fmt.Errorf("the server's name is %q and may only have visible ASCII characters", name)
		}
	}
	return nil
}

// sayName puts the server's name into an answer.
func (s *Server) sayName(h http.Header) {
	if s.opts.Name != "" {
		h[NameHeader] = []string{s.opts.Name}
	}
}
