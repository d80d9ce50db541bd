package cli

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"leadload/internal/fault"
	"leadload/internal/sandbox"
	"leadload/mapping"
	"leadload/reports"
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

// TestSamplesAreNamed keeps the list of embedded files free of whatever a run
// leaves in the folders of the samples.
func TestSamplesAreNamed(t *testing.T) {
	n := 0
	err := fs.WalkDir(samples.FS, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		n++
		if reports.IsResults(path) || strings.HasSuffix(path, ".db") || strings.HasSuffix(path, ".log") {
			t.Errorf("%s is embedded", path)
		}
		return nil
	})
	if err != nil || n < 10 {
		t.Fatalf("%d samples, %v", n, err)
	}
	text, err := os.ReadFile("../../samples/samples.go")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "//go:embed") && strings.ContainsAny(line, "*?[") {
			t.Errorf("a pattern embeds what nobody named: %s", line)
		}
	}
}

// TestCronSamplesRun runs the import of each nightly sample, as it is written,
// on a folder with one file.
func TestCronSamplesRun(t *testing.T) {
	for _, name := range []string{"crontab", "leadload.service", "task-scheduler.cmd"} {
		t.Run(name, func(t *testing.T) {
			text, err := samples.FS.ReadFile("cron/" + name)
			if err != nil {
				t.Fatal(err)
			}
			found := regexp.MustCompile(`leadload(?:\.exe)? (import [^">\n]*)`).FindSubmatch(text)
			if found == nil {
				t.Fatal("the sample runs no import")
			}
			dir := t.TempDir()
			t.Chdir(dir)
			args := strings.Fields(strings.ReplaceAll(string(found[1]), "/srv/crm/", ""))
			writeSample(t, "opportunities/deals.csv", filepath.Join("drop", "deals.csv"))
			writeSample(t, "opportunities/deals.yaml", "deals.yaml")
			// A file that was changed just now is still being written.
			old := time.Now().Add(-time.Hour)
			if err := os.Chtimes(filepath.Join("drop", "deals.csv"), old, old); err != nil {
				t.Fatal(err)
			}
			env := practiceEnv(t, dir)
			var out, errs bytes.Buffer
			code := Main(t.Context(), args, strings.NewReader(""), &out, &errs, env)
			if code != fault.Done.Exit() || !strings.HasPrefix(out.String(), "loaded 24 ") {
				t.Fatalf("exit code %d, stdout %q, stderr %q", code, out.String(), errs.String())
			}
			for _, want := range []string{"deals.csv", "deals-results.xlsx"} {
				if _, err := os.Stat(filepath.Join("drop", "done", want)); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// writeSample writes an embedded file to path.
func writeSample(t *testing.T, name, path string) {
	t.Helper()
	text, err := samples.FS.ReadFile(name)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// practiceEnv starts a practice account without a limit and returns the
// environment that leads to it, with dir as home.
func practiceEnv(t *testing.T, dir string) func(string) string {
	t.Helper()
	acct, err := sandbox.Start(sandbox.Options{Calls: sandbox.NoLimit})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { acct.Close() })
	access, secret, async := acct.Keys()
	env := map[string]string{
		"HOME": dir, "XDG_STATE_HOME": filepath.Join(dir, ".state"), "LOCALAPPDATA": filepath.Join(dir, ".state"),
		"LEADSQUARED_HOST": acct.URL(), "LEADSQUARED_ASYNC_HOST": acct.AsyncURL(), "LEADSQUARED_LIMIT": "off",
		"LEADSQUARED_ACCESS_KEY": access, "LEADSQUARED_SECRET_KEY": secret, "LEADSQUARED_ASYNC_KEY": async,
	}
	return func(name string) string { return env[name] }
}
