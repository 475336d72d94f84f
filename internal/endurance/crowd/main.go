// Command crowd follows streams over thousands of connections, as people would
// with EventSource, and comes back with its cursors when it loses its server: at
// once, and to others. It is for the tests of package endurance, which build it
// without the race detector, since that does not bear so many goroutines.
//
// It ends when all streams have, and writes a report in a line of JSON each tenth
// of a second. What a follower must not see ends it with status 1.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
	"sync"
	"time"
)

func main() {
	count := flag.Int("followers", 1, "how many there are")
	streams := flag.Int("streams", 1, "over how many streams, named 0, 1, …, they are spread")
	first := flag.String("first", "", "the server to which they connect, host:port")
	then := flag.String("then", "", "the servers to which they come back, separated by commas")
	rate := flag.Int("rate", 4000, "how many connect in a second; they come back at once")
	now := flag.Bool("now", false, "begin with what is appended from now on, and not at the beginning")
	flag.Parse()
	log.SetFlags(0)

	var tally tally
	var crowd sync.WaitGroup
	connect := time.NewTicker(time.Second / time.Duration(*rate))
	others := strings.Split(*then, ",")
	go func() {
		for range time.Tick(100 * time.Millisecond) {
			report(&tally)
		}
	}()
	for i := range *count {
		<-connect.C
		f := &follower{tally: &tally, stream: fmt.Sprint(i % *streams)}
		if *now {
			f.query = "?offset=now"
		}
		crowd.Go(func() { f.run(*first, others[i / *streams % len(others)]) })
	}
	crowd.Wait()
	report(&tally)
}

func report(t *tally) {
	if err := json.NewEncoder(os.Stdout).Encode(t.report()); err != nil {
		log.Fatal(err)
	}
}
