package apidoc_test

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/freshet-stream/freshet/internal/problem"
)

// The documents' tables have exactly the problems and close codes that the
// server has.
func TestProblems(t *testing.T) {
	documented := readDocument(t, "openapi.json").object("/x-problems")
	closes := readDocument(t, "asyncapi.json").object("/x-close-codes")
	kinds := problem.Kinds()
	for code, kind := range kinds {
		entry, ok := documented[code].(map[string]any)
		if !ok {
			t.Errorf("openapi.yaml has no problem %s", code)
			continue
		}
		if entry["status"] != number(kind.Status) || entry["title"] != kind.Title || entry["close"] != number(int(kind.Close)) {
			t.Errorf("openapi.yaml has %s as %v; it is %+v", code, entry, kind)
		}
		if _, ok := closes[strconv.Itoa(int(kind.Close))]; !ok {
			t.Errorf("asyncapi.yaml has no close code %d, with which %s may close", kind.Close, code)
		}
	}
	for code := range documented {
		if _, ok := kinds[code]; !ok {
			t.Errorf("openapi.yaml has the problem %s, which no server sends", code)
		}
	}
}

func number(n int) json.Number { return json.Number(strconv.Itoa(n)) }
