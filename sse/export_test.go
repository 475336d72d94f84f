package sse

// DecoderMemory returns the size of the buffers that d holds, in bytes.
func DecoderMemory(d *Decoder) int {
	return cap(d.in.buf) + cap(d.id) + cap(d.block.id) + cap(d.block.typ) + cap(d.block.joined)
}
