package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// The marks in the README between which this program writes.
const (
	tableBegin = "<!-- written by go run ./internal/bench -markdown -->\n"
	tableEnd   = "<!-- end of the table -->"
)

// writeReadme puts the lines of a run into the table of a README. Lines of
// measurements that were not run stay as they are.
func writeReadme(path string, table []line, machine string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, rest, ok := strings.Cut(string(text), tableBegin)
	old, tail, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no place for the table: %q and %q", path, strings.TrimSpace(tableBegin), tableEnd)
	}
	ran := map[string]bool{}
	for _, l := range table {
		ran[l.name] = true
	}
	rows := map[string][]string{}
	for _, l := range strings.Split(old, "\n") {
		name, isRow := strings.CutPrefix(l, "| `")
		name, _, closed := strings.Cut(name, "` |")
		if isRow && closed && !ran[name] {
			rows[name] = append(rows[name], l)
		}
	}
	for _, l := range table {
		rows[l.name] = append(rows[l.name], markdownRow(l))
	}
	var b strings.Builder
	b.WriteString("\n" + markdownHead())
	for _, name := range names() {
		for _, r := range rows[name] {
			b.WriteString(r + "\n")
		}
	}
	fmt.Fprintf(&b, "\nLast written on %s.\n\n", machine)
	return os.WriteFile(path, []byte(head+tableBegin+b.String()+tableEnd+tail), 0o644)
}

// comparison is a place for the table that a script of findings/ prints.
var comparison = regexp.MustCompile(`(?s)<!-- printed by bash (findings/[a-z0-9-]+\.sh) -->\n.*?<!-- end of the output -->`)

// compare runs the scripts that a README names and puts their tables into it.
// A script that fails leaves the README as it was.
func compare(ctx context.Context, path string, say func(string, ...any)) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	found := comparison.FindAllSubmatch(text, -1)
	if len(found) == 0 {
		return fmt.Errorf("%s has no place for the output of a script", path)
	}
	for _, m := range found {
		script := string(m[1])
		say("%s …", script)
		var out, errs bytes.Buffer
		cmd := exec.CommandContext(ctx, "bash", filepath.FromSlash(script))
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w\n%s%s", script, err, out.Bytes(), errs.Bytes())
		}
		text = bytes.Replace(text, m[0], []byte(comparisonOf(script, out.String())), 1)
	}
	return os.WriteFile(path, text, 0o644)
}

// comparisonOf writes a script's place with the table that it printed. What it
// printed before the table, its versions among them, stands beneath.
func comparisonOf(script, out string) string {
	var rows, other []string
	for _, l := range strings.Split(strings.TrimSpace(out), "\n") {
		if strings.HasPrefix(l, "|") {
			rows = append(rows, l)
		} else if l != "" {
			other = append(other, strings.TrimSuffix(l, ":"))
		}
	}
	slices.Reverse(other) // the title is the last line before the table
	return fmt.Sprintf("<!-- printed by bash %s -->\n\n%s\n\n%s.\n\n<!-- end of the output -->", script, strings.Join(rows, "\n"), strings.Join(other, "; "))
}
