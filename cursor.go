package freshet

import "strings"

// ParseCursorOf reads a cursor of the stream with the given name as [ParseCursor]
// does. One of a generation, gen/ID, may begin with the id, as in ID.OFFSET, which
// is what callers of the LLM gateway are given. With another id in front it is a
// cursor that the stream cannot serve.
func ParseCursorOf(name, s string) (Cursor, error) {
	own, isGeneration := strings.CutPrefix(name, "gen/")
	i := strings.LastIndexByte(s, '.')
	if !isGeneration || i < 0 {
		return ParseCursor(s)
	}
	c, err := ParseCursor(s[i+1:])
	if err == nil && s[:i] != own {
		c.Now = false
		c.Offset.Mark = ^c.Offset.Mark
	}
	return c, err
}
