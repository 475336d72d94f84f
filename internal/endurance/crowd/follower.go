package main

import (
	"bufio"
	"bytes"
	"fmt"
	"log"
	"net"
	"net/http"
	"strconv"
	"time"
)

// A follower follows one stream, whose records are JSON strings that begin with
// their number.
type follower struct {
	tally         *tally
	stream, query string
	// at is the number of the last record, and cursor the last id.
	at     int
	cursor string
}

// again is after what time a server is asked again that could not be reached.
const again = 50 * time.Millisecond

// run follows until the stream ends, first at one server and then at another, and
// asks once more after the end, as EventSource does.
func (f *follower) run(first, then string) {
	t, addr := f.tally, first
	if !f.follow(first, &t.state.Connected) {
		t.count(&t.state.Lost)
		addr = then
		if !f.follow(then, &t.state.Back) {
			log.Fatalf("a follower at record %d has lost the server to which it came back", f.at)
		}
	}
	t.count(&t.state.Ended)
	conn := f.dial(addr)
	defer conn.Close()
	response, err := f.ask(conn, addr)
	if err != nil || response.StatusCode != http.StatusNoContent {
		log.Fatalf("stream %s after its end: %+v, %v", f.stream, response, err)
	}
	t.count(&t.state.Stopped)
}

// follow follows at one server, and reports whether the stream has ended. Once it
// is answered it counts that.
func (f *follower) follow(addr string, answered *int) (ended bool) {
	conn := f.dial(addr)
	defer conn.Close()
	response, err := f.ask(conn, addr)
	if err != nil {
		return false
	}
	if response.StatusCode != http.StatusOK {
		log.Fatalf("stream %s after record %d: %s", f.stream, f.at, response.Status)
	}
	f.tally.count(answered)
	return f.read(bufio.NewReaderSize(response.Body, 1<<10))
}

// ask asks a server for the stream after the follower's cursor.
func (f *follower) ask(conn net.Conn, addr string) (*http.Response, error) {
	cursor := ""
	if f.cursor != "" {
		cursor = "Last-Event-ID: " + f.cursor + "\r\n"
	}
	fmt.Fprintf(conn, "GET /v1/stream/%s%s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n%s\r\n", f.stream, f.query, addr, cursor)
	return http.ReadResponse(bufio.NewReaderSize(conn, 1<<10), nil)
}

func (f *follower) dial(addr string) net.Conn {
	for {
		conn, err := net.Dial("tcp4", addr)
		if err == nil {
			return conn
		}
		f.tally.count(&f.tally.state.Refused)
		time.Sleep(again)
	}
}

// read reads events until the stream's end, or that of the connection.
func (f *follower) read(lines *bufio.Reader) (ended bool) {
	kind, id, number := "", f.cursor, 0
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return false
		}
		name, value, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(": "))
		switch string(name) {
		case "event":
			kind = string(value)
		case "data":
			number = numberOf(value)
		case "id":
			id = string(value)
		case "": // only a whole event counts, and its id
			f.cursor = id
			switch {
			case kind == "stream-closed":
				return true
			case kind != "":
				log.Fatalf("stream %s after record %d: %s", f.stream, f.at, kind)
			case number > 0:
				f.take(number)
			}
			kind, number = "", 0
		}
	}
}

// numberOf returns the number with which a record begins, or 0.
func numberOf(data []byte) int {
	digits, _, _ := bytes.Cut(bytes.TrimPrefix(data, []byte(`"`)), []byte(" "))
	n, _ := strconv.Atoi(string(digits))
	return n
}

// take takes a record, which has to be the next, with the id after it.
func (f *follower) take(number int) {
	seq, _ := strconv.Atoi(f.cursor[:16])
	isFirst := f.at == 0 && f.query != ""
	if number != f.at+1 && !isFirst || seq != number {
		log.Fatalf("stream %s: after record %d comes %d with the id %s", f.stream, f.at, number, f.cursor)
	}
	f.tally.move(f.at, number)
	f.at = number
}
