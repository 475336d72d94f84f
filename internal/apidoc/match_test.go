package apidoc_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// variable finds what differs from run to run: marks, cursors of sets and of
// caches, dates, and reconnection times.
var variable = regexp.MustCompile(`_[0-9a-f]{16}\b|\bA[Q-Za-f][\w-]{14,}|Date: [^\r\n]+|Stream-Cursor: \d+|"streamCursor":"\d+"|retry: \d+|"\d{4}-\d\d-\d\dT[\d:.]+Z"`)

const zeroMark = "_0000000000000000"

// bindings pair the variables of a document with those of a run. What stands for
// the same in the document is the same in every run, and what is different is
// different.
type bindings struct {
	actual, documented map[string]string
}

func newBindings() *bindings {
	return &bindings{map[string]string{zeroMark: zeroMark}, map[string]string{zeroMark: zeroMark}}
}

// bind pairs a variable, or says why it cannot.
func (b *bindings) bind(documented, actual string) error {
	switch {
	case strings.HasPrefix(documented, "retry: "):
		for _, v := range []string{documented, actual} {
			ms, err := strconv.Atoi(strings.TrimPrefix(v, "retry: "))
			if err != nil || ms < 750 || ms > 1250 {
				return fmt.Errorf("%q is not from 750 to 1250", v)
			}
		}
		return nil
	case documented[0] != '_' && documented[0] != 'A':
		return nil
	}
	if was, ok := b.actual[documented]; ok && was != actual {
		return fmt.Errorf("%s stands for %s and for %s", documented, was, actual)
	}
	if was, ok := b.documented[actual]; ok && was != documented {
		return fmt.Errorf("%s and %s stand for the same", documented, was)
	}
	b.actual[documented], b.documented[actual] = actual, documented
	return nil
}

// compare reports how a run differs from the document, and binds the variables.
func (b *bindings) compare(documented, actual string) error {
	want, got := variable.FindAllString(documented, -1), variable.FindAllString(actual, -1)
	if variable.ReplaceAllStringFunc(documented, kindOf) != variable.ReplaceAllStringFunc(actual, kindOf) {
		return fmt.Errorf("documented:\n%s\nbut it is:\n%s", documented, actual)
	}
	for i := range want {
		if err := b.bind(want[i], got[i]); err != nil {
			return fmt.Errorf("%w, in:\n%s\nwhich is:\n%s", err, documented, actual)
		}
	}
	return nil
}

// kindOf returns what stands for a variable of its kind.
func kindOf(v string) string {
	switch v[0] {
	case '_', 'A':
		return "⟨" + v[:1] + strconv.Itoa(len(v)) + "⟩"
	}
	return "⟨" + v[:3] + "⟩"
}

// resolve returns what a request of the document is in this run.
func (b *bindings) resolve(documented string) string {
	return variable.ReplaceAllStringFunc(documented, func(v string) string {
		if actual, ok := b.actual[v]; ok {
			return actual
		}
		return v
	})
}

// document is the inverse of resolve. What the document does not know yet stands
// for itself from now on.
func (b *bindings) document(actual string) string {
	return variable.ReplaceAllStringFunc(actual, func(v string) string {
		if v[0] != '_' && v[0] != 'A' {
			return v
		}
		if b.documented[v] == "" {
			b.documented[v], b.actual[v] = v, v
		}
		return b.documented[v]
	})
}
