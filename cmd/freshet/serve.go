package main

import (
	"context"
	"fmt"
	"io"
	standardlog "log"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/demo"
	"github.com/freshet-stream/freshet/internal/listen"
	"github.com/freshet-stream/freshet/internal/metrics"
	"github.com/freshet-stream/freshet/server"
	"github.com/freshet-stream/freshet/web"
)

// A ServeCmd runs the server.
type ServeCmd struct {
	Listen         string        `default:"127.0.0.1:4437" placeholder:"ADDR" help:"Address to listen on, host:port. Port 0 takes a free one. Beyond loopback this needs --insecure-no-auth."`
	Store          string        `default:"pebble:./freshet-data" placeholder:"STORE" help:"Where streams are kept: pebble:DIR (one server; fsynced), redis://HOST:PORT (a fleet; as durable as that Redis is) or memory: (gone with the process). docs/redis.md has the parameters of the URL."`
	Name           string        `placeholder:"NAME" help:"What the server calls itself, in the header Freshet-Server of its answers and on the page. By default where it listens, with the machine's name if other machines can reach it."`
	Retention      retention     `default:"open=168h,closed=24h" placeholder:"WHEN" help:"How long streams are kept that say nothing of it: after the last append, and after the close. 'forever' keeps them."`
	Heartbeat      time.Duration `default:"15s" help:"After how much silence followers are sent a sign of life."`
	LongPoll       time.Duration `default:"25s" help:"How long a long-poll waits."`
	LogLevel       slog.Level    `default:"info" placeholder:"LEVEL" help:"debug, info, warn or error."`
	AllowHost      []string      `env:"FRESHET_ALLOW_HOST" placeholder:"NAME" help:"Names that the Host header may have, besides loopback."`
	AllowOrigin    []string      `env:"FRESHET_ALLOW_ORIGIN" placeholder:"ORIGIN" help:"Origins, as in https://example.com, whose pages may write and open WebSockets."`
	InsecureNoAuth bool          `env:"FRESHET_INSECURE_NO_AUTH" help:"Listen beyond loopback although anyone who reaches the server may read and write every stream."`
	TLSCert        string        `name:"tls-cert" env:"FRESHET_TLS_CERT" and:"tls" placeholder:"FILE" help:"Certificate chain, in PEM, with which to speak TLS. Taken anew when it changes."`
	TLSKey         string        `name:"tls-key" env:"FRESHET_TLS_KEY" and:"tls" placeholder:"FILE" help:"The key of the certificate, in PEM."`
	WSCompression  bool          `name:"ws-compression" env:"FRESHET_WS_COMPRESSION" help:"Compress WebSocket messages of 512 bytes and more (permessage-deflate) for clients that offer it."`
	DrainDelay     time.Duration `default:"0s" help:"On SIGTERM, for how long the server is served on after /readyz says that it is not ready: as long as the load balancer takes to notice. Without one, 0."`
	DrainWindow    time.Duration `default:"10s" help:"Then, over how long the end of followers is spread, so that they do not all come to the other servers at once. A few need less."`
	DrainGrace     time.Duration `default:"60s" help:"And for how long answers that are being generated may go on, before they are closed as interrupted."`
	MetricsListen  string        `placeholder:"ADDR" help:"Address at which /metrics is served for Prometheus, and nothing else. By default that is where the server listens if that is loopback, and nowhere otherwise."`
	MaxRecord      int           `default:"16777216" placeholder:"BYTES" help:"The largest record."`
	MaxBody        int           `default:"67108864" placeholder:"BYTES" help:"The largest request body that is appended in one step."`
	Window         int           `default:"262144" placeholder:"BYTES" help:"Recent records held in memory of each stream that is followed."`
	Windows        int64         `default:"268435456" placeholder:"BYTES" help:"Recent records held in memory of all streams together."`
	Pages          int64         `default:"33554432" placeholder:"BYTES" help:"Older records held in memory for a moment, for readers that catch up together."`
	Reads          int           `default:"64" placeholder:"COUNT" help:"Reads of the store that are under way for readers at once."`

	upstreamFlags
}

// Help is the text below the flags.
func (ServeCmd) Help() string {
	return `Runs until SIGINT or SIGTERM, and drains then: /readyz answers 503; after
--drain-delay the server stops listening; followers and streamed bodies end over
--drain-window, so that they go on elsewhere from where they were; what is being
generated may finish within --drain-grace. A second signal ends the server at once,
which loses nothing that was acknowledged.

/healthz answers 200 while the process lives, /readyz 200 while it can serve and 503
while it drains or the store does not answer; both whatever the Host.

  freshet serve                            durable in ./freshet-data, on loopback
  freshet serve --store memory: --listen 127.0.0.1:0
  freshet serve --retention open=24h,closed=1h
  freshet serve --tls-cert cert.pem --tls-key key.pem
  FRESHET_UPSTREAM_OPENAI_KEY=sk-... freshet serve --upstream openai=https://api.openai.com/v1
  freshet serve --config freshet.yaml      upstreams from a file:

    upstreams:
      - name: openai
        base: https://api.openai.com/v1
        key_env: OPENAI_API_KEY
      - name: anthropic
        base: https://api.anthropic.com/v1
        key_file: /run/secrets/anthropic
        auth: x-api-key
        models: [claude-*]

OTEL_EXPORTER_OTLP_ENDPOINT, as in http://localhost:4318, and the other standard
variables of OpenTelemetry have a trace of each LLM answer sent there, by OTLP over
HTTP. What was asked and answered is never in it.

HTTP/1.1 and HTTP/2 share the port; without TLS, HTTP/2 is for clients that know
beforehand, such as proxies (h2c).

Every flag can be given as an environment variable, FRESHET_LISTEN and so on.`
}

// Run serves until a signal comes.
func (c *ServeCmd) Run(ctx context.Context, out io.Writer) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	useTwoThreads()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: c.LogLevel}))
	// An HTTP client has no other logger to show what a server sends after its answer,
	// which may be some of an upstream's.
	standardlog.SetOutput(io.Discard)

	certificate, err := c.certificate(log)
	if err != nil {
		return err
	}
	if err := c.checkTimes(); err != nil {
		return err
	}
	upstreams, err := c.upstreams()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", c.Listen, err)
	}
	defer l.Close()
	loopback := isLoopback(l.Addr())
	if !loopback && !c.InsecureNoAuth {
		return fmt.Errorf("%s can be reached from other machines, and there is no auth: anyone could read and write every stream.\nListen on 127.0.0.1, or say --insecure-no-auth if something in front of the server keeps others out", c.Listen)
	}
	store, err := openStore(c.Store, log)
	if err != nil {
		return err
	}
	defer func() {
		if err := store.Close(); err != nil {
			log.Error("close store", "error", err)
		}
	}()
	figures := metrics.New(version())
	store.Store = figures.Store(store.Store)
	opts := c.options(store, log, l.Addr(), loopback)
	opts.Upstreams = upstreams
	opts.Observer = figures.Observer()
	stopMetrics, err := c.serveMetrics(figures.Handler(log), &opts)
	if err != nil {
		return err
	}
	defer stopMetrics()
	tracer, stopTracing, err := startTracing(opts.Name, log)
	if err != nil {
		return err
	}
	defer stopTracing()
	opts.TracerProvider = tracer
	fs, err := server.New(opts)
	if err != nil {
		return err
	}
	defer fs.Close()
	figures.Watch(fs, c.limits())
	hs := listen.NewServer(fs, c.Heartbeat, log)
	hs.ConnContext = demo.ConnContext
	wrapped, url := listen.Problems(l), "http://"+reachable(l.Addr())
	if certificate != nil {
		wrapped, url = listen.TLS(l, certificate, log), secureURL(l.Addr(), loopback, certificate.Leaf())
	}
	served := make(chan error, 1)
	go func() { served <- hs.Serve(wrapped) }()
	c.greet(out, url, loopback, store.about, upstreams)
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	// From here on a signal has its own effect again: the end.
	stop()
	return c.drain(hs, fs, log)
}

func (c *ServeCmd) options(store opened, log *slog.Logger, addr net.Addr, loopback bool) server.Options {
	opts := server.Options{
		Store: store.Store, Logger: log,
		Heartbeat: c.Heartbeat, LongPoll: c.LongPoll,
		KeepOpen: c.Retention.open, KeepClosed: c.Retention.closed,
		DrainWindow: orNone(c.DrainWindow), DrainGrace: orNone(c.DrainGrace),
		Limits:      freshet.Limits{Record: c.MaxRecord, Append: c.MaxBody},
		WindowBytes: c.Window, WindowsBytes: c.Windows, PagesBytes: c.Pages, Reads: c.Reads,
		Loopback: loopback, AllowHosts: c.AllowHost, AllowOrigins: c.AllowOrigin,
		Name: c.serverName(addr, loopback), WebSocketCompression: c.WSCompression,
		ChatModel: c.ChatModel, UpstreamHead: c.UpstreamHeaderTimeout, UpstreamStall: c.UpstreamStallTimeout, DisconnectGrace: c.DisconnectGrace,
		GenerationLease: c.GenerationLease,
	}
	if loopback {
		opts.Page = web.Handler(web.Options{Name: opts.Name, Version: version(), Store: store.about})
	}
	return opts
}

// useTwoThreads lets Go run on two threads where there is one core: while one
// waits for the disk in fsync, which does not count as waiting for the first
// while, the other serves.
func useTwoThreads() {
	if os.Getenv("GOMAXPROCS") == "" && runtime.GOMAXPROCS(0) == 1 {
		runtime.GOMAXPROCS(2)
	}
}

// greet says what runs and how to try it.
func (c *ServeCmd) greet(out io.Writer, url string, loopback bool, about string, upstreams []server.Upstream) {
	auth := "none (loopback only)"
	if !loopback {
		auth = "none, and other machines can reach this server (--insecure-no-auth)"
	}
	fmt.Fprintf(out, "freshet %s\n\n", version())
	fmt.Fprintf(out, "  store: %s\n", about)
	fmt.Fprintf(out, "  retention: %s\n", c.Retention)
	fmt.Fprintf(out, "  auth: %s\n", auth)
	greetUpstreams(out, upstreams)
	if loopback {
		fmt.Fprintf(out, "  page: %s/\n", url)
		fmt.Fprintf(out, "  chat: %s/chat\n", url)
	}
	fmt.Fprintf(out, "  try: curl -X PUT -H 'Content-Type: text/plain' -d 'Hello. ' %[1]s/v1/stream/hello; curl -N -H 'Accept: text/event-stream' %[1]s/v1/stream/hello\n\n", url)
}

// reachable returns an address as it can be put into a URL on this machine.
func reachable(addr net.Addr) string {
	ap, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return addr.String()
	}
	if ap.Addr().IsUnspecified() {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), ap.Port()).String()
	}
	return ap.String()
}

func isLoopback(addr net.Addr) bool {
	ap, err := netip.ParseAddrPort(addr.String())
	return err == nil && ap.Addr().Unmap().IsLoopback()
}
