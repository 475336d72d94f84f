package checker

import "github.com/freshet-stream/freshet"

// number returns how many records are before an offset, in any form in which a
// follower may send it.
func number(offset string) (uint64, error) {
	c, err := freshet.ParseCursor(offset)
	return c.Offset.Seq, err
}

// A position is where a follower is.
type position struct {
	number uint64
	// offset is "" as long as nobody has told it.
	offset string
}

// is reports whether an offset that a follower was told, or has sent, names its
// position. The beginning has several names.
func (p position) is(offset string) bool {
	c, err := freshet.ParseCursor(offset)
	switch {
	case err != nil || c.Offset.Seq != p.number:
		return false
	case p.number == 0:
		own, err := freshet.ParseCursor(p.offset)
		return err != nil || own.Offset.IsBeginning() || c.Offset.IsBeginning() || own.Offset == c.Offset
	}
	return p.offset == "" || c.Offset.String() == p.offset
}
