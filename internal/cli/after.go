package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"leadload/reports"
)

// afterFlags say how results are named and kept, and who hears of the end.
type afterFlags struct {
	resultsName string
	keepResults string
	onFinish    string

	suffix string        // of results files, from resultsName
	keep   time.Duration // 0: for good
	told   []reports.Summary
}

func (o *afterFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.resultsName, "results-name", reports.NameInput, "how results files are named: {input}, then {date} or {time} as you like, such as '{input}-{date}'; -results is added")
	f.StringVar(&o.keepResults, "keep-results", "", "remove the input's results of this name that are older, such as 30d; for --results-name with {date}")
	f.StringVar(&o.onFinish, "on-finish", "", "run this command at the end: the JSON summary on its stdin, the exit code in LEADLOAD_EXIT_CODE")
}

// read checks the flags before anything is begun.
func (o *afterFlags) read() error {
	suffix, ok := reports.SuffixFor(o.resultsName, time.Now())
	if !ok {
		return usageError("write it as '{input}-{date}'; it begins with {input}, and {date} and {time} may follow", "--results-name %q is not possible", o.resultsName)
	}
	o.suffix = suffix
	if o.keepResults == "" {
		return nil
	}
	if !strings.Contains(o.resultsName, reports.NameDate) {
		return usageError("add --results-name '{input}-{date}'", "--keep-results goes by the date in the results' names, and they have none")
	}
	d, err := parseDays(o.keepResults)
	if err != nil || d <= 0 {
		return usageError("write a time such as 30d or 12h", "--keep-results %q is not possible", o.keepResults)
	}
	o.keep = d
	return nil
}

// parseDays reads a time such as 30d, or one that Go writes.
func parseDays(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(s)
}

// sweep removes the results of an input that are too old.
func (a *app) sweep(o *afterFlags, out, input string) {
	if o.keep == 0 || out == "" || out == "-" {
		return
	}
	removed, err := reports.RemoveOld(out, input, o.resultsName, time.Now().Add(-o.keep))
	for _, name := range removed {
		a.say("  removed %s, which is older than %s", name, o.keepResults)
	}
	if err != nil {
		a.warn("  old results could not be removed: %s", err)
	}
}

// finishTime is how long the command of --on-finish may take.
const finishTime = time.Minute

// onFinish runs the command that hears of the end. Its own failure is told and
// changes nothing: the rows are what they are.
func (a *app) onFinish(ctx context.Context, o *afterFlags, code int) {
	if o.onFinish == "" {
		return
	}
	var text bytes.Buffer
	var err error
	if len(o.told) == 1 {
		err = reports.WriteJSON(&text, o.told[0])
	} else {
		err = json.NewEncoder(&text).Encode(o.told)
	}
	if err != nil {
		a.explain(err)
		return
	}
	// Ctrl-C ends the load, and the load's end is what is to be told.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
	defer cancel()
	shell, flag := "/bin/sh", "-c"
	if runtime.GOOS == "windows" {
		shell, flag = "cmd", "/C"
	}
	cmd := exec.CommandContext(ctx, shell, flag, o.onFinish)
	cmd.WaitDelay = time.Second
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &text, a.stderr, a.stderr
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); !strings.HasPrefix(name, "LEADSQUARED_") { // its keys are nobody else's
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "LEADLOAD_EXIT_CODE="+strconv.Itoa(code))
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			a.warn("leadload: the command of --on-finish was ended after %s", finishTime)
			return
		}
		a.warn("leadload: the command of --on-finish failed: %s", err)
	}
}
