package sse_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/freshet-stream/freshet/sse"
)

func ExampleDecoder() {
	body := strings.NewReader(`retry: 2000
id: 41

: a comment
event: price
data: YHOO
data: +2
id: 42

data: not finished`)

	d := sse.NewDecoder(body, sse.DecoderOptions{})
	for {
		ev, err := d.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Println("the connection broke:", err)
			break
		}
		fmt.Printf("type %q, data %q, id %q\n", ev.Type, ev.Data, ev.ID)
	}
	retry, _ := d.Retry()
	fmt.Printf("reconnect in %v from %q\n", retry, d.LastEventID())

	// Output:
	// type "price", data "YHOO\n+2", id "42"
	// reconnect in 2s from "42"
}

func ExampleDecoderOptions() {
	d := sse.NewDecoder(strings.NewReader("id: 7\n\n: beat\n\ndata: end"), sse.DecoderOptions{
		IDOnly:     true,
		FlushAtEOF: true,
		OnComment:  func(text []byte) { fmt.Printf("comment %q\n", text) },
	})
	for ev, err := d.Next(); err == nil; ev, err = d.Next() {
		fmt.Printf("data %q (%v), id %q\n", ev.Data, ev.Data != nil, ev.ID)
	}

	// Output:
	// data "" (false), id "7"
	// comment "beat"
	// data "end" (true), id "7"
}

func ExampleAppendEvent() {
	b := sse.AppendRetry(nil, time.Second)
	b = sse.AppendEvent(b, "price", []byte("YHOO\n+2"), "42")
	os.Stdout.Write(b)

	// Output:
	// retry: 1000
	// event: price
	// data: YHOO
	// data: +2
	// id: 42
}

// Texts are encoded once each, and joined in events as they are needed.
func ExampleAppendText() {
	one := sse.AppendText(nil, []byte("Once upon\na "))
	two := sse.AppendText(nil, []byte("time"))

	b := append([]byte("data: "), one...)
	b = append(b, two...)
	b = append(b, '\n')
	b = sse.AppendID(b, "2")
	os.Stdout.Write(b)

	// Output:
	// data: Once upon
	// data: a time
	// id: 2
}

func ExampleEncoder() {
	clock := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-store")
		events, response := sse.NewEncoder(w), http.NewResponseController(w)
		for now := range time.Tick(time.Second) {
			if err := events.Event("", now.AppendFormat(nil, time.RFC3339), ""); err != nil {
				return
			}
			if err := response.Flush(); err != nil {
				return
			}
		}
	}
	http.HandleFunc("GET /clock", clock)
}
