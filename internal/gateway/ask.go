package gateway

import (
	"errors"
	"net/http"
)

// errNotCreated is why an exchange is aborted whose stream could not be created.
var errNotCreated = errors.New("the stream could not be created")

// A reply is what came of a question that was sent.
type reply struct {
	response *http.Response
	err      error
}

// ask sends the question before the generation runs, for which its stream has to
// be there first.
func (gen *generation) ask() {
	gen.startSpan()
	asked := make(chan reply, 1)
	gen.asked = asked
	go func() {
		response, err := gen.send()
		asked <- reply{response, err}
	}()
}

// answer returns the answer to the question, which it sends unless that was done.
func (gen *generation) answer() (*http.Response, error) {
	if gen.asked == nil {
		return gen.send()
	}
	r := <-gen.asked
	return r.response, r.err
}

// forgo gives up a generation that does not run.
func (gen *generation) forgo() {
	gen.abort(errNotCreated)
	defer gen.forgoSpan()
	if gen.asked == nil {
		return
	}
	if r := <-gen.asked; r.err == nil {
		_ = r.response.Body.Close()
	}
}

// send sends the question to its upstream.
func (gen *generation) send() (*http.Response, error) {
	q := gen.question
	r, err := q.request(gen.ctx)
	if err != nil {
		return nil, err
	}
	response, err := gen.g.call(r, q.upstream, gen.abort)
	gen.g.opts.Observer.Called(q.upstream.Name, q.endpoint.label(), statusOf(response))
	return response, err
}
