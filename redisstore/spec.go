package redisstore

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/freshet-stream/freshet"
)

// A spec is a stream's spec as it is kept, but for its content type. The
// scripts are given its numbers beside it, in milliseconds.
type spec struct {
	TTL           time.Duration `json:"ttl,omitempty"`
	Expires       time.Time     `json:"expires,omitzero"`
	RetainRecords uint64        `json:"retain_records,omitempty"`
	RetainBytes   int64         `json:"retain_bytes,omitempty"`
	RetainAge     time.Duration `json:"retain_age,omitempty"`
	KeepOpen      time.Duration `json:"keep_open,omitempty"`
	KeepClosed    time.Duration `json:"keep_closed,omitempty"`
	Fork          *fork         `json:"fork,omitempty"`
}

type fork struct {
	Source string         `json:"source"`
	At     freshet.Offset `json:"at"`
}

// appendSpec writes the arguments of create.lua that say what the spec is.
func appendSpec(args []string, s *freshet.Spec) ([]string, error) {
	kept := spec{
		TTL: s.TTL, Expires: s.Expires.UTC(), KeepOpen: s.KeepOpen, KeepClosed: s.KeepClosed,
		RetainRecords: s.Retain.Records, RetainBytes: s.Retain.Bytes, RetainAge: s.Retain.Age,
	}
	if s.Fork != nil {
		kept.Fork = &fork{s.Fork.Source, s.Fork.At}
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return nil, fmt.Errorf("encode spec: %w", err)
	}
	contentType := s.ContentType
	if contentType == "" {
		contentType = freshet.DefaultContentType
	}
	expires := ""
	if !s.Expires.IsZero() {
		expires = strconv.FormatInt(s.Expires.Add(time.Millisecond-1).UnixMilli(), 10)
	}
	return append(args, string(text), contentType, freshet.MediaType(contentType),
		milliseconds(s.TTL), expires, milliseconds(s.KeepOpen), milliseconds(s.KeepClosed),
		strconv.FormatUint(s.Retain.Records, 10), strconv.FormatInt(s.Retain.Bytes, 10), milliseconds(s.Retain.Age)), nil
}

// decodeSpec is the inverse of appendSpec.
func decodeSpec(text, contentType string) (freshet.Spec, error) {
	var s spec
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return freshet.Spec{}, fmt.Errorf("decode spec: %w", err)
	}
	decoded := freshet.Spec{
		ContentType: contentType, TTL: s.TTL, Expires: s.Expires, KeepOpen: s.KeepOpen, KeepClosed: s.KeepClosed,
		Retain: freshet.Retain{Records: s.RetainRecords, Bytes: s.RetainBytes, Age: s.RetainAge},
	}
	if s.Fork != nil {
		decoded.Fork = &freshet.Fork{Source: s.Fork.Source, At: s.Fork.At}
	}
	return decoded, nil
}
