package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"leadload/converter"
	"leadload/internal/fault"
	"leadload/loader/source"
	"leadload/mapping"
	"leadload/samples"
)

type initOptions struct {
	common
	inputs    []string
	target    string
	timezone  string
	eventCode int
	headerRow int
	delimiter string
	encoding  string
	online    bool
	samples   string
	mapOut    string
}

func (a *app) initCommand() *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use:   "init FILE",
		Short: "draft a mapping from a file's header",
		Long: `Read the header and the first rows of a file and draft a mapping. Comments in
the draft explain every guess; what cannot be guessed is marked FILL_IN and
listed. With --online the account's own field names are used. Nothing is
overwritten.`,
		Example: `  leadload init deals.csv -o deals.yaml
  leadload init deals.xlsx --target sales-activity --online -o sales.yaml
  leadload init --samples practice`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.inputs = args
			return a.runInit(cmd.Context(), &o)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.mapOut, "out", "o", "", "write the draft to this file, which must not exist yet (default: stdout)")
	f.StringVar(&o.target, "target", string(mapping.Opportunity), "what rows become: "+mapping.TargetWords())
	f.StringVar(&o.timezone, "timezone", "", "zone of the file's timestamps, such as Asia/Kolkata (default: the account's with --online, else guessed)")
	f.IntVar(&o.eventCode, "type", 0, "code of the opportunity type (with --online found when there is only one)")
	f.StringVar(&o.sheet, "sheet", "", "sheet of an XLSX file (default: the first visible one)")
	f.IntVar(&o.headerRow, "header-row", 0, "row of the header as the spreadsheet counts (default: found)")
	f.StringVar(&o.delimiter, "delimiter", "", "delimiter of a CSV file (default: found)")
	f.StringVar(&o.encoding, "encoding", "", "encoding of a CSV file (default: UTF-8, or found by its first bytes)")
	f.BoolVar(&o.online, "online", false, "ask the account for the names of its fields")
	f.StringVar(&o.samples, "samples", "", "write the sample files into this `folder` (without one: the current folder)")
	f.Lookup("samples").NoOptDefVal = "."
	f.StringVar(&o.account, "account", "", "account file for --online; without it the LEADSQUARED_… variables say which account")
	f.BoolVar(&o.sandbox, "sandbox", false, "use a practice account for --online")
	f.StringVar(&o.apiLog, "api-log", "", "write a line of JSON for every call to this file")
	f.StringVar(&o.apiLogLevel, "api-log-level", "full", "what the API log holds: full or brief")
	return cmd
}

func (a *app) runInit(ctx context.Context, o *initOptions) error {
	if o.samples != "" {
		// The folder may follow as a word of its own: init --samples DIR.
		if o.samples == "." && len(o.inputs) == 1 {
			o.samples, o.inputs = o.inputs[0], nil
		}
		if len(o.inputs) > 0 {
			return usageError("type leadload init --samples FOLDER, then leadload init FILE", "--samples takes one folder, and nothing else goes with it")
		}
		return a.writeSamples(o.samples)
	}
	if len(o.inputs) != 1 {
		return usageError("type leadload init FILE, or leadload init --samples FOLDER", "init takes one file, and %s given", count(int64(len(o.inputs)), "was", "were"))
	}
	d := mapping.DraftOptions{Target: mapping.Target(o.target), Timezone: o.timezone, EventCode: o.eventCode,
		Sheet: o.sheet, HeaderRow: o.headerRow, Delimiter: o.delimiter, Encoding: o.encoding}
	if err := choice("target", o.target, mapping.TargetNames()...); err != nil {
		return err
	}
	if o.headerRow < 0 || o.eventCode < 0 {
		return usageError("leave it out to have it found", "--header-row and --type are positive numbers")
	}
	if o.timezone != "" {
		if _, err := converter.LoadZone(o.timezone); err != nil {
			return usageError("write it as Asia/Kolkata", "--timezone %q: %s", o.timezone, err)
		}
	}
	if o.mapOut != "" {
		// Told before the account is asked; the exclusive creation below is what holds.
		if _, err := os.Lstat(o.mapOut); err == nil {
			return taken(o.mapOut)
		}
	}
	f, err := source.Open(o.inputs[0], source.Options{Sheet: o.sheet, HeaderRow: o.headerRow, Delimiter: o.delimiter, Encoding: o.encoding})
	if err != nil {
		return err
	}
	defer f.Close()
	sample, numbers, words, err := sampleOf(ctx, f)
	if err != nil {
		return err
	}
	d.Words, d.Numbers, d.Letters = words, numbers, f.Positions()
	var notes []string
	if o.online {
		if notes, err = a.askFields(ctx, o, &d); err != nil {
			return err
		}
	}
	text, more := mapping.Draft(filepath.Base(o.inputs[0]), f.Header(), sample, d)
	notes = append(append(notes, f.Info().Notes...), more...)
	if err := writeNew(a, o.mapOut, text); err != nil {
		return err
	}
	for _, n := range notes {
		a.say("note: %s", n)
	}
	a.nextAfterDraft(o, f, text)
	return nil
}

// initRows is how many rows a draft looks at.
const initRows = 200

// moreWords bounds the words of a status that are looked for behind the sample.
const moreWords = 100

// sampleOf copies the first rows of a file that can be read, with their
// numbers. Of the rows behind
// them it returns the words of the column that seems to be the status.
func sampleOf(ctx context.Context, f *source.File) (sample [][]converter.Cell, numbers []int, words map[int][]string, err error) {
	status := -1
	known := map[string]bool{}
	for row, err := range f.Rows() {
		if cause := context.Cause(ctx); cause != nil {
			return nil, nil, nil, cause
		}
		if err != nil && len(sample) == initRows {
			break // the check tells it; the draft has what it needs
		}
		if err != nil {
			return nil, nil, nil, err
		}
		if len(row.Faults) > 0 {
			continue
		}
		if len(sample) < initRows {
			sample, numbers = append(sample, row.Clone().Cells), append(numbers, row.Number)
			continue
		}
		if status < 0 {
			if status = mapping.StatusColumn(f.Header(), sample); status < 0 {
				break
			}
			words = map[int][]string{}
			for _, cells := range sample {
				known[cells[status].Text] = true
			}
		}
		if c := row.Cells[status]; c.Kind == converter.TextCell && !known[c.Text] {
			text := strings.Clone(c.Text)
			known[text] = true
			if cell, err := converter.Clean(converter.Cell{Kind: converter.TextCell, Text: text}); err == nil && cell.Text != "" {
				words[status] = append(words[status], cell.Text)
			}
			if len(words[status]) == moreWords {
				break
			}
		}
	}
	return sample, numbers, words, nil
}

// askFields asks the account for what makes the draft better.
func (a *app) askFields(ctx context.Context, o *initOptions, d *mapping.DraftOptions) ([]string, error) {
	k, err := a.connectBriefly(ctx, &o.common)
	if err != nil {
		return nil, err
	}
	defer k.close()
	h, err := k.session.Hints(ctx, d.Target, d.EventCode)
	if err != nil {
		return nil, err
	}
	d.Fields, d.EventCode = h.Fields, h.EventCode
	if d.Timezone == "" {
		d.Timezone = h.TimeZone
	}
	var notes []string
	if h.EventCode == 0 && len(h.Types) > 0 {
		var names []string
		for _, t := range h.Types {
			names = append(names, fmt.Sprintf("%d (%s)", t.Code, t.Name))
		}
		notes = append(notes, "the account has several opportunity types: add --type with one of "+list(names)+", so that its fields are recognised")
	}
	return notes, nil
}

// nextAfterDraft says what to do with the draft: what is to be filled in, or the check.
func (a *app) nextAfterDraft(o *initOptions, f *source.File, text []byte) {
	name := o.mapOut
	if name == "" {
		name = "MAPPING.yaml"
		if isTerminal(a.stdout) {
			a.say("the draft is shown here alone: add -o %s to write it into a file", name)
		}
	}
	m, err := mapping.Parse(name, text)
	if err == nil {
		_, err = m.Compile(f.Header(), f.Positions()...)
	}
	var probs mapping.Problems
	if errors.As(err, &probs) {
		for _, p := range probs {
			a.say("to do: %s%s", place(p), p.Msg)
		}
		a.say("fill this in, then: leadload check %s -m %s", shellWord(o.inputs[0]), shellWord(name))
		return
	}
	a.say("next: leadload check %s -m %s", shellWord(o.inputs[0]), shellWord(name))
}

func taken(path string) error {
	return usageError("name another file, or delete this one first", "%q is there already and is not overwritten", path)
}

// writeNew writes a file that is not there yet; without a name it prints.
func writeNew(a *app, path string, text []byte) error {
	if path == "" || path == "-" {
		_, err := a.data().Write(text)
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return taken(path)
	case err != nil:
		return usageError("name a file in a folder that you may write", "%q cannot be written: %s", path, fault.Pathless(err))
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		err = errors.Join(err, os.Remove(path)) // half a mapping would look like a whole one
		return &fault.Fault{Code: "usage", Msg: fmt.Sprintf("%q cannot be written: %s", path, fault.Pathless(err)), Hint: "free some space, or name another folder"}
	}
	return nil
}

// writeSamples writes the embedded sample files into dir, which is made where it
// is missing. Files that are there stay as they are.
func (a *app) writeSamples(dir string) error {
	next := filepath.Join(dir, "opportunities", "deals")
	err := fs.WalkDir(samples.FS, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if e.IsDir() {
			if err := os.MkdirAll(path, 0o777); err != nil {
				return usageError("name a folder that you may write", "folder %q cannot be made: %s", path, fault.Pathless(err))
			}
			return nil
		}
		text, err := samples.FS.ReadFile(name)
		if err != nil {
			return err
		}
		if _, err := os.Lstat(path); err == nil {
			a.say("%s is there already and was left as it is", path)
			return nil
		}
		if err := writeNew(a, path, text); err != nil {
			return err
		}
		a.say("wrote %s", path)
		return nil
	})
	if err != nil {
		return err
	}
	a.say("next: leadload import %s -m %s --sandbox", shellWord(next+".csv"), shellWord(next+".yaml"))
	return nil
}
