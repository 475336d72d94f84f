package dialect

import "encoding/json"

// A piece is one thing that an event says of an answer's content, in the same
// words for all dialects.
type piece struct {
	kind pieceKind
	// key tells the blocks of an answer apart.
	key string
	// text is what is added, or for wholeText and wholeInput all there is.
	text string
	// call is the upstream's id of a tool call, name the tool's; hosted says that
	// the upstream calls it itself.
	call, name string
	hosted     bool
	// source is what a source piece names.
	source citation
	// output is what a hosted call gave.
	output json.RawMessage
}

type pieceKind uint8

const (
	// addText and addReasoning add to a block and begin it if need be.
	addText pieceKind = iota
	addReasoning
	// wholeText says all of a block; if parts came before, nothing new.
	wholeText
	// endBlock ends a block.
	endBlock
	// beginTool names a call, addInput adds to its input, which is JSON;
	// wholeInput says all of it, and rawInput all of one that is plain text.
	beginTool
	addInput
	wholeInput
	rawInput
	// endTools ends the input of all calls.
	endTools
	toolOutput
	addSource
	// failure says in text why the answer ends badly.
	failure
)
