package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/freshet-stream/freshet/internal/chaos/history"
)

func TestCheckJudgesAnEarlierHistory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.jsonl")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	r := history.NewRecorder(file)
	r.Add(history.Event{Kind: history.Opened, Stream: "s", Who: "f"})
	r.Add(history.Event{Kind: history.GaveUp, Stream: "s", Who: "f"})
	r.Add(history.Event{Kind: history.Final, Stream: "s", Offset: "-1"})
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	err = run(t.Context(), settings{check: path}, &out)
	if err == nil || err.Error() != "1 violations" || !strings.Contains(out.String(), "was never told the end") {
		t.Errorf("got %v and\n%s", err, out.String())
	}
	if err := run(t.Context(), settings{check: path + "x"}, &out); err == nil {
		t.Error("judged a file that does not exist")
	}
}
