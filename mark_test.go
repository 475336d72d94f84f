package freshet

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"testing"
)

// The chain is fixed: stores compute it in scripts of their own.
func TestMarkNext(t *testing.T) {
	nonce := Nonce{0: 0xab, 15: 0x01}
	for _, i := range []int{0, 1, 10, 1 << 40} {
		text := fmt.Sprintf("%016x%s%d", uint64(0xfeed), hex.EncodeToString(nonce[:]), i)
		sum := sha1.Sum([]byte(text))
		if got, want := fmt.Sprintf("%016x", uint64(Mark(0xfeed).Next(nonce, i))), hex.EncodeToString(sum[:8]); got != want {
			t.Errorf("append %d: %s, want %s", i, got, want)
		}
	}
}

func TestMarksDiffer(t *testing.T) {
	nonce := NewNonce()
	seen := map[Mark]bool{}
	for _, m := range []Mark{
		NewMark(), NewMark(), Mark(1).Next(nonce, 0), Mark(1).Next(nonce, 1), Mark(2).Next(nonce, 0), Mark(1).Next(NewNonce(), 0),
	} {
		if m == 0 || seen[m] {
			t.Fatalf("the mark %x comes twice", m)
		}
		seen[m] = true
	}
}

func BenchmarkMarkNext(b *testing.B) {
	m, nonce := NewMark(), NewNonce()
	b.ReportAllocs()
	for b.Loop() {
		m = m.Next(nonce, 3)
	}
}
