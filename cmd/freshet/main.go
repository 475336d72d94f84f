// Command freshet serves streams, appends to them and follows them.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
)

// A cli is the command line.
type cli struct {
	Serve  ServeCmd  `cmd:"" help:"Run the server."`
	Append AppendCmd `cmd:"" help:"Append standard input to a stream, as it arrives."`
	Follow FollowCmd `cmd:"" help:"Write a stream to standard output, as it grows, to its end."`
	Health HealthCmd `cmd:"" help:"Ask a server whether it is well."`

	Version kong.VersionFlag `short:"V" env:"-" help:"Print the version and exit."`
}

const description = `Streams of events that lose nothing: not on a dropped connection, a refresh, a second device or a restarted server.

    freshet serve                              # run a server on 127.0.0.1:4437
    date | freshet append --close hello        # create a stream, append, close it
    freshet follow hello                       # read it to its end, whatever drops

Each flag can be given as an environment variable too: FRESHET_URL for --url.`

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// run runs a command line and returns the status to exit with.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	parser, err := kong.New(&cli{},
		kong.Name("freshet"), kong.Description(description), kong.Vars{"version": "freshet " + version()},
		kong.Writers(stdout, stderr), kong.DefaultEnvars("FRESHET"), kong.WithHyphenPrefixedParameters(true),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, FlagsLast: true}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.BindTo(stdout, (*io.Writer)(nil)),
	)
	if err != nil {
		fmt.Fprintln(stderr, "freshet:", err)
		return exitError
	}
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "freshet: %v\nRun `freshet --help`, or `freshet COMMAND --help`, for what there is.\n", err)
		return exitUsage
	}
	return report(stderr, command.Run())
}
