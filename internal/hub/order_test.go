package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
)

// Guarantees 1, 2 and 5: producers on several servers at once, and followers
// that leave in the middle of a batch and come back with what they saw last, to
// whichever server.
func TestFollowersSeeEveryRecordOnceInOneOrder(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			bubble(t, func(t *testing.T) { orderRound(t, seed) })
		})
	}
}

func orderRound(t *testing.T, seed uint64) {
	const producers, appends, followers = 4, 60, 8
	rng := rand.New(rand.NewPCG(seed, 1))
	store := newStore()
	opts := Options{Store: store}
	if seed%2 == 1 { // windows that hold next to nothing, and hints that tell nothing
		opts = Options{Store: &tap{Store: store, onHint: bareHints}, WindowBytes: 600, PageBytes: 100}
	}
	var hubs []*Hub
	for range 2 + rng.IntN(2) {
		hubs = append(hubs, newHubWith(t, opts))
	}
	create(t, hubs[0], "s")

	var writing, reading sync.WaitGroup
	seen := make([][]string, followers)
	for i := range followers {
		rng := rand.New(rand.NewPCG(seed, uint64(100+i)))
		reading.Go(func() { seen[i] = readInPieces(t, hubs, rng) })
	}
	for i := range producers {
		rng := rand.New(rand.NewPCG(seed, uint64(200+i)))
		writing.Go(func() {
			for k := range appends {
				var a []string
				for r := range 1 + rng.IntN(3) {
					a = append(a, fmt.Sprintf("%d-%d-%d", i, k, r))
				}
				if _, err := hubs[rng.IntN(len(hubs))].Append(t.Context(), "s", text(a...)); err != nil {
					t.Errorf("append: %v", err)
				}
				time.Sleep(time.Duration(rng.IntN(20)) * time.Millisecond)
			}
		})
	}
	writing.Wait()
	closeStream(t, hubs[0], "s")
	reading.Wait()

	page, err := store.Read(t.Context(), "s", freshet.Offset{}, freshet.Limit{})
	if err != nil || len(page.Records) < producers*appends {
		t.Fatalf("store has %d records, error %v", len(page.Records), err)
	}
	var want []string
	for _, r := range page.Records {
		want = append(want, string(r.Data))
	}
	for i := range seen {
		if !slices.Equal(seen[i], want) {
			t.Errorf("follower %d saw %d records of %d, or others", i, len(seen[i]), len(want))
		}
	}
}

// readInPieces reads a stream to its end, leaving at random.
func readInPieces(t *testing.T, hubs []*Hub, rng *rand.Rand) (seen []string) {
	var at freshet.Offset
	for {
		f, err := hubs[rng.IntN(len(hubs))].Follow(t.Context(), "s", from(at))
		if err != nil {
			t.Errorf("follow: %v", err)
			return nil
		}
		for range rng.IntN(6) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			b, err := f.Next(ctx)
			cancel()
			if errors.Is(err, io.EOF) {
				f.Close()
				return seen
			}
			if err != nil || b.Gap != nil {
				t.Errorf("after %d records: gap %v, error %v", len(seen), b.Gap, err)
				f.Close()
				return nil
			}
			take := b.Len()
			if rng.IntN(2) == 0 {
				take = rng.IntN(take + 1)
			}
			for i := range take {
				seen = append(seen, string(b.Record(i).Data))
				at = b.Record(i).Offset
			}
			if take < b.Len() {
				break
			}
		}
		f.Close()
		time.Sleep(time.Duration(rng.IntN(50)) * time.Millisecond)
	}
}

// Guarantee 3: nothing is shown that the store has not committed.
func TestNothingIsShownBeforeItIsCommitted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		landed := make(chan struct{})
		store := &tap{Store: newStore()}
		store.onAppend = func(_ context.Context, _ freshet.Call, pass func() ([]freshet.Result, error)) ([]freshet.Result, error) {
			<-landed
			return pass()
		}
		h := newHub(t, store)
		create(t, h, "s")
		f := follow(t, h, "s", FollowOptions{})
		var wg sync.WaitGroup
		wg.Go(func() { appendText(t, h, "s", "one") })
		wantQuiet(t, f, time.Minute)
		close(landed)
		wantText(t, f, "one")
		wg.Wait()
	})
}
