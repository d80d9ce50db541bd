package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"leadload/internal/fault"
)

// projectFile is the name of the project file that run reads.
const projectFile = "leadload.yaml"

// project is a project file: an account, a ledger and named jobs. Paths are
// relative to the file's folder.
type project struct {
	Version int            `yaml:"version"`
	Account string         `yaml:"account"` // "" is the environment's
	Ledger  string         `yaml:"ledger"`  // "" is the user's own
	Jobs    map[string]job `yaml:"jobs"`
}

// job is a command line with a name.
type job struct {
	Command string         `yaml:"command"` // "" is import
	Files   []string       `yaml:"files"`
	Mapping string         `yaml:"mapping"`
	Flags   map[string]any `yaml:"flags"` // by their long names
}

// jobCommands are the commands that a job can run.
var jobCommands = []string{"import", "check", "settle"}

type runOptions struct {
	file string
	json bool
}

func (a *app) runCommand() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run [NAME] [-- FLAGS]",
		Short: "run a job of the project file leadload.yaml, or list its jobs",
		Long: `Run a job of the project file, which lies beside the exports:

  version: 1
  account: account.yaml
  ledger: ledger.db
  jobs:
    nightly:
      files: [exports/deals-*.csv]
      mapping: deals.yaml
      flags: {until: "06:00", yes: true, results-name: "{input}-{date}"}

A job is an import unless it says command: check or command: settle. Its paths
are relative to the file's folder, in which it runs. What stands behind -- is
added to the command.`,
		Example: `  leadload run
  leadload run nightly
  leadload run nightly --project /srv/crm/leadload.yaml -- --rows 2-10`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.runProject(cmd.Context(), &o, args) },
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			p, err := readProject(o.file)
			if err != nil || len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return slices.Sorted(maps.Keys(p.Jobs)), cobra.ShellCompDirectiveNoFileComp
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.file, "project", projectFile, "project file")
	f.BoolVar(&o.json, "json", false, "list the jobs as JSON")
	return cmd
}

// readProject reads and checks a project file.
func readProject(path string) (*project, error) {
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, usageError("write one, as leadload run --help shows, or name it with --project", "project file %q: there is no such file", path)
	case err != nil:
		return nil, usageError("check your rights to the file", "project file %q cannot be read: %s", path, fault.Pathless(err))
	}
	var p project
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&p); err != nil && err != io.EOF {
		return nil, usageError("leadload run --help shows a project file", "project file %q: %s", path, strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	if p.Version != 1 {
		return nil, usageError("write version: 1 at the top", "project file %q: version must be 1, not %d", path, p.Version)
	}
	if len(p.Jobs) == 0 {
		return nil, usageError("leadload run --help shows one", "project file %q has no jobs", path)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Jobs)) {
		if err := p.check(name); err != nil {
			return nil, fmt.Errorf("project file %q: %w", path, err)
		}
	}
	return &p, nil
}

// check looks at one job.
func (p *project) check(name string) error {
	j := p.Jobs[name]
	wrong := func(hint, format string, args ...any) error {
		return usageError(hint, "job %q: %s", name, fmt.Sprintf(format, args...))
	}
	command := j.command()
	if !slices.Contains(jobCommands, command) {
		hint := "write " + either(jobCommands)
		if near := fault.Nearest(command, jobCommands); near != "" {
			hint = "did you mean " + near + "? " + hint
		}
		return wrong(hint, "command %q is not possible", command)
	}
	if command == "settle" {
		if len(j.Files) > 0 || j.Mapping != "" {
			return wrong("leave files and mapping out", "settle takes no files")
		}
	} else if len(j.Files) == 0 || j.Mapping == "" {
		return wrong("write files: [FILE] and mapping: FILE", "%s needs files and a mapping", command)
	}
	for _, flag := range slices.Sorted(maps.Keys(j.Flags)) {
		if _, err := flagWords(flag, j.Flags[flag]); err != nil {
			return wrong("write a word, a number, true, false, or a list of these", "flag %s: %s", flag, err)
		}
	}
	return nil
}

func (j *job) command() string {
	if j.Command == "" {
		return "import"
	}
	return j.Command
}

// flagWords are the words of a command line for one flag of a job.
func flagWords(name string, value any) ([]string, error) {
	switch v := value.(type) {
	case []any:
		var out []string
		for _, one := range v {
			words, err := flagWords(name, one)
			if err != nil {
				return nil, err
			}
			out = append(out, words...)
		}
		return out, nil
	case string, bool, int64, uint64, int, float64:
		return []string{fmt.Sprintf("--%s=%v", name, v)}, nil
	}
	return nil, fmt.Errorf("%v is not possible", value)
}

// arguments are the command line of a job.
func (p *project) arguments(name string) []string {
	j := p.Jobs[name]
	args := append([]string{j.command()}, j.Files...)
	add := func(flag, value string) {
		if value != "" {
			args = append(args, "--"+flag+"="+value)
		}
	}
	add("mapping", j.Mapping)
	add("account", p.Account)
	add("ledger", p.Ledger)
	for _, flag := range slices.Sorted(maps.Keys(j.Flags)) {
		words, _ := flagWords(flag, j.Flags[flag]) // checked when the file was read
		args = append(args, words...)
	}
	return args
}

func (a *app) runProject(ctx context.Context, o *runOptions, args []string) error {
	p, err := readProject(o.file)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return a.listJobs(p, o)
	}
	name := args[0]
	if _, ok := p.Jobs[name]; !ok {
		names := slices.Sorted(maps.Keys(p.Jobs))
		hint := "write " + either(names)
		if near := fault.Nearest(name, names); near != "" {
			hint = "did you mean leadload run " + near + "?"
		}
		return usageError(hint, "project file %q has no job %q", o.file, name)
	}
	dir := filepath.Dir(o.file)
	if dir != "." {
		if err := os.Chdir(dir); err != nil {
			return usageError("check your rights to the folder", "the folder %q cannot be entered: %s", dir, fault.Pathless(err))
		}
	}
	line := append(p.arguments(name), args[1:]...)
	shown := make([]string, len(line))
	for i, w := range line {
		shown[i] = shellWord(w)
	}
	a.say("job %s: leadload %s", name, strings.Join(shown, " "))
	words := append([]string{"--log-format=" + a.logFormat}, line...)
	inner := a.root() // a command line of its own, with nothing left of this one
	inner.SetArgs(words)
	return inner.ExecuteContext(ctx)
}

// listJobs prints the jobs of a project.
func (a *app) listJobs(p *project, o *runOptions) error {
	names := slices.Sorted(maps.Keys(p.Jobs))
	if o.json {
		list := []map[string]any{}
		for _, name := range names {
			j := p.Jobs[name]
			list = append(list, map[string]any{"name": name, "command": j.command(), "files": append([]string{}, j.Files...), "mapping": j.Mapping, "arguments": p.arguments(name)})
		}
		return a.printJSON(map[string]any{"version": 1, "jobs": list})
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "JOB\tCOMMAND\tFILES\tMAPPING")
	for _, name := range names {
		j := p.Jobs[name]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", plain([]any{name, j.command(), list(j.Files), j.Mapping})...)
	}
	return w.Flush()
}
