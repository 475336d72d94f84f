package main

import (
	"github.com/alecthomas/kong"

	"github.com/freshet-stream/freshet"
)

// A closeFlag is a reason that may be left out: --close or --close=REASON.
type closeFlag struct{ reason freshet.Reason }

// Decode implements [kong.MapperValue].
func (c *closeFlag) Decode(ctx *kong.DecodeContext) (err error) {
	text := ""
	if ctx.Scan.Peek().Type == kong.FlagValueToken {
		text = ctx.Scan.Pop().String()
	}
	switch text {
	case "false", "0":
		c.reason = ""
		return nil
	case "true", "1":
		text = ""
	}
	c.reason, err = freshet.ParseReason(text)
	return err
}

// IsBool lets the flag stand without a value.
func (c *closeFlag) IsBool() bool { return true }
