package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/freshet-stream/freshet"
)

// genPrefix is what the names of the streams of generations begin with.
const genPrefix = "gen/"

// A Meta is what the stream of a generation says of it, in JSON. It is set when
// the stream is created, again once the upstream's head has come, and with how far
// the answer is, the last time with its end.
type Meta struct {
	// Endpoint is the path that was asked, after /v1.
	Endpoint string `json:"endpoint"`
	// Upstream is the name of the one that was chosen, and Model what it was asked
	// for.
	Upstream string `json:"upstream"`
	Model    string `json:"model,omitempty"`
	// Principal and Body are digests of who has asked and of what.
	Principal string `json:"principal"`
	Body      string `json:"body"`
	// Message is the id of the message that a turn of a conversation goes on with;
	// without any it is the generation's.
	Message string `json:"message,omitempty"`
	// Unwatched says what happens when nobody reads: "cancel", or nothing.
	Unwatched string `json:"unwatched,omitempty"`
	// Status and Header are the head of the answer. Status is 0 until it has come.
	Status int         `json:"status,omitempty"`
	Header http.Header `json:"header,omitempty"`
	// Plain says that the answer is not a stream of events. Its body is then the
	// data of the records.
	Plain bool `json:"plain,omitempty"`
	// Figures are what the answer has come to so far.
	Figures *Figures `json:"figures,omitempty"`
}

func (m *Meta) encode() []byte {
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // strings and numbers can be marshalled
	}
	return b
}

func metaOf(info *freshet.Info) (m Meta, err error) {
	if err := json.Unmarshal(info.Meta, &m); err != nil {
		return m, fmt.Errorf("read meta of %q: %w", info.Name, err)
	}
	return m, nil
}

// refused reports whether the upstream has not begun an answer, and never will:
// closed is how the stream is.
func (m *Meta) refused(closed *freshet.Closure) bool {
	return closed != nil && m.Plain && m.Status/100 != 2
}

// pathOf returns the path at which the stream of a generation is.
func pathOf(id string) string { return "/v1/stream/" + genPrefix + id }

// isID reports whether s can be the id of a generation.
func isID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	return !strings.ContainsFunc(s, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-'
	})
}
