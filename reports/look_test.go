package reports

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// TestLook leaves a realistic workbook in the folder of the variable, for
// somebody to open and look at.
func TestLook(t *testing.T) {
	dir := os.Getenv("LEADLOAD_LOOK")
	if dir == "" {
		t.Skip("LEADLOAD_LOOK names no folder")
	}
	l, in := deals(456)
	j := jobOf(l, in)
	j.Next = []string{"leadload import deals-results.xlsx --sheet Failed -m deals.yaml", "leadload settle"}
	j.Notes = []string{"The hidden sheet \"old\" was not read."}
	name, err := j.write(context.Background(), filepath.Join(dir, "deals-results.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	t.Log(name)
}
