package websocket

import (
	"bytes"
	"errors"
	"io"

	"github.com/gobwas/ws"
)

// inputBytes is the size of the buffer that a connection always has. Longer
// payloads are read past it.
const inputBytes = 256

// An input cuts what a client sends into frames (RFC 6455, section 5.2). After
// an error that passes it goes on where it was. It is not safe for concurrent
// use.
type input struct {
	src io.Reader
	// early comes before what src has.
	early []byte

	buf        [inputBytes]byte
	start, end int

	// left is how much of the frame's payload is still to be read, and at where
	// in the mask that begins.
	frame ws.Header
	left  int64
	at    int
}

// header reads the header of the next frame, whose payload is read next. The
// payload of the frame before has to have been read.
func (in *input) header() (ws.Header, error) {
	for {
		have := bytes.NewReader(in.buf[in.start:in.end])
		h, err := ws.ReadHeader(have)
		switch {
		case err == nil:
			in.start = in.end - have.Len()
			in.frame, in.left, in.at = h, h.Length, 0
			return h, nil
		case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			return h, &fault{ws.StatusProtocolError, err.Error()}
		}
		if err := in.fill(); err != nil {
			return h, err
		}
	}
}

// payload reads some of the frame's payload into p, which is not empty, without
// the mask.
func (in *input) payload(p []byte) (n int, err error) {
	p = p[:min(int64(len(p)), in.left)]
	if in.start < in.end {
		n = copy(p, in.buf[in.start:in.end])
		in.start += n
	} else {
		n, err = in.read(p)
	}
	if in.frame.Masked {
		ws.Cipher(p[:n], in.frame.Mask, in.at)
	}
	in.at = (in.at + n) % len(in.frame.Mask)
	in.left -= int64(n)
	return n, err
}

// fill reads more into the buffer, which is not full.
func (in *input) fill() error {
	in.end = copy(in.buf[:], in.buf[in.start:in.end])
	in.start = 0 // if nothing was left, all of buf is read into, as conn.rest does
	n, err := in.read(in.buf[in.end:])
	in.end += n
	return err
}

func (in *input) read(p []byte) (int, error) {
	if len(in.early) > 0 {
		n := copy(p, in.early)
		if in.early = in.early[n:]; len(in.early) == 0 {
			in.early = nil
		}
		return n, nil
	}
	return in.src.Read(p)
}
