package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"leadload/internal/fault"
	"leadload/loader/account"
	"leadload/mapping"
	"leadload/samples"
)

var update = flag.Bool("update", false, "write the generated pages of the manual anew")

const readmePath = "../../README.md"

// generatedPages are the pages of the manual that are made from tables of the program.
var generatedPages = map[string]func() string{
	"mapping-keys": func() string {
		return "# Mapping keys: every key of a mapping\n\n" + strings.ReplaceAll("\n"+mapping.Reference(), "\n### ", "\n## ")[1:]
	},
	"flags":      flagReference,
	"errors":     errorReference,
	"exit-codes": exitReference,
}

// TestManualIsCurrent holds the generated pages against the tables that they are made from.
func TestManualIsCurrent(t *testing.T) {
	for topic, make := range generatedPages {
		path := filepath.Join("help", topic+".md")
		old, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		want := make()
		switch {
		case string(old) == want:
		case !*update:
			t.Errorf("%s is out of date: go test ./internal/cli -run Manual -update", path)
		default:
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// flagReference is a table of flags for each command.
func flagReference() string {
	a := &app{getenv: func(string) string { return "" }}
	var b strings.Builder
	b.WriteString(`# Flags: every flag of every command

Lines for people go to stderr, results to stdout. Every flag can be set by a variable: ` + "`--max-errors 10`" + ` is ` + "`LEADLOAD_MAX_ERRORS=10`" + `.
A typed flag wins. ` + "`leadload completion bash|zsh|fish|powershell`" + ` prints a completion script, ` + "`leadload help --man`" + ` the man page.
`)
	for _, c := range commands(a.root()) {
		if c.Name() == "help" || !c.Runnable() {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s: `%s`\n", strings.TrimPrefix(c.CommandPath(), "leadload "), upper(c.Short), c.UseLine())
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
			_, usage := pflag.UnquoteUsage(f)
			if d := f.DefValue; d != "" && d != "false" && d != "0" && d != "0s" && d != "[]" && !strings.Contains(usage, "(default") {
				usage += " (default " + d + ")"
			}
			fmt.Fprintf(&b, "| %s | %s |\n", name, strings.ReplaceAll(usage, "|", `\|`))
		})
	}
	return b.String()
}

func errorReference() string {
	var b strings.Builder
	b.WriteString("# Errors: every code, and what to do\n\n`leadload errors CODE` explains one.\n\n| code | what it means | what to do |\n| --- | --- | --- |\n")
	for _, e := range fault.Catalogue() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", e.Code, strings.ReplaceAll(e.What, "|", `\|`), strings.ReplaceAll(e.Do, "|", `\|`))
	}
	return b.String()
}

func exitReference() string {
	var b strings.Builder
	b.WriteString("# Exit codes\n\n| code | meaning |\n| --- | --- |\n")
	for line := range strings.SplitSeq(strings.TrimSpace(strings.TrimPrefix(exitCodes, "Exit codes:\n")), "\n") {
		code, meaning, _ := strings.Cut(strings.TrimSpace(line), " ")
		fmt.Fprintf(&b, "| %s | %s |\n", code, strings.TrimSpace(meaning))
	}
	b.WriteString("\nFor several files, the worst code counts. The page [nightly](nightly.md) says what each means in the morning.\n")
	return b.String()
}

// documents returns the README and every page of the manual by their paths.
func documents(t *testing.T) map[string]string {
	t.Helper()
	pages, err := filepath.Glob("help/*.md")
	if err != nil {
		t.Fatal(err)
	}
	docs := map[string]string{}
	for _, p := range append(pages, readmePath) {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		docs[filepath.ToSlash(p)] = string(text)
	}
	return docs
}

func TestTopicsArePages(t *testing.T) {
	var found []string
	entries, err := os.ReadDir("help")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if topic, ok := strings.CutSuffix(e.Name(), ".md"); ok {
			found = append(found, topic)
		}
	}
	listed := slices.Clone(topics)
	slices.Sort(listed)
	slices.Sort(found)
	if !slices.Equal(found, listed) {
		t.Errorf("pages %q, topics %q", found, listed)
	}
	for _, topic := range topics {
		text, ok := page(topic)
		if !ok || !strings.HasPrefix(text, "# ") || pageTitle(text) == "" {
			t.Errorf("%s: a page begins with its title", topic)
		}
	}
}

// TestReadmeIsShort keeps the README a page to read; the rest has pages of its own.
func TestReadmeIsShort(t *testing.T) {
	info, err := os.Stat(readmePath)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > 8<<10 {
		t.Errorf("the README has %d bytes, 8 KB at most", info.Size())
	}
}

// TestLinksLead follows every link and every "leadload help TOPIC" of the
// README and the manual.
func TestLinksLead(t *testing.T) {
	a, _, _ := testApp()
	root := a.root()
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	topic := regexp.MustCompile("leadload help ([a-z][a-z-]{2,})")
	for path, text := range documents(t) {
		links := link.FindAllStringSubmatch(text, -1)
		for _, m := range links {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", path, m[1])
			}
		}
		for _, m := range topic.FindAllStringSubmatch(text, -1) {
			_, isTopic := page(m[1])
			if c, _, err := root.Find([]string{m[1]}); !isTopic && (err != nil || c == root) {
				t.Errorf("%s names leadload help %s, which is not there", path, m[1])
			}
		}
		if path == readmePath && len(links) < 10 {
			t.Errorf("the README has %d links, want one to every page", len(links))
		}
	}
	for _, name := range topics {
		if !strings.Contains(documents(t)[readmePath], "internal/cli/help/"+name+".md") {
			t.Errorf("the README does not link to the page %s", name)
		}
	}
}

// TestManualIsPlain holds the prose of README and manual to short sentences
// that begin with their subject.
func TestManualIsPlain(t *testing.T) {
	const most = 24 // words
	quiet := []*regexp.Regexp{regexp.MustCompile("(?s)```.*?```"), regexp.MustCompile(`(?m)^[|#!].*$`), regexp.MustCompile(`(?m)^(- |\d\. )`)}
	end := regexp.MustCompile(`[.?!:;][)*]*\s+|\n\n`)
	relative := regexp.MustCompile(`^(What|Whose|Whoever|That which)\b[^?]*$`)
	for path, text := range documents(t) {
		if _, made := generatedPages[strings.TrimSuffix(filepath.Base(path), ".md")]; made {
			continue // its words are those of the tables that it is made from
		}
		for _, q := range quiet {
			text = q.ReplaceAllString(text, "\n")
		}
		for _, sentence := range end.Split(text, -1) {
			sentence = strings.Join(strings.Fields(sentence), " ")
			if n := len(strings.Fields(sentence)); n > most {
				t.Errorf("%s: a sentence of %d words, %d at most: make two of it\n%s", path, n, most, sentence)
			}
			if relative.MatchString(sentence) && !strings.Contains(text, sentence+"?") {
				t.Errorf("%s: begin the sentence with its subject\n%s", path, sentence)
			}
		}
	}
}

// TestTablesAreWhole finds a table without the line below its header, without
// rows, or with rows of another width: the signs of two tables that were mixed up.
func TestTablesAreWhole(t *testing.T) {
	docs, tables := documents(t), 0
	for _, path := range []string{"../bench/README.md", "../../findings/README.md"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		docs[path] = string(text)
	}
	rule := regexp.MustCompile(`^\|( ?:?-+:? ?\|)+$`)
	width := func(row string) int { return strings.Count(strings.ReplaceAll(row, `\|`, ""), "|") }
	for path, text := range docs {
		for part := range strings.SplitSeq(text, "\n\n") {
			rows := strings.Split(strings.TrimSpace(part), "\n")
			if !strings.HasPrefix(rows[0], "|") {
				continue
			}
			tables++
			if len(rows) < 3 || !rule.MatchString(rows[1]) {
				t.Errorf("%s: a table has a header, a line below it, and rows:\n%s", path, rows[0])
			}
			for _, row := range rows {
				if width(row) != width(rows[0]) {
					t.Errorf("%s: the row\n%s\nhas %d edges, its header %d", path, row, width(row), width(rows[0]))
				}
			}
		}
	}
	if tables < 20 {
		t.Errorf("only %d tables were found: the search is broken", tables)
	}
}

// blocks returns the fenced blocks of a kind.
func blocks(text, kind string) []string {
	var out []string
	for _, part := range strings.Split(text, "```"+kind+"\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		out = append(out, block)
	}
	return out
}

// TestYAMLOfTheManual parses every YAML block as it would be pasted: a mapping,
// an account file, or cases for a mapping.
func TestYAMLOfTheManual(t *testing.T) {
	mappings, accounts := 0, 0
	for path, text := range documents(t) {
		for i, block := range blocks(text, "yaml") {
			name := fmt.Sprintf("%s, YAML block %d", path, i+1)
			switch {
			case strings.Contains(block, "\njobs:\n"):
				file := filepath.Join(t.TempDir(), projectFile)
				if err := os.WriteFile(file, []byte(block), 0o600); err != nil {
					t.Fatal(err)
				}
				if _, err := readProject(file); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			case strings.HasPrefix(block, "version: 1"):
				mappings++
				if _, err := mapping.Parse(name, []byte(block)); err != nil {
					t.Error(err)
				}
			case strings.HasPrefix(block, "host:"):
				accounts++
				file := filepath.Join(t.TempDir(), "account.yaml")
				if err := os.WriteFile(file, []byte(block), 0o600); err != nil {
					t.Fatal(err)
				}
				if _, err := account.Load(file, func(string) string { return "key" }); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			case strings.HasPrefix(block, "cases:"):
				// TestConsoleOfTheManual runs it.
			default:
				t.Errorf("%s: a block that no test parses:\n%s", name, block)
			}
		}
	}
	if mappings < 5 || accounts < 1 {
		t.Errorf("%d mappings and %d account files were found: the search is broken", mappings, accounts)
	}
}

// TestConsoleOfTheManual runs every console block of the README and the manual.
// A line that begins with "$ " is a command; the lines after it must appear in
// what it prints, in this order, with … for anything. A command succeeds,
// unless "$ echo $?" and another code follow it.
func TestConsoleOfTheManual(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the blocks are for a POSIX shell")
	}
	ran := 0
	for path, text := range documents(t) {
		found := blocks(text, "console")
		if len(found) == 0 {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".md"), func(t *testing.T) {
			shell := newDocShell(t, text)
			for _, block := range found {
				shell.run(t, block)
			}
			ran += shell.ran
		})
	}
	if ran < 20 {
		t.Errorf("only %d commands were run: the search is broken", ran)
	}
}

// docShell runs commands in a folder that holds the sample files.
type docShell struct {
	dir string
	env []string
	ran int
}

// newDocShell prepares the folder of a document: a clone's samples, the clean
// file as deals.csv, the one with faults as faults.csv, the mapping, an
// account file, and the cases that the document shows.
func newDocShell(t *testing.T, text string) *docShell {
	dir := t.TempDir()
	get := practiceEnv(t, dir)
	s := &docShell{dir: dir, env: os.Environ()}
	for _, name := range []string{"HOME", "XDG_STATE_HOME", "LOCALAPPDATA", "LEADSQUARED_HOST", "LEADSQUARED_ASYNC_HOST", "LEADSQUARED_LIMIT",
		"LEADSQUARED_ACCESS_KEY", "LEADSQUARED_SECRET_KEY", "LEADSQUARED_ASYNC_KEY"} {
		s.env = append(s.env, name+"="+get(name))
	}
	err := fs.WalkDir(samples.FS, ".", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			writeSample(t, path, filepath.Join(dir, "samples", path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, sample := range map[string]string{"deals.csv": "deals.csv", "faults.csv": "faults.csv", "deals.yaml": "deals.yaml"} {
		writeSample(t, "opportunities/"+sample, filepath.Join(dir, name))
	}
	files := map[string]string{"prod.yaml": "host: " + get("LEADSQUARED_HOST") + "\naccess_key: ${LEADSQUARED_ACCESS_KEY}\nsecret_key: ${LEADSQUARED_SECRET_KEY}\n"}
	for _, block := range blocks(text, "yaml") {
		if strings.HasPrefix(block, "cases:") {
			files["cases.yaml"] = block
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// run runs the commands of one block.
func (s *docShell) run(t *testing.T, block string) {
	t.Helper()
	lines := strings.Split(strings.TrimRight(block, "\n"), "\n")
	for i := 0; i < len(lines); {
		command, ok := strings.CutPrefix(lines[i], "$ ")
		if !ok {
			t.Fatalf("%q is neither a command nor the output of one", lines[i])
		}
		var want []string
		for i++; i < len(lines) && !strings.HasPrefix(lines[i], "$ "); i++ {
			want = append(want, lines[i])
		}
		code := "0"
		if i+1 < len(lines) && lines[i] == "$ echo $?" {
			code = lines[i+1]
			i += 2
		}
		s.ran++
		switch command {
		case "go test ./...": // this test is a part of it
			continue
		case "go build -o leadload .": // the test binary stands in for the program
			continue
		}
		command = strings.TrimPrefix(command, "./")
		command, goRun := strings.CutPrefix(command, "go run . ")
		if goRun {
			command = "leadload " + command
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, "sh", "-c", command)
		cmd.Dir, cmd.Env = s.dir, s.env
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		err := cmd.Run()
		var ee *exec.ExitError
		if err != nil && !errors.As(err, &ee) {
			t.Fatalf("%s: %v", command, err)
		}
		got := fmt.Sprint(cmd.ProcessState.ExitCode())
		if goRun && got != "0" { // go run prints the code of the program and returns 1
			fmt.Fprintf(&out, "exit status %s\n", got)
			got = "1"
		}
		if got != code {
			t.Fatalf("%s\nended with %s, want %s\n%s", command, got, code, out.String())
		}
		if !printed(out.String(), want) {
			t.Fatalf("%s\nprinted\n%s\nand the page shows\n%s", command, out.String(), strings.Join(want, "\n"))
		}
	}
}

// printed reports whether the lines of want stand in out, in this order. A line
// of want may be a part of a line of out; … in it stands for anything.
func printed(out string, want []string) bool {
	rest := strings.Split(out, "\n")
	for _, w := range want {
		pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(w)), "…", ".*")
		re := regexp.MustCompile(pattern)
		i := slices.IndexFunc(rest, func(l string) bool { return re.MatchString(l) })
		if i < 0 {
			return false
		}
		rest = rest[i+1:]
	}
	return true
}

func TestPrintedLines(t *testing.T) {
	out := "a plan\nloaded 24 · updated 0 · already 0 · of 24 rows\nend\n"
	for _, c := range []struct {
		want []string
		ok   bool
	}{
		{nil, true},
		{[]string{"loaded 24 · … of 24 rows"}, true},
		{[]string{"a plan", "end"}, true},
		{[]string{"end", "a plan"}, false},
		{[]string{"loaded 25"}, false},
		{[]string{"a plan", "a plan"}, false},
	} {
		if got := printed(out, c.want); got != c.ok {
			t.Errorf("printed(%q) = %v", c.want, got)
		}
	}
}
