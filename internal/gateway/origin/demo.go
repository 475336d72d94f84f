package origin

import (
	"crypto/rand"
	_ "embed"
	"strings"
	"time"
)

//go:embed demo.md
var demoText string

// demoGap is the time before each token of the demo.
const demoGap = 40 * time.Millisecond

// NewDemo returns the origin that serves those who have no key. It gives one and
// the same answer, which says so in its first words, at the pace of a model.
func NewDemo() *Origin {
	return newOrigin("demo", "", func(r request) (answer, script) {
		s := parseScript(nil)
		s.gap = demoGap
		return answer{
			id: strings.ToLower(rand.Text()), created: time.Now().Unix(), model: r.Model,
			text: tokenize(demoText), input: len(strings.Fields(r.prompt())), includeUsage: r.StreamOptions.IncludeUsage,
		}, s
	})
}
