package pebblestore

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/freshet-stream/freshet"
)

// specVersion is the first byte of a spec.
const specVersion = 1

var errDamaged = errors.New("the value is damaged")

// appendSpec writes what never changes of a stream.
func appendSpec(dst []byte, inc uint64, s *freshet.State) []byte {
	spec := &s.Info.Spec
	dst = append(dst, specVersion)
	dst = binary.AppendUvarint(dst, inc)
	dst = append(dst, s.Creator[:]...)
	dst = appendTime(dst, s.Info.Created)
	dst = appendBytes(dst, spec.ContentType)
	dst = binary.AppendUvarint(dst, uint64(spec.TTL))
	dst = binary.AppendUvarint(dst, uint64(spec.KeepOpen))
	dst = binary.AppendUvarint(dst, uint64(spec.KeepClosed))
	dst = binary.AppendUvarint(dst, spec.Retain.Records)
	dst = binary.AppendUvarint(dst, uint64(spec.Retain.Bytes))
	dst = binary.AppendUvarint(dst, uint64(spec.Retain.Age))
	if spec.Expires.IsZero() {
		dst = append(dst, 0)
	} else { // to the nanosecond, since it is what the client sent
		dst = append(dst, 1)
		dst = binary.AppendVarint(dst, spec.Expires.Unix())
		dst = binary.AppendUvarint(dst, uint64(spec.Expires.Nanosecond()))
	}
	if spec.Fork == nil {
		return append(dst, 0)
	}
	dst = append(dst, 1)
	dst = appendBytes(dst, spec.Fork.Source)
	return appendOffset(dst, spec.Fork.At)
}

// decodeSpec is the inverse of appendSpec. It sets the fields of s.
func decodeSpec(value []byte, s *freshet.State) (inc uint64, err error) {
	d := decoder{rest: value}
	if v := d.byte(); v != specVersion {
		return 0, errDamaged
	}
	spec := &s.Info.Spec
	inc = d.uint()
	copy(s.Creator[:], d.take(uint64(len(s.Creator))))
	s.Info.Created = d.time()
	spec.ContentType = d.string()
	spec.TTL, spec.KeepOpen, spec.KeepClosed = d.duration(), d.duration(), d.duration()
	spec.Retain = freshet.Retain{Records: d.uint(), Bytes: int64(d.uint()), Age: d.duration()}
	if d.byte() == 1 {
		seconds := d.int()
		spec.Expires = time.Unix(seconds, int64(d.uint())).UTC()
	}
	if d.byte() == 1 {
		spec.Fork = &freshet.Fork{Source: d.string(), At: d.offset()}
	}
	if d.failed {
		return 0, errDamaged
	}
	return inc, nil
}
