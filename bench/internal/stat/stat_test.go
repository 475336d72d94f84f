package stat_test

import (
	"testing"
	"time"

	"github.com/freshet-stream/freshet/bench/internal/stat"
)

func TestMedian(t *testing.T) {
	for want, s := range map[float64]stat.Sample{0: nil, 2: {3, 1, 2}, 2.5: {4, 1, 2, 3}} {
		if got := s.Median(); got != want {
			t.Errorf("the median of %v is %v, want %v", s, got, want)
		}
	}
}

func TestQuantile(t *testing.T) {
	s := stat.Millis([]time.Duration{3 * time.Millisecond, time.Millisecond, 2 * time.Millisecond})
	for q, want := range map[float64]float64{0: 1, 0.3: 1, 0.5: 2, 0.99: 3, 1: 3} {
		if got := s.Quantile(q); got != want {
			t.Errorf("the quantile %v is %v, want %v", q, got, want)
		}
	}
	if got := (stat.Sample{}).Quantile(0.5); got != 0 {
		t.Errorf("a quantile of none is %v, want 0", got)
	}
}

func TestOver(t *testing.T) {
	q := stat.Sample{4, 9, 1}.Over(stat.Sample{2, 3, 0})
	if len(q) != 2 || q[0] != 2 || q[1] != 3 {
		t.Errorf("got %v, want the quotients 2 and 3", q)
	}
}
