package demo

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/problem"
)

// Bounds of what one request may ask for, and of all together.
const (
	producersMost = 32
	rateMost      = 200
	tokensMost    = 5000
)

// defaultRate is in tokens per second.
const defaultRate = 20

// started is the answer to POST /v1/demo.
type started struct {
	Stream string `json:"stream"`
}

// serveStart creates a stream and has a producer write a sample answer into it,
// which goes on whether or not anybody reads it. The query may change the rate,
// in tokens per second, and the number of tokens.
func (d *Demo) serveStart(w http.ResponseWriter, r *http.Request) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return problem.ErrQuery.With("the query cannot be parsed: %v", err)
	}
	rate, err := parseNumber(query, "rate", defaultRate, rateMost)
	if err != nil {
		return err
	}
	answer := sampleTokens()
	n, err := parseNumber(query, "tokens", len(answer), tokensMost)
	if err != nil {
		return err
	}
	tooMany := freshet.ErrOverloaded.With("%d sample answers are being written, which is as many as may be; wait for one to end, or stop one", producersMost)
	if err := d.begin(&d.producers, producersMost, tooMany); err != nil {
		return err
	}
	ctx, done, err := d.opts.Work.Begin()
	if err != nil {
		d.end(&d.producers)
		return err
	}
	end := func() {
		done()
		d.end(&d.producers)
	}
	name := "demo/" + strings.ToLower(rand.Text()[:8])
	_, _, err = d.opts.Hub.Create(r.Context(), name, freshet.Creation{
		Spec:  freshet.Spec{ContentType: "text/plain; charset=utf-8", KeepClosed: d.opts.KeepClosed},
		First: &freshet.Append{Lease: lease},
	})
	if err != nil {
		end()
		return err
	}
	go func() {
		defer end()
		p := producer{hub: d.opts.Hub, log: d.opts.Logger, name: name, gap: time.Second / time.Duration(rate)}
		p.run(ctx, answer, n)
	}()
	body, err := json.Marshal(started{name})
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Location", "/v1/stream/"+freshet.EscapeName(name))
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(append(body, '\n'))
	return nil
}

// parseNumber reads a parameter that is a number from 1 to most.
func parseNumber(query url.Values, name string, def, most int) (int, error) {
	s := query.Get(name)
	if s == "" {
		return def, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > most {
		return 0, problem.ErrQuery.With("%s is %.32q and has to be a number from 1 to %d", name, s, most)
	}
	return n, nil
}
