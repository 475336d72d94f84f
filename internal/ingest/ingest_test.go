package ingest

import (
	"errors"
	"strings"
	"testing"

	"github.com/freshet-stream/freshet"
)

func TestRecords(t *testing.T) {
	tests := []struct {
		name string
		kind freshet.Kind
		body string
		want []freshet.Record
	}{
		{"text is one record", freshet.KindText, "a\r\nb", []freshet.Record{{Data: []byte("a\r\nb")}}},
		{"invalid text is taken", freshet.KindText, "\xff", []freshet.Record{{Data: []byte("\xff")}}},
		{"nothing", freshet.KindText, "", nil},
		{"an object", freshet.KindJSON, ` {"a": 1} `, []freshet.Record{{Data: []byte(`{"a": 1}`)}}},
		{"one level is flattened", freshet.KindJSON, `[[1,2],{"a":[3]},"x",null]`, []freshet.Record{
			{Data: []byte(`[1,2]`)}, {Data: []byte(`{"a":[3]}`)}, {Data: []byte(`"x"`)}, {Data: []byte(`null`)},
		}},
		{"an empty array is no record", freshet.KindJSON, ` [ ] `, []freshet.Record{}},
		{"JSON goes on one line", freshet.KindJSON, "{\n \"a\":\r\n \"b c\"\n}", []freshet.Record{{Data: []byte(`{"a":"b c"}`)}}},
		{"numbers stay as they are", freshet.KindJSON, `1.000000000000000000000001e400`, []freshet.Record{{Data: []byte(`1.000000000000000000000001e400`)}}},
		{"events", freshet.KindEvents, ": note\nretry: 5\nid: 7\nevent: e\ndata: a\ndata: b\n\ndata: last", []freshet.Record{
			{Type: "e", ID: "7", Data: []byte("a\nb")}, {Data: []byte("last")},
		}},
		{"an event with empty data", freshet.KindEvents, "data:\n\n", []freshet.Record{{Data: []byte{}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Records(tt.kind, []byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(tt.want) {
				t.Fatalf("got %d records, want %d", len(got), len(tt.want))
			}
			for i := range got {
				if got[i].Type != tt.want[i].Type || got[i].ID != tt.want[i].ID || string(got[i].Data) != string(tt.want[i].Data) {
					t.Errorf("record %d is %+v, want %+v", i, got[i], tt.want[i])
				}
			}
		})
	}
}

func TestRecordsRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		kind freshet.Kind
		body string
		says string
	}{
		"half JSON":           {freshet.KindJSON, `{"a":`, "byte"},
		"two values":          {freshet.KindJSON, `1 2`, "byte 3"},
		"only space":          {freshet.KindJSON, ` `, "not valid"},
		"invalid UTF-8":       {freshet.KindJSON, "\"\xff\"", "UTF-8"},
		"a byte order mark":   {freshet.KindJSON, "\ufeff1", "not valid"},
		"a body without one":  {freshet.KindEvents, ": only a comment\n\n", "no event"},
		"an id without event": {freshet.KindEvents, "id: 1\n\n", "no event"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Records(tt.kind, []byte(tt.body))
			if !errors.Is(err, freshet.ErrRecord) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want a bad record that says %q", err, tt.says)
			}
		})
	}
}
