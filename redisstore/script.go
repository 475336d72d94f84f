package redisstore

import (
	"context"
	"crypto/sha1"
	"embed"
	"encoding/hex"
	"fmt"

	"github.com/redis/rueidis"
)

//go:embed script/*.lua
var sources embed.FS

// A script is a step that Redis makes as a whole.
type script struct {
	text, sha string
	readOnly  bool
}

// scripts are the steps there are.
type scripts struct {
	create, together, awaited, commit, renew, delete, sweep *script
	read, info, due                                         *script
}

func loadScripts() scripts {
	const (
		altering  = "#!lua\n"
		reading   = "#!lua flags=no-writes\n"
		releasing = "#!lua flags=allow-oom\n" // gives back memory when there is none
	)
	return scripts{
		create:   newScript(altering, "head", "save", "judge", "trim", "apply", "create"),
		together: newScript(altering, "head", "save", "judge", "trim", "apply", "append", "together"),
		awaited:  newScript(altering, "head", "save", "judge", "trim", "apply", "append", "awaited"),
		commit:   newScript(releasing, "head", "save", "commit"),
		renew:    newScript(altering, "head", "save", "renew"),
		delete:   newScript(releasing, "head", "save", "delete"),
		sweep:    newScript(releasing, "head", "save", "judge", "trim", "apply", "sweep"),
		read:     newScript(reading, "head", "read"),
		info:     newScript(reading, "head", "info"),
		due:      newScript(reading, "head", "due"),
	}
}

func newScript(head string, parts ...string) *script {
	text := head
	for _, part := range parts {
		source, err := sources.ReadFile("script/" + part + ".lua")
		if err != nil {
			panic(fmt.Sprintf("read embedded script %s: %v", part, err))
		}
		text += string(source)
	}
	sum := sha1.Sum([]byte(text))
	return &script{text: text, sha: hex.EncodeToString(sum[:]), readOnly: head == "#!lua flags=no-writes\n"}
}

// A doer is a client, or a connection of one.
type doer interface {
	B() rueidis.Builder
	Do(ctx context.Context, cmd rueidis.Completed) rueidis.RedisResult
}

// do makes the step. The text is sent only if Redis does not have it.
func (p *script) do(ctx context.Context, c doer, keys, args []string) rueidis.RedisResult {
	result := c.Do(ctx, p.command(c, keys, args))
	if err, ok := rueidis.IsRedisErr(result.Error()); !ok || !err.IsNoScript() {
		return result
	}
	b := c.B()
	if p.readOnly {
		return c.Do(ctx, b.EvalRo().Script(p.text).Numkeys(int64(len(keys))).Key(keys...).Arg(args...).Build())
	}
	return c.Do(ctx, b.Eval().Script(p.text).Numkeys(int64(len(keys))).Key(keys...).Arg(args...).Build())
}

// command is the step for one that knows its text.
func (p *script) command(c doer, keys, args []string) rueidis.Completed {
	b := c.B()
	if p.readOnly {
		return b.EvalshaRo().Sha1(p.sha).Numkeys(int64(len(keys))).Key(keys...).Arg(args...).Build()
	}
	return b.Evalsha().Sha1(p.sha).Numkeys(int64(len(keys))).Key(keys...).Arg(args...).Build()
}
