package e2e

import (
	"bytes"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestAPIDocuments checks the documents that a server serves by the schemas of
// their standards, OpenAPI 3.1 and AsyncAPI 3.0. That they are true is tested
// beside them, in internal/apidoc.
func TestAPIDocuments(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, document, schema, right, wrong string }{
		{
			"OpenAPI", "openapi.json", "@seriousme/openapi-schema-validator/schemas/v3.1/schema.json",
			`"in": "path"`, `"in": "road"`,
		},
		{
			"AsyncAPI", "asyncapi.json", "@asyncapi/specs/schemas/3.0.0-without-$id.json",
			`"action": "send"`, `"action": "shout"`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			compiler := jsonschema.NewCompiler()
			schema, err := compiler.Compile("node/node_modules/" + tt.schema)
			if err != nil {
				t.Fatal(err)
			}
			check := func(content []byte) error {
				value, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
				if err != nil {
					t.Fatal(err)
				}
				return schema.Validate(value)
			}
			content, err := os.ReadFile("../apidoc/" + tt.document)
			if err != nil {
				t.Fatal(err)
			}
			if err := check(content); err != nil {
				t.Errorf("%#v", err)
			}
			wrong := bytes.Replace(content, []byte(tt.right), []byte(tt.wrong), 1)
			if check(wrong) == nil {
				t.Errorf("with %s for %s the document is still valid; the schema does not look", tt.wrong, tt.right)
			}
		})
	}
}
