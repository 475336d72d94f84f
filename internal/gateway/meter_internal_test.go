package gateway

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/freshet-stream/freshet/internal/dialect"
)

func TestMeter(t *testing.T) {
	const ms = time.Millisecond
	type at struct {
		after time.Duration
		data  string
	}
	text := func(after time.Duration) at { return at{after, `{"choices":[{"delta":{"content":"x"}}]}`} }
	thought := func(after time.Duration) at { return at{after, `{"choices":[{"delta":{"reasoning":"x"}}]}`} }
	usage := at{1000 * ms, `{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":21,"completion_tokens_details":{"reasoning_tokens":10}}}`}
	role := at{50 * ms, `{"model":"n","choices":[{"delta":{"role":"assistant","content":""}}]}`}
	for name, tt := range map[string]struct {
		events []at
		first  time.Duration
		rate   float64
		tokens int64
		from   string
	}{
		"no event at all":                    {nil, 0, 0, 0, ""},
		"the role is not a token":            {[]at{role}, 0, 0, 0, ""},
		"one token has no rate":              {[]at{role, text(200 * ms)}, 200 * ms, 0, 1, "chunks"},
		"two at the same time have no rate":  {[]at{text(200 * ms), text(200 * ms)}, 200 * ms, 0, 2, "chunks"},
		"chunks are counted without usage":   {[]at{text(200 * ms), text(300 * ms), text(400 * ms)}, 200 * ms, 10, 3, "chunks"},
		"the wait for usage is not counted":  {[]at{thought(200 * ms), text(400 * ms), usage}, 200 * ms, 100, 21, "usage"},
		"reasoning that is kept has no rate": {[]at{text(200 * ms), text(400 * ms), usage}, 200 * ms, 50, 21, "usage"},
	} {
		t.Run(name, func(t *testing.T) {
			m := meter{taken: time.Now()}
			for _, e := range tt.events {
				m.add(dialect.Chat{}.Read(dialect.Event{Data: []byte(e.data)}), m.taken.Add(e.after))
			}
			f := m.figures(m.taken.Add(2 * time.Second))
			if m.since(m.first) != tt.first || m.rate() < tt.rate-.001 || m.rate() > tt.rate+.001 ||
				f.Tokens != tt.tokens || f.TokensFrom != tt.from || f.DurationMS != 2000 {
				t.Errorf("got %v %v %+v", m.since(m.first), m.rate(), f)
			}
		})
	}
}

// Progress is told of with the first token, and then once a second however many
// there are.
func TestMeterTellsNowAndThen(t *testing.T) {
	m, told := meter{taken: time.Now()}, []int{}
	for i := range 30 {
		if m.add(dialect.Facts{Text: i > 2}, m.taken.Add(time.Duration(i)*100*time.Millisecond)) {
			told = append(told, i)
		}
	}
	if len(told) != 3 || told[0] != 3 || told[1] != 13 || told[2] != 23 {
		t.Errorf("told at %v", told)
	}
}

// What others say is cut where it is whole, however JSON writes it.
func TestClip(t *testing.T) {
	for _, s := range []string{"", "gpt", strings.Repeat("x", 300), strings.Repeat("<", 300), strings.Repeat("é", 300), strings.Repeat("\xff", 300), strings.Repeat("\x00", 99)} {
		got := clip(s, 64)
		if jsonBytes(got) > 64 || !strings.HasPrefix(s, got) || len(s) <= 10 && got != s || utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("%.10q becomes %q", s, got)
		}
	}
}
