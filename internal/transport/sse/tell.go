package sse

import (
	"encoding/json"
	"net/http"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/drain"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/internal/problem"
	"github.com/freshet-stream/freshet/internal/wire"
	codec "github.com/freshet-stream/freshet/sse"
)

// endSuffix makes of the last offset the id of the event that tells the end.
const endSuffix = "-end"

type gapData struct {
	Requested string `json:"requested"`
	Resumed   string `json:"resumed"`
	Why       string `json:"why"`
}

type closedData struct {
	Reason string `json:"reason"`
}

// appendGap appends the event that tells a loss; without an id if nothing is
// resumed.
func appendGap(dst []byte, requested, why, resumed string) []byte {
	const most = 256
	data, _ := json.Marshal(gapData{Requested: requested[:min(len(requested), most)], Resumed: resumed, Why: why})
	if resumed == "-1" {
		return codec.AppendEvent(dst, freshet.TypeGap, data, "")
	}
	return codec.AppendEvent(dst, freshet.TypeGap, data, resumed)
}

// appendClosed appends the event that tells the end at an offset.
func appendClosed(dst []byte, reason string, at freshet.Offset) []byte {
	data, _ := json.Marshal(closedData{Reason: reason})
	return codec.AppendEvent(dst, freshet.TypeClosed, data, at.String()+endSuffix)
}

// appendGone appends what tells that a stream does not exist, to a reader who
// was at a position of it.
func appendGone(dst []byte, requested, why string, at freshet.Offset) []byte {
	dst = appendGap(dst, requested, why, "-1")
	return appendClosed(dst, why, at)
}

// tellGone answers a client that comes back to a stream which does not exist:
// with a status of 200, since any other would end an EventSource unread.
func (t *Transport) tellGone(w http.ResponseWriter, r *http.Request, from *start) {
	setHeaders(w.Header())
	response := wire.Start(r.Context(), w, http.StatusOK, t.exchanges, drain.SSE)
	out := appendPrelude(nil, "")
	_ = response.Write(appendGone(out, from.requested(), freshet.GapUnknown, from.Offset))
	response.End()
}

// refuse answers a client that cannot be served. One that only has to come again,
// such as while the store is away, gets a response that breaks off: an EventSource
// would take any status but 200 for the end.
func (t *Transport) refuse(w http.ResponseWriter, r *http.Request, err error) {
	coded, kind := problem.Of(err)
	if kind.Status != http.StatusServiceUnavailable {
		problem.Write(w, r, err)
		return
	}
	setHeaders(w.Header())
	response := wire.Start(r.Context(), w, http.StatusOK, t.exchanges, drain.SSE)
	_ = response.Write(codec.AppendComment(appendPrelude(nil, ""), coded.Detail))
	response.Abort()
}

// gapOf returns what the client is told of a gap. A last event id that no
// server can have sent is a gap even where the follower knows of none.
func gapOf(from *start, gap *hub.Gap, at freshet.Offset) *hub.Gap {
	if from.foreign {
		return &hub.Gap{Why: freshet.GapDiverged, Resumed: at}
	}
	return gap
}
