package tamper

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"slices"
)

// isRecord reports whether a block shows a record.
func isRecord(block []byte) bool {
	return bytes.Contains(block, []byte("data:")) && !bytes.Contains(block, []byte("event: stream-"))
}

func isEnd(block []byte) bool { return bytes.Contains(block, []byte("event: stream-closed\n")) }

// eachRecord alters each n-th record of a response.
func eachRecord(n int, alter func(block []byte) []byte) Bug {
	return Bug{Events: func(_ bool, planted func()) Rewriter {
		seen := 0
		return func(block []byte) []byte {
			if !isRecord(block) {
				return block
			}
			if seen++; seen%n != 0 {
				return block
			}
			planted()
			return alter(block)
		}
	}}
}

// everyEnd alters the end.
func everyEnd(alter func(block []byte) []byte) Bug {
	return Bug{Events: func(_ bool, planted func()) Rewriter {
		return func(block []byte) []byte {
			if !isEnd(block) {
				return block
			}
			planted()
			return alter(block)
		}
	}}
}

// DropRecord loses some records on their way to a reader.
func DropRecord() Bug { return eachRecord(4, func([]byte) []byte { return nil }) }

// DoubleRecord shows some records twice.
func DoubleRecord() Bug {
	return eachRecord(4, func(block []byte) []byte { return slices.Repeat(block, 2) })
}

// SwapRecords shows two records in the wrong order. The first waits for the
// second.
func SwapRecords() Bug {
	return Bug{Events: func(_ bool, planted func()) Rewriter {
		var held []byte
		return func(block []byte) []byte {
			switch {
			case !isRecord(block):
				return block
			case held == nil:
				held = bytes.Clone(block)
				return nil
			}
			planted()
			swapped := slices.Concat(block, held)
			held = nil
			return swapped
		}
	}}
}

var idLine = regexp.MustCompile(`(?m)^id: .*$`)

// SwapData shows two records in the wrong order, under the right offsets.
func SwapData() Bug {
	return Bug{Events: func(_ bool, planted func()) Rewriter {
		var held []byte
		return func(block []byte) []byte {
			switch {
			case !isRecord(block):
				return block
			case held == nil:
				held = bytes.Clone(block)
				return nil
			}
			planted()
			first, second := idLine.Find(held), idLine.Find(block)
			swapped := slices.Concat(idLine.ReplaceAll(block, first), idLine.ReplaceAll(held, second))
			held = nil
			return swapped
		}
	}}
}

var dataLine = regexp.MustCompile(`(?m)^data: .*$`)

// ForgeRecord shows a record that nobody appended.
func ForgeRecord() Bug {
	return eachRecord(4, func(block []byte) []byte {
		return dataLine.ReplaceAll(block, []byte(`data: "ghost 0 "`))
	})
}

// LoseEnd never tells that a stream has ended.
func LoseEnd() Bug { return everyEnd(func([]byte) []byte { return nil }) }

// TellEndTwice tells it twice.
func TellEndTwice() Bug {
	return everyEnd(func(block []byte) []byte { return slices.Repeat(block, 2) })
}

// TellOtherEnd tells another reason.
func TellOtherEnd() Bug {
	return everyEnd(func(block []byte) []byte {
		return dataLine.ReplaceAll(block, []byte(`data: {"reason":"cancelled"}`))
	})
}

// SkipOnResume lets a reader that comes back miss a record, and says so with no
// word.
func SkipOnResume() Bug {
	return Bug{Events: func(resumed bool, planted func()) Rewriter {
		skip := resumed
		return func(block []byte) []byte {
			if !skip || !isRecord(block) {
				return block
			}
			skip = false
			planted()
			return nil
		}
	}}
}

// Restart begins anew for a reader that comes back.
func Restart() Bug {
	return Bug{Request: func(_ http.ResponseWriter, r *http.Request, _ http.Handler, planted func()) bool {
		if hasPosition(r) {
			r.Header.Del("Last-Event-ID")
			planted()
		}
		return false
	}}
}

// isAppend reports whether a request appends with a whole body.
func isAppend(r *http.Request) bool { return r.Method == http.MethodPost && r.ContentLength > 0 }

// LoseAppend acknowledges some appends and does not make them.
func LoseAppend() Bug {
	seen := make(chan struct{}, 3)
	return Bug{Request: func(w http.ResponseWriter, r *http.Request, _ http.Handler, planted func()) bool {
		if !isAppend(r) || r.URL.Path == "/v1/follow" {
			return false
		}
		select {
		case seen <- struct{}{}:
			return false
		default:
		}
		for range cap(seen) {
			<-seen
		}
		planted()
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusOK)
		return true
	}}
}

// DoubleAppend makes each append twice.
func DoubleAppend() Bug {
	return Bug{Request: func(w http.ResponseWriter, r *http.Request, next http.Handler, planted func()) bool {
		if !isAppend(r) || r.URL.Path == "/v1/follow" {
			return false
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return false
		}
		again(r, body, next)
		planted()
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
		return true
	}}
}
