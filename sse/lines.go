package sse

import (
	"bytes"
	"io"
	"strings"
)

const (
	// minBuffer is the size of a buffer that no long line has made grow.
	minBuffer = 4 << 10

	// maxIdleBuffer is the size of the largest buffer that is kept when no
	// long line needs it.
	maxIdleBuffer = 1 << 20

	// maxEmptyReads is the number of consecutive reads of nothing after which
	// a reader counts as broken.
	maxEmptyReads = 100

	byteOrderMark = "\uFEFF"
)

// lines splits a stream into lines, which end with LF, CR or CRLF. It looks at
// each byte once for LF and once for CR, whatever the sizes of lines and reads.
type lines struct {
	src io.Reader
	max int   // size of the longest line to hold, in bytes
	err error // of src, once it has returned one

	buf      []byte
	pos, end int // buf[pos:end] is read but not yet returned
	lf, cr   int // the first LF and CR in buf[pos:end], or end if there is none

	started bool // it is known whether a byte order mark comes first
	afterCR bool // the last line ended with CR: an LF at pos belongs to it
}

// next returns the next line, without its end, if the buffer holds all of it.
// The line is valid until the next call of fill.
func (l *lines) next() (line []byte, ok bool) {
	if l.afterCR && l.pos < l.end {
		l.afterCR = false
		if l.buf[l.pos] == '\n' {
			l.pos++
		}
	}
	if l.lf < l.pos {
		l.lf = l.find('\n', l.pos)
	}
	if l.cr < l.pos {
		l.cr = l.find('\r', l.pos)
	}
	i := min(l.lf, l.cr)
	if i == l.end {
		return nil, false
	}
	line = l.buf[l.pos:i]
	l.afterCR = i == l.cr
	l.pos = i + 1
	return line, true
}

// rest returns what the buffer holds of a line whose end has not been read.
// It is called once, after the last call of next.
func (l *lines) rest() []byte {
	line := l.buf[l.pos:l.end]
	l.pos = l.end
	return line
}

// overlong reports whether the line whose end has not been read is longer than
// max.
func (l *lines) overlong() bool {
	return l.end-l.pos > l.max
}

// fill reads more input, once next has found no line and it is not overlong.
// It returns the error of the source, as it is, after all of the input before
// it has been buffered.
func (l *lines) fill() error {
	if l.err != nil {
		return l.err
	}
	l.makeRoom()
	for range maxEmptyReads {
		n, err := l.src.Read(l.buf[l.end:])
		l.err = err
		if n > 0 {
			from := l.end
			l.end += n
			l.lf = l.find('\n', from)
			l.cr = l.find('\r', from)
			if !l.started {
				l.skipMark()
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// makeRoom moves the unfinished line to the front of a buffer that has room
// behind it and is not needlessly large.
func (l *lines) makeRoom() {
	line := l.buf[l.pos:l.end]
	size := len(l.buf)
	switch {
	case size == 0, size > maxIdleBuffer && len(line) <= minBuffer/2:
		size = minBuffer
	case len(line) == size:
		size = min(2*size, l.max+1)
	}
	if size != len(l.buf) {
		l.buf = make([]byte, size)
	} else if l.pos == 0 {
		return
	}
	l.pos, l.end = 0, copy(l.buf, line)
}

// skipMark drops a byte order mark from the start of the stream. It is called
// after each read until there is enough to tell, which is no later than there
// is a line, because a mark has no line end in it.
func (l *lines) skipMark() {
	head := l.buf[:l.end]
	if len(head) < len(byteOrderMark) && strings.HasPrefix(byteOrderMark, string(head)) {
		return
	}
	l.started = true
	if bytes.HasPrefix(head, []byte(byteOrderMark)) {
		l.pos = len(byteOrderMark)
	}
}

// find returns the index in buf of the first c in buf[from:end], or end.
func (l *lines) find(c byte, from int) int {
	if from < l.end && l.buf[from] == c {
		return from // an empty line, as one ends each block
	}
	if i := bytes.IndexByte(l.buf[from:l.end], c); i >= 0 {
		return from + i
	}
	return l.end
}
