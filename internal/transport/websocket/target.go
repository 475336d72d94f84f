package websocket

import (
	"context"
	"errors"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/hub"
)

// A target is a stream that a connection appends to, with its content type as
// it was when last looked at. It is not safe for concurrent use.
type target struct {
	hub         *hub.Hub
	name        string
	contentType string
}

// checkTarget returns the error for a name under which clients may not append.
func checkTarget(name string) error {
	if err := freshet.ValidateName(name); err != nil {
		return err
	}
	if first := freshet.Reserved(name); first != "" && first != "demo" {
		return freshet.ErrReserved.With("clients may read, follow and close streams under %s/, but not append to them", first)
	}
	return nil
}

// look learns the stream's content type.
func (t *target) look(ctx context.Context) error {
	info, err := t.hub.Info(ctx, t.name)
	t.contentType = info.Spec.ContentType
	return err
}

// append appends what build makes of records for the kind of the stream. If the
// stream turns out to be another one by now, it is done again for that one.
func (t *target) append(ctx context.Context, producer *freshet.Producer, build func(freshet.Kind) ([]freshet.Record, error)) (freshet.Result, error) {
	if t.contentType == "" {
		if err := t.look(ctx); err != nil {
			return freshet.Result{Err: err}, err
		}
	}
	for {
		result, err := t.try(ctx, producer, build)
		if !errors.Is(err, freshet.ErrTypeMismatch) && !errors.Is(err, freshet.ErrRecord) {
			return result, err
		}
		old := t.contentType
		if look := t.look(ctx); look != nil || t.contentType == old {
			return result, err
		}
	}
}

func (t *target) try(ctx context.Context, producer *freshet.Producer, build func(freshet.Kind) ([]freshet.Record, error)) (freshet.Result, error) {
	records, err := build(freshet.KindOf(t.contentType))
	if err != nil {
		return freshet.Result{Err: err}, err
	}
	return t.hub.Append(ctx, t.name, freshet.Append{Records: records, ContentType: t.contentType, Producer: producer})
}
