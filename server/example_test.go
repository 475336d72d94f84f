package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/client"
	"github.com/freshet-stream/freshet/memstore"
	"github.com/freshet-stream/freshet/server"
)

// A server is an http.Handler: mount it in the mux of one's own program.
func ExampleNew() {
	store := memstore.New(memstore.Options{})
	defer store.Close()
	streams, err := server.New(server.Options{Store: store})
	if err != nil {
		log.Fatal(err)
	}
	defer streams.Close()

	mux := http.NewServeMux()
	mux.Handle("/v1/", streams)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "the rest of the program") })
	web := httptest.NewServer(mux)
	defer web.Close()

	request, _ := http.NewRequest(http.MethodPut, web.URL+"/v1/stream/greeting", nil)
	request.Header.Set("Content-Type", "text/plain")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	fmt.Println(response.Status)
	// Output: 201 Created
}

// What the same process appends wakes followers over every transport.
func ExampleServer_Append() {
	ctx := context.Background()
	store := memstore.New(memstore.Options{})
	defer store.Close()
	streams, err := server.New(server.Options{Store: store})
	if err != nil {
		log.Fatal(err)
	}
	defer streams.Close()
	web := httptest.NewServer(streams)
	defer web.Close()

	_, _, err = streams.Create(ctx, "answer", freshet.Creation{Spec: freshet.Spec{ContentType: "text/plain"}})
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for _, token := range []string{"Hello", ", ", "world", "."} {
			_, _ = streams.Append(ctx, "answer", freshet.Append{Records: []freshet.Record{{Data: []byte(token)}}})
		}
		_, _ = streams.Append(ctx, "answer", freshet.Append{Close: &freshet.Closing{Reason: freshet.Completed}})
	}()

	c, err := client.New(web.URL, client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	follower := c.Follow(ctx, "answer", client.FollowOptions{})
	defer follower.Close()
	for {
		record, err := follower.Next()
		var end *client.EndError
		if errors.As(err, &end) {
			fmt.Printf(" (%s)\n", end.Reason)
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s", record.Data)
	}
	// Output: Hello, world. (completed)
}

// A program may follow its own streams without HTTP.
func ExampleServer_Follow() {
	ctx := context.Background()
	store := memstore.New(memstore.Options{})
	defer store.Close()
	streams, err := server.New(server.Options{Store: store})
	if err != nil {
		log.Fatal(err)
	}
	defer streams.Close()

	_, _, err = streams.Create(ctx, "job", freshet.Creation{First: &freshet.Append{
		Records: []freshet.Record{{Data: []byte("done")}},
		Close:   &freshet.Closing{Reason: freshet.Completed},
	}})
	if err != nil {
		log.Fatal(err)
	}
	follower, err := streams.Follow(ctx, "job", freshet.Cursor{})
	if err != nil {
		log.Fatal(err)
	}
	defer follower.Close()
	for {
		update, err := follower.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		for _, record := range update.Records {
			fmt.Printf("%s\n", record.Data)
		}
		if update.Closed != nil {
			fmt.Println(update.Closed.Reason)
		}
	}
	// Output:
	// done
	// completed
}
