package sse

import "bytes"

// maxNameBytes is the size of the longest known name with its colon and space,
// which do not count towards the limit.
const maxNameBytes = len("event: ")

// interpret processes a line that is not empty: a comment, or a field as of
// "process the field" in section 9.2.6. Fields of unknown name are ignored.
func (d *Decoder) interpret(line []byte) error {
	if len(line) > d.in.max {
		return tooLarge("line", d.limit)
	}
	name, value := line, line[len(line):]
	if i := bytes.IndexByte(line, ':'); i >= 0 {
		name, value = line[:i], line[i+1:]
	}
	if len(value) > 0 && value[0] == ' ' {
		value = value[1:]
	}
	switch string(name) {
	case "data":
		d.block.addData(value)
		if d.block.dataSize() > d.limit {
			return tooLarge("data", d.limit)
		}
	case "event":
		d.block.typ = AppendValid(d.block.typ[:0], value)
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			d.block.id = AppendValid(d.block.id[:0], value)
			d.block.hasID = true
		}
	case "retry":
		if retry, ok := parseRetry(value); ok {
			d.retry, d.hasRetry = retry, true
		}
	case "":
		if d.opts.OnComment != nil {
			d.opts.OnComment(value)
		}
	}
	return nil
}
