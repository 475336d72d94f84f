package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/dialect"
	"github.com/freshet-stream/freshet/internal/problem"
)

const (
	// chat is the path to which the AI SDK's useChat posts; below it an answer is
	// taken up again and stopped.
	chat = "/chat"
	// chatPrefix is what the names begin with of the streams that say which
	// generation is the current one of a conversation.
	chatPrefix = "chat/"
	// messageBytes is how long the id of a message may be.
	messageBytes = 256
	// chatRecords is how many generations the stream of a conversation names.
	chatRecords = 1000
)

// chatEndpoint is where a turn of a conversation goes: it is a chat completion,
// told to its caller in chunks of the AI SDK.
var chatEndpoint = endpoint{path: chat, to: "/chat/completions", dialect: dialect.Chat{}}

// A chatMeta is what the stream of a conversation says of it, and what each of its
// records says of a turn.
type chatMeta struct {
	Generation string `json:"generation"`
	Stream     string `json:"stream"`
}

func isChat(path string) bool { return path == chat || strings.HasPrefix(path, chat+"/") }

// serveChat answers what the AI SDK's DefaultChatTransport asks for: POST on chat
// for an answer, GET on ID/stream for the one that is under way, and what its
// documentation prescribes for stopping it, POST on ID/stop.
func (g *Gateway) serveChat(w http.ResponseWriter, r *http.Request, path string) error {
	rest, i := strings.TrimPrefix(path, chat), strings.LastIndexByte(path, '/')
	method, serve := http.MethodPost, g.serveTurn
	switch below := path[i+1:]; {
	case rest == "":
	case below == "stream":
		method, serve = http.MethodGet, g.serveTurnAgain
	case below == "stop":
		serve = g.stopTurn
	default:
		return problem.ErrPath
	}
	if r.Method != method {
		problem.WriteMethod(w, r, method)
		return nil
	}
	name := ""
	if rest != "" {
		var err error
		if i == len(chat) {
			return problem.ErrPath
		}
		if name, err = conversation(path[len(chat)+1 : i]); err != nil {
			return err
		}
	}
	return serve(w, r, name)
}

// conversation returns the name of the stream of a conversation whose id is in a
// path. Some versions of the AI SDK escape a slash in it, others do not.
func conversation(escaped string) (name string, err error) {
	id, err := url.PathUnescape(escaped)
	if err != nil {
		return "", freshet.ErrName.With("the id of the conversation is badly escaped: %v", err)
	}
	name = chatPrefix + id
	return name, freshet.ValidateName(name)
}

// serveTurn begins an answer, lets the conversation name it, and tells it.
func (g *Gateway) serveTurn(w http.ResponseWriter, r *http.Request, _ string) error {
	body, err := g.readBody(w, r)
	if err != nil {
		return err
	}
	turn, err := dialect.ParseTurn(body, g.opts.ChatModel)
	if err != nil {
		return problem.ErrChat.With("%v", err)
	}
	name := chatPrefix + turn.Chat
	if err := freshet.ValidateName(name); err != nil {
		return err
	}
	q, err := g.newQuestion(r, &chatEndpoint, turn.Request)
	if err != nil {
		return err
	}
	if q.model == "" {
		return problem.ErrChat.With("the request names no model: give the transport one, as in body: {model: NAME}, or the server, with --chat-model")
	}
	if jsonBytes(turn.Message) > messageBytes {
		return problem.ErrChat.With("the id of the last message has more than %d bytes", messageBytes)
	}
	q.query, q.digest, q.message = "", digest(body), turn.Message
	key, err := keyOf(r)
	if err != nil {
		return err
	}
	id, created, err := g.start(r.Context(), q, key)
	if err != nil {
		return err
	}
	if created {
		if err := g.point(r.Context(), name, id); err != nil {
			g.abandon(r.Context(), id)
			return err
		}
	}
	g.opts.Observer.Came(chat, arrival(created))
	return g.relay(w, r, id, beginning())
}

// point lets a conversation name its current generation. Earlier ones stay named
// in its records; nothing is ever cleared.
func (g *Gateway) point(ctx context.Context, name, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), createTime)
	defer cancel()
	named, err := json.Marshal(chatMeta{Generation: id, Stream: genPrefix + id})
	if err != nil {
		panic(err) // strings can be marshalled
	}
	a := freshet.Append{Records: []freshet.Record{{Data: named}}, Meta: named}
	_, created, err := g.opts.Hub.Create(ctx, name, freshet.Creation{
		Spec: freshet.Spec{
			ContentType: "application/json", Retain: freshet.Retain{Records: chatRecords},
			KeepOpen: g.opts.KeepOpen, KeepClosed: g.opts.KeepClosed,
		},
		Meta:  named,
		First: &freshet.Append{Records: a.Records},
	})
	if err == nil && !created {
		_, err = g.opts.Hub.Append(ctx, name, a)
	}
	if err != nil {
		return fmt.Errorf("name generation in %q: %w", name, err)
	}
	return nil
}

// abandon stops a generation that no conversation names. Its question, if it comes
// again under its key, has it asked for anew.
func (g *Gateway) abandon(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), createTime)
	defer cancel()
	if err := g.close(ctx, id, closingFor(freshet.Failed, dialect.CodeUpstream, "The conversation could not name its answer.")); err != nil {
		g.opts.Logger.Warn("stop generation", "stream", genPrefix+id, "error", err)
	}
}

// stop closes the stream of a generation as cancelled, unless it has ended.
func (g *Gateway) stop(ctx context.Context, id string) error {
	return g.close(ctx, id, &freshet.Closing{Reason: freshet.Cancelled})
}

// close closes the stream of a generation unless it has ended.
func (g *Gateway) close(ctx context.Context, id string, c *freshet.Closing) error {
	_, err := g.opts.Hub.Append(ctx, genPrefix+id, freshet.Append{Close: c})
	if err != nil && !isOver(err) {
		return err
	}
	return nil
}

// current returns the generation that a conversation names, if it is under way:
// id is "" if there is none. Whoever is not the one that asked for it finds
// nothing.
func (g *Gateway) current(r *http.Request, name string) (id string, err error) {
	info, err := g.opts.Hub.Info(r.Context(), name)
	if errors.Is(err, freshet.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var named chatMeta
	if err := json.Unmarshal(info.Meta, &named); err != nil {
		return "", fmt.Errorf("read meta of %q: %w", name, err)
	}
	info, err = g.opts.Hub.Info(r.Context(), genPrefix+named.Generation)
	switch {
	case errors.Is(err, freshet.ErrNotFound):
		return "", nil
	case err != nil:
		return "", err
	case info.Closed != nil:
		return "", nil
	}
	meta, err := metaOf(&info)
	if err == nil && meta.Principal != principalOf(r.Header) {
		err = freshet.ErrNotFound
	}
	return named.Generation, err
}

// serveTurnAgain tells the answer that is under way from its first chunk on, which
// is how the AI SDK takes it up after a reload.
func (g *Gateway) serveTurnAgain(w http.ResponseWriter, r *http.Request, name string) error {
	id, err := g.current(r, name)
	if err != nil {
		return err
	}
	if id == "" {
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	g.opts.Observer.Came(chat, ArrivedChat)
	return g.relay(w, r, id, beginning())
}

// stopTurn stops the answer that is under way. A body may say which one is meant,
// so that a late stop does not end the next one.
func (g *Gateway) stopTurn(w http.ResponseWriter, r *http.Request, name string) error {
	body, err := g.readBody(w, r)
	if err != nil {
		return err
	}
	var meant struct {
		ActiveStreamID string `json:"activeStreamId"`
	}
	if len(body) > 0 && json.Unmarshal(body, &meant) != nil {
		return problem.ErrChat.With(`read stop: the body may be empty or {"activeStreamId": ID}`)
	}
	id, err := g.current(r, name)
	if err != nil {
		return err
	}
	which := strings.TrimPrefix(meant.ActiveStreamID, genPrefix)
	if id != "" && (which == "" || which == id) {
		if err := g.stop(r.Context(), id); err != nil {
			return err
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
