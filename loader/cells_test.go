package loader

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"leadload/converter"
	"leadload/loader/source"
	"leadload/mapping"
)

// TestCells takes single cells from a CSV file to the value that is sent.
func TestCells(t *testing.T) {
	f, err := os.Open(filepath.Join("testdata", "cells.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	kind, field, n := "", "", 0
	for s := bufio.NewScanner(f); s.Scan(); {
		line := s.Text()
		switch {
		case strings.HasPrefix(line, "# "):
			kind = line[2:]
			continue
		case strings.HasPrefix(line, "= "):
			field = line[2:]
			continue
		}
		cell, want, ok := strings.Cut(line, "\t")
		if !ok {
			t.Fatalf("%q has no value", line)
		}
		n++
		if got := cellSent(t, field, cell); got != want {
			t.Errorf("%s: %s is sent as %q, want %q", kind, cell, got, want)
		}
	}
	if n < 150 {
		t.Errorf("only %d cells were tried", n)
	}
}

// cellSent returns what a field is made of a cell of a CSV file, or ! and the
// code of the first problem.
func cellSent(t *testing.T, field, cell string) string {
	t.Helper()
	name, key := "mx_Custom_9", ""
	switch {
	case strings.Contains(field, "key: yes"):
		field, key = "A", "key: A\n"
	case strings.Contains(field, "status: yes"):
		field, name = "{column: A, values: {Closed Won: Won}, default: Open}", "Status"
	}
	text := "version: 1\ntarget: opportunity\n" + key + "search_by: EmailAddress\nLeadDetails: {EmailAddress: E}\nOpportunity: {OpportunityEventCode: 1, Fields: {"
	if name != "Status" {
		text += "Status: {value: Open}, "
	}
	m, err := mapping.Parse("cells.yaml", []byte(text+name+": "+field+"}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cells.csv")
	if err := os.WriteFile(path, []byte("E;A;B\na@example.com;"+cell+";x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := source.Open(path, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	p, err := m.Compile(in.Header())
	if err != nil {
		t.Fatal(err)
	}
	r := p.Runner()
	for row, err := range in.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		if len(row.Faults) > 0 {
			return "!" + string(row.Faults[0].Code)
		}
		var rec mapping.Record
		r.Map(append([]converter.Cell(nil), row.Cells...), &rec)
		if len(rec.Problems) > 0 {
			return "!" + rec.Problems[0].Code
		}
		for _, f := range rec.Fields {
			if f.Name == "Fields."+name {
				return f.Value
			}
		}
		return ""
	}
	return fmt.Sprintf("no row of %q", cell)
}
