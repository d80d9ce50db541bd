package cli

import (
	"bytes"
	"testing"

	"leadload/mapping"
	"leadload/samples"
)

// TestSchemaOfSamplesIsCurrent keeps the schema beside the sample mappings, which
// their first line names for editors, equal to what the program prints.
func TestSchemaOfSamplesIsCurrent(t *testing.T) {
	text, err := samples.FS.ReadFile("mapping.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, mapping.Schema()) {
		t.Error("samples/mapping.schema.json is out of date: go run . schema > samples/mapping.schema.json")
	}
}
