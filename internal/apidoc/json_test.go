package apidoc_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestJSON compares the documents' JSON with their YAML, or makes it.
func TestJSON(t *testing.T) {
	for _, name := range []string{"openapi", "asyncapi"} {
		source, err := os.ReadFile(name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		made, err := yaml.YAMLToJSON(source)
		if err != nil {
			t.Fatalf("%s.yaml: %v", name, err)
		}
		var want bytes.Buffer
		if err := json.Indent(&want, made, "", " "); err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(name+".json", want.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got, err := os.ReadFile(name + ".json"); err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s.json is not what go generate makes of the YAML: %v", name, err)
		}
	}
}

// References lead somewhere, and what is meant to be shared is.
func TestReferences(t *testing.T) {
	for _, file := range []string{"openapi.json", "asyncapi.json"} {
		d := readDocument(t, file)
		used := map[string]bool{}
		var walk func(value any)
		walk = func(value any) {
			switch value := value.(type) {
			case []any:
				for _, v := range value {
					walk(v)
				}
			case map[string]any:
				for _, v := range value {
					walk(v)
				}
				if ref, ok := value["$ref"].(string); ok {
					used[ref] = true
					if found, _ := d.at(strings.TrimPrefix(ref, "#")); found == nil {
						t.Errorf("%s refers to %s, which is not there", file, ref)
					}
				}
			}
		}
		walk(d.root)
		for kind, components := range d.object("/components") {
			for name := range components.(map[string]any) {
				if !used["#/components/"+kind+"/"+name] {
					t.Errorf("%s: nothing refers to the %s of %s", file, kind, name)
				}
			}
		}
	}
}

// A document is one of the two, as JSON.
type document struct {
	*testing.T
	file     string
	root     map[string]any
	compiler *jsonschema.Compiler
}

func readDocument(t *testing.T, file string) *document {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(file, root); err != nil {
		t.Fatal(err)
	}
	return &document{t, file, root.(map[string]any), compiler}
}

// at returns what a pointer such as /a/b leads to (RFC 6901), with references
// followed, and its own pointer. It returns nil if there is nothing.
func (d *document) at(pointer string) (value any, canonical string) {
	value, canonical = any(d.root), ""
	for _, part := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		if object, ok := value.(map[string]any); ok {
			value, canonical = object[unescapePointer(part)], canonical+"/"+part
		} else if list, ok := value.([]any); ok {
			value, canonical = list[int(part[0]-'0')], canonical+"/"+part
		} else {
			return nil, ""
		}
		for {
			object, _ := value.(map[string]any)
			ref, ok := object["$ref"].(string)
			if !ok {
				break
			}
			value, canonical = d.at(strings.TrimPrefix(ref, "#"))
		}
	}
	return value, canonical
}

func unescapePointer(part string) string {
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
}

func escapePointer(part string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(part)
}

// object returns the object at a pointer, nil if there is none.
func (d *document) object(pointer string) map[string]any {
	value, _ := d.at(pointer)
	object, _ := value.(map[string]any)
	return object
}

// validate checks a value against the schema at a pointer.
func (d *document) validate(what, pointer string, value any) {
	d.Helper()
	_, canonical := d.at(pointer)
	schema, err := d.compiler.Compile(d.file + "#" + canonical)
	if err != nil {
		d.Fatalf("the schema at %s: %v", canonical, err)
	}
	if err := schema.Validate(value); err != nil {
		d.Errorf("%s is not what the document says: %v", what, err)
	}
}
