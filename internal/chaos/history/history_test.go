package history_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/freshet-stream/freshet/internal/chaos/history"
)

func TestRecorderWritesWhatReadReads(t *testing.T) {
	var file bytes.Buffer
	r := history.NewRecorder(&file)
	var adding sync.WaitGroup
	for range 8 {
		adding.Go(func() {
			r.Add(history.Event{Kind: history.Shown, Stream: "s", Who: "f", Offset: "1", Records: []string{"a0.0"}})
			r.Add(history.Event{Kind: history.Called, Stream: "s", Who: "a", Call: &history.Call{Outcome: history.Landed}})
		})
	}
	adding.Wait()
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	// A run that was killed leaves half a line.
	got, err := history.Read(strings.NewReader(file.String() + `{"at":1,"ki`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.Events(), got); diff != "" || len(got) != 16 {
		t.Errorf("read %d events: %s", len(got), diff)
	}
	if _, err := history.Read(strings.NewReader("no\n")); err == nil {
		t.Error("a line that is no event was read")
	}
}

func TestStreamsSortsByWhose(t *testing.T) {
	got := history.Streams([]history.Event{
		{Kind: history.Shown, Stream: "b", Who: "f1", Offset: "1"},
		{Kind: history.Created, Stream: "a"},
		{Kind: history.Shown, Stream: "a", Who: "f1", Offset: "2"},
		{Kind: history.Called, Stream: "a", Who: "p"},
		{Kind: history.Shown, Stream: "a", Who: "f0", Offset: "3"},
		{Kind: history.Dropped, Stream: "a", Who: "f1"},
		{Kind: history.Final, Stream: "a"},
	})
	if len(got) != 2 || got[0].Name != "a" || got[1].Name != "b" {
		t.Fatalf("got %+v", got)
	}
	a := got[0]
	if a.Created == nil || a.Final == nil || len(a.Calls) != 1 || len(a.Followers) != 2 {
		t.Fatalf("got %+v", a)
	}
	if f := a.Followers[1]; f.Name != "f1" || len(f.Events) != 2 || f.Events[1].Kind != history.Dropped {
		t.Errorf("got %+v", f)
	}
}

func TestNameIsThatOfUnalteredData(t *testing.T) {
	for _, most := range []int{0, 1, 100, 5000} {
		data := history.Data("a0.17", most)
		if got := history.Name(data); got != "a0.17" {
			t.Errorf("the name of %.80q is %q", data, got)
		}
		for i := range min(len(data), 20) {
			altered := data[:i] + "?" + data[i+1:]
			if got := history.Name(altered); got == "a0.17" {
				t.Errorf("%q passed for unaltered", altered)
			}
		}
		if got := history.Name(data + "x"); got == "a0.17" {
			t.Error("more data passed for unaltered")
		}
	}
	if got := history.Name("a 2000000000 x"); !strings.HasPrefix(got, "corrupt:") {
		t.Errorf("got %q", got)
	}
}
