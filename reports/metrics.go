package reports

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"leadload/internal/fault"
)

// WriteMetrics writes s for the textfile collector of node_exporter, which
// reads every file ending in .prom of its folder. The file is replaced as a
// whole. It has mode 0644 under the umask, unlike everything else: the
// collector runs as another user, and there is nothing personal in it. The
// error is an *Error.
func WriteMetrics(path string, s Summary) error {
	folder := filepath.Dir(path)
	fail := func(err error) error {
		return &Error{Code: "results.metrics", Msg: fmt.Sprintf("metrics file %q could not be written", path), Err: fault.Pathless(err),
			Hint: "check that its folder is there and may be written, or name another with --metrics-file"}
	}
	// The collector must not see the file before it is whole: another ending.
	// Nobody can guess its name and put a link there, and none is followed.
	temp := filepath.Join(folder, workPrefix+"metrics-"+rand.Text()+".tmp")
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fail(err)
	}
	_, err = f.Write(metrics(s))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		os.Remove(temp)
		return fail(err)
	}
	if err := syncFolder(folder); err != nil {
		return fail(err)
	}
	return nil
}

// metrics gives s in the text format of Prometheus. All are gauges: the file
// tells of one run, and the next run's numbers may be smaller.
func metrics(s Summary) []byte {
	var b bytes.Buffer
	labels := fmt.Sprintf(`account="%s",command="%s",file="%s"`, escape(s.Account), escape(s.Command), escape(baseName(s.File)))
	one := func(name, help string, value float64) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n%s{%s} %s\n", name, help, name, name, labels, number(value))
	}
	const rows = "leadload_run_rows"
	fmt.Fprintf(&b, "# HELP %s Rows of the last run by result; they add up to all rows.\n# TYPE %s gauge\n", rows, rows)
	for result, n := range s.Totals.Named() {
		fmt.Fprintf(&b, "%s{%s,result=\"%s\"} %d\n", rows, labels, result, n)
	}
	one("leadload_run_calls", "Calls that the last run made, throttled ones too.", float64(s.Calls))
	one("leadload_run_bulk_calls", "Calls of the last run that took many records, among its calls.", float64(s.Bulk))
	one("leadload_run_throttled_calls", "Calls of the last run that the account turned away for their rate.", float64(s.Throttled))
	one("leadload_run_exit_code", "Exit code of the last run; 0 is success.", float64(s.ExitCode))
	one("leadload_run_duration_seconds", "Time that the last run took.", s.Duration)
	if !s.Started.IsZero() {
		one("leadload_run_started_timestamp_seconds", "When the last run started, in Unix time.", float64(s.Started.UnixMilli())/1000)
	}
	if s.Ended != nil && !s.Ended.IsZero() {
		one("leadload_run_ended_timestamp_seconds", "When the last run ended, in Unix time.", float64(s.Ended.UnixMilli())/1000)
	}
	return b.Bytes()
}

func number(v float64) string { return strconv.FormatFloat(finite(v), 'f', -1, 64) }

// escape makes a text fit between the quotes of a label.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(strings.ToValidUTF8(s, "\uFFFD"))
}

// baseName is a file's name without its folders, which are nobody's business.
func baseName(path string) string {
	if path == "" {
		return ""
	}
	return filepath.Base(path)
}
