// Command go is a chat in the terminal, through Freshet. It goes on with an
// answer that was cut, and Ctrl-C stops the answer, at the model too.
//
//	go run ./examples/go -url http://127.0.0.1:4437 -model demo
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	url := flag.String("url", "http://127.0.0.1:4437", "where freshet serve is")
	model := flag.String("model", "demo", "the model to ask")
	flag.Parse()
	if err := run(*url, *model); err != nil {
		fmt.Fprintln(os.Stderr, "chat:", err)
		os.Exit(1)
	}
}

func run(url, model string) error {
	c, err := newChat(url, model, os.Stdout)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for prompt(); lines.Scan(); prompt() {
		ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt)
		// A second Ctrl-C ends the program.
		context.AfterFunc(ctx, restore)
		err := c.ask(ctx, lines.Text())
		restore()
		if err != nil {
			fmt.Fprintf(os.Stderr, "\n[%v]\n", err)
		}
	}
	return lines.Err()
}

func prompt() { fmt.Fprint(os.Stderr, "\n> ") }
