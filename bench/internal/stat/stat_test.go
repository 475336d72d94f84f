package stat_test

import (
	"testing"

	"github.com/freshet-stream/freshet/bench/internal/stat"
)

func TestMedian(t *testing.T) {
	for want, s := range map[float64]stat.Sample{0: nil, 2: {3, 1, 2}, 2.5: {4, 1, 2, 3}} {
		if got := s.Median(); got != want {
			t.Errorf("the median of %v is %v, want %v", s, got, want)
		}
	}
}

func TestOver(t *testing.T) {
	q := stat.Sample{4, 9, 1}.Over(stat.Sample{2, 3, 0})
	if len(q) != 2 || q[0] != 2 || q[1] != 3 {
		t.Errorf("got %v, want the quotients 2 and 3", q)
	}
}
