package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/client"
	"github.com/freshet-stream/freshet/memstore"
	"github.com/freshet-stream/freshet/server"
)

// A producer writes, and a follower reads to the end. Both come back by
// themselves whatever happens to their connections.
func Example() {
	store := memstore.New(memstore.Options{})
	defer store.Close()
	s, err := server.New(server.Options{Store: store})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	h := httptest.NewServer(s)
	defer h.Close()

	ctx := context.Background()
	c, err := client.New(h.URL, client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := c.Create(ctx, "answers/42", client.CreateOptions{ContentType: "application/json"}); err != nil {
		log.Fatal(err)
	}
	p, err := c.Producer(ctx, "answers/42", client.ProducerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, token := range []string{`"Hello"`, `", "`, `"world"`} {
		if err := p.Append(ctx, client.Record{Data: []byte(token)}); err != nil {
			log.Fatal(err)
		}
	}
	if err := p.Close(ctx, freshet.Completed); err != nil {
		log.Fatal(err)
	}

	f := c.Follow(ctx, "answers/42", client.FollowOptions{Via: client.WebSocket})
	defer f.Close()
	for {
		record, err := f.Next()
		if errors.Is(err, io.EOF) {
			fmt.Println(err)
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(record.Data))
	}
	// Output:
	// "Hello"
	// ", "
	// "world"
	// the stream is closed: completed
}
