package dialect

import (
	"encoding/json"

	"github.com/freshet-stream/freshet"
)

// The codes of ends that the upstream did not send.
const (
	// CodeUpstream: the upstream could not be reached or broke off.
	CodeUpstream = "upstream_error"
	// CodeStalled: the upstream fell silent.
	CodeStalled = "upstream_stalled"
	// CodeTruncated: the upstream's body ended before its answer did.
	CodeTruncated = "upstream_truncated"
	// CodeCancelled: somebody stopped the answer.
	CodeCancelled = "cancelled"
	// CodeInterrupted: the server that made the answer went away.
	CodeInterrupted = "interrupted"
)

// A Detail is what the detail of a close ([freshet.Closing]) says to readers, as
// a JSON object. Other members of that object are nothing to them.
type Detail struct {
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

// DetailOf returns the detail of a close, complete: what it does not say is
// said by its reason.
func DetailOf(c freshet.Closure) Detail {
	var d Detail
	if json.Unmarshal(c.Detail, &d) != nil {
		d = Detail{}
	}
	byReason := defaultDetail(c.Reason)
	if d.Code == "" {
		d.Code = byReason.Code
	}
	if d.Message == "" {
		d.Message = byReason.Message
	}
	return d
}

func defaultDetail(r freshet.Reason) Detail {
	switch r {
	case freshet.Cancelled:
		return Detail{CodeCancelled, "The answer was stopped on request."}
	case freshet.Interrupted:
		return Detail{CodeInterrupted, "The server that made the answer went away. Ask again."}
	case freshet.Completed:
		return Detail{CodeTruncated, "The answer was closed before the upstream had ended it."}
	}
	return Detail{CodeUpstream, "The upstream failed before its answer was complete."}
}
