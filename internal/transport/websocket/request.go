package websocket

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/ingest"
	"github.com/freshet-stream/freshet/internal/problem"
)

// The operations of clients.
const (
	opFollow   = "follow"
	opUnfollow = "unfollow"
	opAppend   = "append"
	opClose    = "close"
	opAuth     = "auth"
)

const (
	// maxIDBytes bounds the id of an operation.
	maxIDBytes = 256
	// maxWait bounds for how long a stream is waited for.
	maxWait = 300 * time.Second
)

// A request is an operation that a client asks for.
type request struct {
	Op string `json:"op"`
	// ID is a JSON string or number, or nothing.
	ID       json.RawMessage `json:"id"`
	Stream   string          `json:"stream"`
	Offset   string          `json:"offset"`
	Wait     float64         `json:"wait"` // seconds
	Records  []requestRecord `json:"records"`
	Producer *struct {
		ID    string  `json:"id"`
		Epoch *uint64 `json:"epoch"`
		Seq   *uint64 `json:"seq"`
	} `json:"producer"`
	Reason string `json:"reason"`
}

type requestRecord struct {
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

// readRequest reads an operation. The error is [problem.ErrMessage]; the id is
// then set all the same if it could be read.
func readRequest(message []byte) (request, error) {
	var r request
	if err := json.Unmarshal(message, &r); err != nil {
		var id struct {
			ID json.RawMessage `json:"id"`
		}
		_ = json.Unmarshal(message, &id)
		r = request{ID: id.ID}
		if checkID(r.ID) != nil {
			r.ID = nil
		}
		return r, badMessage(err)
	}
	if err := checkID(r.ID); err != nil {
		r.ID = nil
		return r, err
	}
	switch r.Op {
	case "":
		return r, problem.ErrMessage.With(`the message has no "op"; send follow, unfollow, append or close`)
	case opFollow, opUnfollow, opAppend, opClose, opAuth:
		return r, nil
	}
	return r, problem.ErrMessage.With("the operation %.32q is unknown; send follow, unfollow, append or close", r.Op)
}

// badMessage says what is wrong with a message in words of JSON, not of Go.
func badMessage(err error) error {
	var syntax *json.SyntaxError
	var typed *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return problem.ErrMessage.With("the message is not valid JSON at byte %d: %v", syntax.Offset, err)
	case errors.As(err, &typed) && typed.Field == "":
		return problem.ErrMessage.With("the message is a JSON %.32s and has to be an object", typed.Value)
	case errors.As(err, &typed):
		return problem.ErrMessage.With("%.64q cannot be a JSON %.32s", typed.Field, typed.Value)
	}
	return problem.ErrMessage.With("the message cannot be understood as JSON")
}

func checkID(id json.RawMessage) error {
	switch {
	case len(id) > maxIDBytes:
		return problem.ErrMessage.With(`the "id" has %d bytes and may have %d`, len(id), maxIDBytes)
	case len(id) == 0, id[0] == '"', id[0] == '-', id[0] >= '0' && id[0] <= '9':
		return nil
	}
	return problem.ErrMessage.With(`the "id" has to be a string or a number`)
}

// wait returns for how long a missing stream is to be waited for.
func (r *request) wait() (time.Duration, error) {
	if !(r.Wait >= 0 && r.Wait <= maxWait.Seconds()) {
		return 0, problem.ErrMessage.With(`"wait" is in seconds, from 0 to %v`, maxWait.Seconds())
	}
	return time.Duration(r.Wait * float64(time.Second)), nil
}

func (r *request) producer() (*freshet.Producer, error) {
	p := r.Producer
	switch {
	case p == nil:
		return nil, nil
	case p.Epoch == nil || p.Seq == nil:
		return nil, freshet.ErrProducer.With(`"producer" needs "id", "epoch" and "seq"`)
	}
	return &freshet.Producer{ID: p.ID, Epoch: *p.Epoch, Seq: *p.Seq}, nil
}

// records returns the records of an append to a stream of a kind. The error is
// [freshet.ErrRecord] or [freshet.ErrEmpty].
func (r *request) records(kind freshet.Kind) ([]freshet.Record, error) {
	records := make([]freshet.Record, len(r.Records))
	for i, given := range r.Records {
		var err error
		if records[i], err = given.record(kind); err != nil {
			var coded *freshet.Error
			if errors.As(err, &coded) {
				return nil, coded.With("record %d: %s", i, coded.Detail)
			}
			return nil, err
		}
	}
	return records, nil
}

func (r *requestRecord) record(kind freshet.Kind) (record freshet.Record, err error) {
	switch {
	case len(r.Data) == 0:
		return record, freshet.ErrRecord.With(`"data" is missing`)
	case r.Type != "" && kind != freshet.KindEvents:
		return record, freshet.ErrRecord.With(`only the records of event streams have a "type"`)
	case kind == freshet.KindJSON:
		return ingest.Value(r.Data)
	case kind == freshet.KindBytes:
		if r.Data[0] != '"' || json.Unmarshal(r.Data, &record.Data) != nil {
			return record, freshet.ErrRecord.With(`"data" has to be a string with base64 in it, since the stream is binary`)
		}
	default:
		var text string
		if r.Data[0] != '"' || json.Unmarshal(r.Data, &text) != nil {
			return record, freshet.ErrRecord.With(`"data" has to be a string`)
		}
		record.Type, record.Data = r.Type, []byte(text)
	}
	if len(record.Data) == 0 && kind != freshet.KindEvents {
		return record, freshet.ErrEmpty.With(`"data" is empty`)
	}
	return record, nil
}

// readEvent reads the message of a plain connection that stands for an event.
func readEvent(message []byte) (freshet.Record, error) {
	var r requestRecord
	if err := json.Unmarshal(message, &r); err != nil || bytes.Equal(message, []byte("null")) {
		return freshet.Record{}, freshet.ErrRecord.With(`an event is sent as {"type":"…","data":"…"}`)
	}
	return r.record(freshet.KindEvents)
}
