package gateway

import (
	"strings"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/dialect"
)

// A Description is what may be told of a generation to whoever may read its
// stream: nothing of who asked and of what.
type Description struct {
	Endpoint string `json:"endpoint"`
	Upstream string `json:"upstream"`
	Model    string `json:"model,omitempty"`
	// Status is that of the answer, 0 until there is one.
	Status int `json:"status,omitempty"`
	// Reason is how the stream was closed, and Code the code of that for one that
	// was not closed as completed.
	Reason string `json:"reason,omitempty"`
	Code   string `json:"code,omitempty"`
	// Figures are those at the end; a second old at most while the answer comes, and
	// when another server has ended it.
	Figures
}

// Describe returns what a stream says of its generation, or nil if it is not that
// of one.
func Describe(info *freshet.Info) *Description {
	if !strings.HasPrefix(info.Name, genPrefix) {
		return nil
	}
	meta, err := metaOf(info)
	if err != nil {
		return nil
	}
	d := &Description{Endpoint: meta.Endpoint, Upstream: meta.Upstream, Model: meta.Model, Status: meta.Status}
	if meta.Figures != nil {
		d.Figures = *meta.Figures
	}
	if info.Closed != nil {
		d.Reason = string(info.Closed.Reason)
		if info.Closed.Reason != freshet.Completed {
			d.Code = dialect.DetailOf(*info.Closed).Code
		}
	}
	return d
}
