package storetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/freshet-stream/freshet"
)

func listing() []clause {
	return []clause{
		{name: "List/InOrderOfName", check: listInOrder},
		{name: "List/InPages", check: listPages},
		{name: "Names/DoNotMeet", check: namesDoNotMeet},
	}
}

// oddNames are valid names that trip up stores: prefixes of each other, and
// characters that key layouts, patterns and hash tags give a meaning to.
func oddNames() []string {
	return []string{
		"a", "a/b", "a/b/c", "a b", "a!", "a-b", "ab", "a\u00a0", "aä", "aü", "a\U0010ffff", "a\ufeff", "A", "b", "ba",
		"}", "{a}", "{a", "a}b{", "*", "a*", ">", "a.b", "a.>", "...", "a?", "[a]", "a%2Fb", "a\\b", "a:b", "a;b", "a#", "ключ", "流", "é", "e\u0301",
		strings.Repeat("n", freshet.MaxNameBytes), strings.Repeat("n", freshet.MaxNameBytes-1), strings.Repeat("ü", freshet.MaxNameBytes/2),
	}
}

func listInOrder(e *env) {
	names := oddNames()
	for _, name := range names {
		if err := freshet.ValidateName(name); err != nil {
			e.Fatalf("%q: %v", name, err)
		}
		e.create(name, freshet.Spec{})
	}
	slices.Sort(names)
	for _, prefix := range []string{"", "a", "a/", "a\u00a0", "n", "{", "}", "zzz", "\U0010ffff", "ü"} {
		for _, after := range []string{"", "a", "a/b", "a/a", "ab", "nn", "zzz", "}"} {
			for _, n := range []int{1, 3, 1000} {
				var want []string
				for _, name := range names {
					if strings.HasPrefix(name, prefix) && name > after && len(want) < n {
						want = append(want, name)
					}
				}
				e.equal(fmt.Sprintf("list %q after %q", prefix, after), e.names(prefix, after, n), want)
			}
		}
	}
}

func (e *env) names(prefix, after string, n int) (names []string) {
	e.Helper()
	infos, err := e.store().List(e.Context(), prefix, after, n)
	if err != nil {
		e.Fatalf("list: %v", err)
	}
	for _, info := range infos {
		names = append(names, info.Name)
	}
	return names
}

func listPages(e *env) {
	unit := e.clock.unit()
	var want []string
	for i := range 40 {
		name := fmt.Sprintf("page/%02d", i)
		switch i % 4 {
		case 0:
			e.create(name, freshet.Spec{})
			if err := e.store().Delete(e.Context(), name); err != nil {
				e.Fatalf("delete: %v", err)
			}
		case 1:
			e.create(name, freshet.Spec{TTL: unit})
		default:
			e.create(name, freshet.Spec{})
			e.append(name, freshet.Append{Records: text("a", "b"), Meta: []byte(name)})
			want = append(want, name)
		}
	}
	e.clock.Advance(unit)
	var got []string
	for after := ""; ; {
		infos, err := e.store().List(e.Context(), "page/", after, 3)
		if err != nil {
			e.Fatalf("list: %v", err)
		}
		if len(infos) == 0 {
			break
		}
		for _, info := range infos {
			e.equal("an info in the list", info, e.info(info.Name))
			got = append(got, info.Name)
		}
		after = got[len(got)-1]
	}
	e.equal("names", got, want)
}

// Streams with odd names, and their incarnations, never see each other's
// records or producers.
func namesDoNotMeet(e *env) {
	names := oddNames()
	for round := range 2 {
		for _, name := range names {
			e.create(name, freshet.Spec{})
			e.append(name, freshet.Append{Records: text(fmt.Sprint(round, name)), Producer: producer(name[:min(len(name), freshet.MaxProducerIDBytes)], 0, 0)})
		}
		for _, name := range names {
			e.equal(name, e.data(name, freshet.Offset{}, freshet.Limit{}), []string{fmt.Sprint(round, name)})
		}
		for i, name := range names {
			if err := e.store().Delete(e.Context(), name); err != nil {
				e.Fatalf("delete %q: %v", name, err)
			}
			for _, other := range names[i+1:] {
				e.info(other)
			}
		}
	}
	e.equal("names at the end", e.names("", "", 1000), []string(nil))
}
