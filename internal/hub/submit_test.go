package hub

import (
	"errors"
	"testing"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/memstore"
)

// What is submitted lands in order, also from where another one landed.
func TestSubmit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, &lossy{})
		create(t, h, "s")
		f := follow(t, h, "s", FollowOptions{})
		a, err := h.Appender("s")
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		var submit func(left int) error
		landed := make(chan freshet.Offset, 10)
		submit = func(left int) error {
			record := freshet.Record{Data: []byte{byte('0' + left)}}
			return a.Submit(freshet.Append{Records: []freshet.Record{record}}, func(r freshet.Result, err error) {
				if err == nil && left > 1 {
					err = submit(left - 1)
				}
				if err != nil {
					t.Error(err)
				}
				landed <- r.Tail
			})
		}
		if err := submit(3); err != nil {
			t.Fatal(err)
		}
		for seq := range uint64(3) {
			if tail := <-landed; tail.Seq != seq+1 {
				t.Errorf("the append number %d landed as %d", seq+1, tail.Seq)
			}
		}
		wantText(t, f, "3", "2", "1")
	})
}

// What is refused is told to the one who submits, or to the one who is told.
func TestSubmitIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := New(Options{Store: memstore.New(memstore.Options{}), QueueAppends: 1})
		a, err := h.Appender("nowhere")
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		never := func(freshet.Result, error) { t.Error("somebody was told of what was not submitted") }
		if err := a.Submit(freshet.Append{}, never); err == nil {
			t.Error("an append of nothing was taken")
		}
		record := freshet.Append{Records: []freshet.Record{{Data: []byte("x")}}}
		told := make(chan error, 1)
		err = a.Submit(record, func(_ freshet.Result, err error) {
			// This one waits for the call after, and has no room beside it.
			again := a.Submit(record, func(_ freshet.Result, err error) { told <- err })
			full := a.Submit(record, never)
			if again != nil || !errors.Is(full, freshet.ErrOverloaded) {
				t.Errorf("of two more, one was told %v and the other %v", again, full)
			}
			told <- err
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := <-told; !errors.Is(err, freshet.ErrNotFound) {
				t.Errorf("an append to a stream that does not exist was told %v", err)
			}
		}
		h.Close()
		if err := a.Submit(record, never); !errors.Is(err, freshet.ErrShutdown) {
			t.Errorf("after the end one was told %v", err)
		}
	})
}
