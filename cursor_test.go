package freshet_test

import (
	"testing"

	"github.com/freshet-stream/freshet"
)

func TestParseCursorOf(t *testing.T) {
	const offset = "0000000000000042_00c0ffee00c0ffee"
	own, err := freshet.ParseCursorOf("gen/a-1", "a-1."+offset)
	if err != nil || own.String() != offset {
		t.Errorf("its own id in front: got %v, %v", own, err)
	}
	bare, err := freshet.ParseCursorOf("gen/a-1", offset+"-end")
	if err != nil || bare.String() != offset+"-end" {
		t.Errorf("no id in front: got %v, %v", bare, err)
	}
	for _, s := range []string{"b-1." + offset, "b-1.0000000000000000_0000000000000000", "b-1.now", "b-1.-1"} {
		foreign, err := freshet.ParseCursorOf("gen/a-1", s)
		if err != nil || !foreign.IsReal() || foreign.String() == offset {
			t.Errorf("%s: got %v, %v, want one that cannot be served", s, foreign, err)
		}
	}
	for _, name := range []string{"chat", "generation/a-1"} {
		if c, err := freshet.ParseCursorOf(name, "a-1."+offset); err == nil {
			t.Errorf("%s: got %v", name, c)
		}
	}
}
