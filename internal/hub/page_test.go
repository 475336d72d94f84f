package hub

import (
	"testing"

	"github.com/freshet-stream/freshet"
)

// Guarantee 7, and DESIGN 11: a million tiny records, here empty ones, are not
// loaded at once.
func TestPagesOfEmptyRecordsAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := newStore()
		h := newHub(t, store)
		spec := freshet.Spec{ContentType: "text/event-stream"}
		first := &freshet.Append{Records: make([]freshet.Record, 3*pageRecords)}
		if _, _, err := h.Create(t.Context(), "s", freshet.Creation{Spec: spec, First: first}); err != nil {
			t.Fatal(err)
		}
		page, err := h.Read(t.Context(), "s", freshet.Offset{}, freshet.Limit{})
		if err != nil || len(page.Records) != pageRecords {
			t.Errorf("a page has %d records, %v", len(page.Records), err)
		}
		f := follow(t, h, "s", FollowOptions{})
		for left := 3 * pageRecords; left > 0; {
			b, err := f.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if b.Len() > pageRecords {
				t.Errorf("a batch has %d records", b.Len())
			}
			left -= b.Len()
		}
	})
}
