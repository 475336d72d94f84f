package dialect

import "github.com/freshet-stream/freshet"

// Generic is server-sent events of which nothing is known, but for what nearly
// everybody who streams answers does: [DONE] ends one well, an event of the type
// error badly.
type Generic struct{}

// Read implements [Dialect]. Any other event counts as generated.
func (Generic) Read(e Event) Facts {
	if isDone(e.Data) {
		return Facts{End: freshet.Completed}
	}
	if e.Type == typeError {
		return Facts{End: freshet.Failed}
	}
	return Facts{Text: len(e.Data) > 0}
}

// Ends implements [Dialect]: an event of the type error, with the detail of the
// close, unless it is closed as completed.
func (Generic) Ends(t Tally, c freshet.Closure) []Event {
	if t.ended || c.Reason == freshet.Completed {
		return nil
	}
	return []Event{{Type: typeError, Data: errorObject(c)}}
}

// EndOfBody implements [Dialect]: a body that ends cleanly is all there is.
func (Generic) EndOfBody() freshet.Reason { return freshet.Completed }
