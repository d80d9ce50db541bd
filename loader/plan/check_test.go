package plan

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"leadload/loader/source"
)

// TestBatchesAreBounded says that a batch is handed on before its cells or
// their texts become large, however wide or long the rows are, and that no row
// is lost by it.
func TestBatchesAreBounded(t *testing.T) {
	for _, c := range []struct {
		name                      string
		rows, columns, text, most int
		want                      []int // rows of the first batches
	}{
		{"narrow", 4000, 5, 4, Batch, []int{64, 128, 256, 512, 512}},
		{"narrow, of a ledger over a network", 4000, 5, 4, 2048, []int{64, 128, 256, 512, 1024, 2016}},
		{"wide", 700, 300, 3, 2048, []int{64, 110, 110}},
		{"long texts", 100, 2, 40_000, 2048, []int{14, 14}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			b.WriteString("C0")
			for i := 1; i < c.columns; i++ {
				fmt.Fprintf(&b, ",C%d", i)
			}
			line := "\n" + strings.Repeat(strings.Repeat("x", c.text)+",", c.columns-1) + strings.Repeat("y", c.text)
			for range c.rows {
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
			pass := pass{file: file, first: firstBatch, most: c.most}
			free, work, queue := make(chan *rowBatch, 1), make(chan *rowBatch, 1), make(chan *rowBatch, 1)
			free <- &rowBatch{}
			go func() {
				pass.read(context.Background(), free, work, queue)
				close(queue)
			}()
			seen := 0
			var sizes []int
			for b := range queue {
				<-work
				sizes = append(sizes, len(b.rows))
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
			if seen != c.rows {
				t.Errorf("%d rows, want %d", seen, c.rows)
			}
			if got := sizes[:min(len(sizes), len(c.want))]; !slices.Equal(got, c.want) {
				t.Errorf("the first batches have %v rows, want %v", got, c.want)
			}
		})
	}
}
