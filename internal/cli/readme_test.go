package cli

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"leadload/mapping"
)

var update = flag.Bool("update", false, "write the generated parts of the README anew")

const readmePath = "../../README.md"

// TestReadmeIsCurrent holds the generated parts of the README against the
// types and tables that they are made from.
func TestReadmeIsCurrent(t *testing.T) {
	text, err := os.ReadFile(readmePath)
	if err != nil {
		t.Fatal(err)
	}
	got := string(text)
	for name, make := range map[string]func() string{"mapping": mapping.Reference, "flags": flagReference, "exit codes": exitReference} {
		begin, end := "<!-- generated: "+name+" -->\n", "<!-- end of "+name+" -->"
		head, rest, ok := strings.Cut(got, begin)
		old, tail, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Errorf("the README has no part %q", name)
			continue
		}
		want := "\n" + strings.TrimSpace(make()) + "\n\n"
		if old == want {
			continue
		}
		if !*update {
			t.Errorf("the README's part %q is out of date: go test ./internal/cli -run Readme -update", name)
			continue
		}
		got = head + begin + want + end + tail
	}
	if *update && got != string(text) {
		if err := os.WriteFile(readmePath, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// flagReference is a table of flags for each command.
func flagReference() string {
	a := &app{getenv: func(string) string { return "" }}
	var b strings.Builder
	for _, c := range commands(a.root()) {
		if c.Name() == "help" || !c.Runnable() {
			continue
		}
		fmt.Fprintf(&b, "**`%s`**: %s\n", c.UseLine(), c.Short)
		any := false
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name == "help" {
				return
			}
			if !any {
				any = true
				b.WriteString("\n| flag | meaning |\n| --- | --- |\n")
			}
			name := "`--" + f.Name + "`"
			if f.Shorthand != "" {
				name = "`-" + f.Shorthand + "`, " + name
			}
			usage := f.Usage
			if d := f.DefValue; d != "" && d != "false" && d != "0" && d != "0s" && d != "[]" && !strings.Contains(usage, "(default") {
				usage += " (default " + d + ")"
			}
			fmt.Fprintf(&b, "| %s | %s |\n", name, strings.ReplaceAll(usage, "|", `\|`))
		})
		b.WriteString("\n")
	}
	return b.String()
}

func exitReference() string {
	var b strings.Builder
	b.WriteString("| code | meaning |\n| --- | --- |\n")
	for line := range strings.SplitSeq(strings.TrimSpace(strings.TrimPrefix(exitCodes, "Exit codes:\n")), "\n") {
		code, meaning, _ := strings.Cut(strings.TrimSpace(line), " ")
		fmt.Fprintf(&b, "| %s | %s |\n", code, strings.TrimSpace(meaning))
	}
	return b.String()
}

// TestReadmeMappingsWork parses every mapping of the README as it would be pasted.
func TestReadmeMappingsWork(t *testing.T) {
	text, err := os.ReadFile(readmePath)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for i, block := range strings.Split(string(text), "```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		if !strings.HasPrefix(block, "version: 1") {
			continue
		}
		found++
		if _, err := mapping.Parse(fmt.Sprintf("README block %d", i+1), []byte(block)); err != nil {
			t.Error(err)
		}
	}
	if found < 4 {
		t.Errorf("%d mappings were found, want one for each target and the example", found)
	}
}
