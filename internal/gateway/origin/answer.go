package origin

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"unicode/utf8"
)

// scriptedAt is when answers that follow a script are said to be made.
const scriptedAt = 1_760_000_000

// An answer is what is said to a call, whatever its format.
type answer struct {
	// id is that of the answer, without the prefix of its format.
	id string
	// created is when it was made, in seconds since 1970.
	created int64
	model   string
	// reasoning and text are in tokens; a text may be a refusal.
	reasoning, text []string
	refusal         bool
	calls           []call
	// input is how many tokens the call had, includeUsage whether a stream of
	// chat completions says so.
	input        int
	includeUsage bool
}

// A call asks for the use of a tool. Its arguments are in tokens.
type call struct {
	id        string
	name      string
	arguments []string
}

// newAnswer makes the answer to a request, the same to the same one.
func newAnswer(r request, s script) answer {
	sum := sha256.Sum256([]byte(r.Model + "\x00" + r.prompt()))
	id := hex.EncodeToString(sum[:12])
	random := rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[12:]), 0))
	a := answer{
		id: id, created: scriptedAt, model: r.Model, refusal: s.refusal,
		reasoning: babble(random, s.reasoning), text: babble(random, s.tokens),
		input: len(strings.Fields(r.prompt())), includeUsage: r.StreamOptions.IncludeUsage,
	}
	for i := range s.calls {
		arguments := encode(object{"city": "Zürich", "day": i, "note": strings.Join(babble(random, 8), "")})
		a.calls = append(a.calls, call{id: fmt.Sprintf("%s%02d", id[:16], i), name: r.toolName(), arguments: tokenize(string(arguments))})
	}
	return a
}

// syllables are what babble is made of: also what encoders write in two ways or
// decoders cut in two.
var syllables = []string{
	" the", " river", " rises", " and", " carries", " ice", ",", ".", "\n\n", " \"quick\"", " a\\b", " <b>", " &",
	" Zürich", " 東京", " 🌊", " 👩\u200d🚀", "\t", " e\u0301", "\u2028", "data: x", "\r\n", " 42",
}

// babble returns n tokens.
func babble(random *rand.Rand, n int) []string {
	tokens := make([]string, n)
	for i := range tokens {
		tokens[i] = syllables[random.IntN(len(syllables))]
	}
	return tokens
}

// tokenMost is the length of a token in characters.
const tokenMost = 7

// tokenize cuts a text into tokens as a model does: words with the space before
// them, and parts of long words.
func tokenize(text string) []string {
	var tokens []string
	for text != "" {
		n, letters := 0, 0
		for n < len(text) && letters < tokenMost {
			r, size := utf8.DecodeRuneInString(text[n:])
			if n > 0 && (r == ' ' || r == '\n') {
				break
			}
			n += size
			letters++
		}
		tokens = append(tokens, text[:n])
		text = text[n:]
	}
	return tokens
}

// outputTokens returns how many tokens the answer has.
func (a answer) outputTokens() int {
	n := len(a.reasoning) + len(a.text)
	for _, c := range a.calls {
		n += len(c.arguments)
	}
	return n
}
