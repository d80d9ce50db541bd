package plan

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"leadload/loader/source"
)

// TestBatchesAreBounded says that a batch is handed on before its cells or
// their texts become large, however wide or long the rows are, and that no row
// is lost by it.
func TestBatchesAreBounded(t *testing.T) {
	const rows = 700
	for _, c := range []struct {
		name          string
		columns, text int
	}{{"narrow", 5, 4}, {"wide", 3000, 3}, {"long texts", 2, 40_000}} {
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			b.WriteString("C0")
			for i := 1; i < c.columns; i++ {
				fmt.Fprintf(&b, ",C%d", i)
			}
			line := "\n" + strings.Repeat(strings.Repeat("x", c.text)+",", c.columns-1) + strings.Repeat("y", c.text)
			for range rows {
				b.WriteString(line)
			}
			path := filepath.Join(t.TempDir(), "rows.csv")
			if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			file, err := source.Open(path, source.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			pass := pass{file: file, first: Batch}
			free, work, queue := make(chan *rowBatch, 1), make(chan *rowBatch, 1), make(chan *rowBatch, 1)
			free <- &rowBatch{}
			go func() {
				pass.read(context.Background(), free, work, queue)
				close(queue)
			}()
			seen := 0
			for b := range queue {
				<-work
				if b.err != nil {
					t.Error(b.err)
				}
				if most := batchCells + c.columns; len(b.cells) >= most {
					t.Errorf("a batch has %d cells, want fewer than %d", len(b.cells), most)
				}
				texts := 0
				for _, cell := range b.cells {
					texts += len(cell.Text)
				}
				if most := batchBytes + c.columns*c.text; texts >= most {
					t.Errorf("the texts of a batch have %d bytes, want fewer than %d", texts, most)
				}
				seen += len(b.rows)
				free <- b
			}
			if seen != rows {
				t.Errorf("%d rows, want %d", seen, rows)
			}
		})
	}
}
