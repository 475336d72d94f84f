package dialect

import (
	"bytes"
	"encoding/json"
	"errors"
)

// decode reads a JSON object and reports whether it was one. A member of an
// unexpected type is passed over, the others are read.
func decode(data []byte, to any) bool {
	data = bytes.TrimLeft(data, " \t\r\n")
	if len(data) == 0 || data[0] != '{' {
		return false
	}
	var wrongType *json.UnmarshalTypeError
	err := json.Unmarshal(data, to)
	return err == nil || errors.As(err, &wrongType)
}

// encode writes strings and values that were parsed from JSON, which cannot
// fail, on one line, in valid UTF-8 and without escapes for HTML.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return bytes.ToValidUTF8(bytes.TrimSuffix(b.Bytes(), []byte("\n")), []byte("\uFFFD"))
}
