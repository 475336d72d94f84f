package sse

import "bytes"

// AppendText appends text in the form that it has within a data field: each
// line break, be it LF, CR or CRLF, ends the line and begins another data
// field, and ill-formed UTF-8 becomes U+FFFD, as by [AppendValid].
//
// What it appends for several texts may be put one after the other, between
// one "data: " and the LF after the last, to send them as one event. A CRLF
// or a character that is divided between two texts is then not taken as one.
func AppendText(dst, text []byte) []byte {
	return appendLines(dst, text, "\ndata: ")
}

// AppendData appends data fields which carry data: a line for each line of it,
// so one if it is empty, and not the empty line that ends the block. Its line
// breaks all arrive as LF, and its ill-formed UTF-8 as U+FFFD.
func AppendData(dst, data []byte) []byte {
	dst = append(dst, "data: "...)
	dst = AppendText(dst, data)
	return append(dst, '\n')
}

// AppendComment appends a comment, which readers ignore: a line for each line
// of text. It needs no empty line to take effect, and may precede any block.
func AppendComment(dst []byte, text string) []byte {
	if text == "" {
		return append(dst, ":\n"...)
	}
	dst = append(dst, ": "...)
	if isLine(text) {
		dst = append(dst, text...)
	} else {
		dst = appendLines(dst, []byte(text), "\n: ")
	}
	return append(dst, '\n')
}

// appendLines appends well-formed text with each line break replaced by sep.
func appendLines(dst, text []byte, sep string) []byte {
	for {
		line, rest, found := bytes.Cut(text, []byte{'\n'})
		if found {
			line = bytes.TrimSuffix(line, []byte{'\r'})
		}
		for {
			i := bytes.IndexByte(line, '\r')
			if i < 0 {
				break
			}
			dst = append(AppendValid(dst, line[:i]), sep...)
			line = line[i+1:]
		}
		dst = AppendValid(dst, line)
		if !found {
			return dst
		}
		dst = append(dst, sep...)
		text = rest
	}
}
