// Command bench measures leadload from end to end, each figure beside its
// target and beside a yardstick that runs in the same minutes on the same
// machine:
//
//	go run ./internal/bench                       everything, about 40 minutes
//	go run ./internal/bench -short                fewer rows, about 10 minutes
//	go run ./internal/bench -only rows200,check   some of it
//	go run ./internal/bench -markdown             the same, and the table of README.md beside it
//	go run ./internal/bench -compare              the tables of README.md that scripts of findings/ print
//
// The account is the practice account in a process of its own. leadload runs
// as a process too: this program starts itself again and behaves as leadload,
// as the account, or as a yardstick, so that times and peak memory are those
// of one thing alone. All traffic stays on 127.0.0.1; what is written lies in
// a temporary folder and is removed.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"leadload/internal/cli"
	"leadload/loader/ledger/postgres"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	code := 0
	if len(os.Args) > 1 && strings.HasPrefix(os.Args[1], roleMark) {
		code = play(ctx, os.Args[1], os.Args[2:])
	} else {
		code = run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	}
	os.Exit(code)
}

// readme is where tables are written, as seen from the module's folder.
const readme = "internal/bench/README.md"

// roleMark begins the first argument of a process that plays a part.
const roleMark = "@"

// play behaves as what the role names.
func play(ctx context.Context, role string, args []string) int {
	if role == "@leadload" {
		if d, err := time.ParseDuration(os.Getenv(leaseMark)); err == nil {
			postgres.LeaseFor = d
		}
		return cli.Main(ctx, args, os.Stdin, os.Stdout, os.Stderr, os.Getenv)
	}
	part := roles[role]
	if part == nil {
		fmt.Fprintf(os.Stderr, "bench: there is no role %q\n", role)
		return 2
	}
	if err := part(ctx, args); err != nil {
		fmt.Fprintf(os.Stderr, "bench %s: %s\n", role, err)
		return 1
	}
	return 0
}

var roles = map[string]func(context.Context, []string) error{
	"@account": serveAccount,
	"@import":  importAlone,
	"@post":    postBare,
	"@csv":     readBareCSV,
	"@xlsx":    readXLSX,
	"@ledger":  fillLedger,
	"@book":    writeBook,
}

// measurement is one part of the table.
type measurement struct {
	name string // of -only
	what string
	run  func(*bench) ([]line, error)
}

var measurements = []measurement{
	{"startup", "from start-up to the first call", startup},
	{"rows200", "200 rows at 25/5s through the whole import", rows200},
	{"wrong-limit", "25/5s set where the account allows 10/5s", wrongLimit},
	{"restart", "SIGKILL in the middle, started again at once", restart},
	{"pacing-far", "calls at 25/5s, 360 ms away", pacingFar},
	{"pacing-rival", "the same beside an integration that takes 40 %", pacingRival},
	{"bulk", "rows that go up to 25 a call, beside single calls", bulk},
	{"bulk-unlimited", "the same with the limit off", bulkUnlimited},
	{"unlimited", "import with the limit off beside a bare HTTP client", unlimited},
	{"slow-disk", "import with the limit off on a disk of 5 ms fsync", slowDisk},
	{"check", "check of a CSV beside encoding/csv", checkSpeed},
	{"large-check", "memory of a check of very many and of very wide rows", largeCheck},
	{"xlsx", "reading an XLSX beside excelize", xlsxSpeed},
	{"shared", "reading shared strings beside texts in their cells", sharedSpeed},
	{"workbook", "results workbook beside excelize's StreamWriter", workbookSpeed},
	{"memory", "peak memory of import as the file grows", memory},
	{"nightly", "a file of which every row is loaded, and what the ledger keeps of it", nightly},
	{"verify", "reading every row back, and finding the rows of a lost ledger", readBack},
	{"database", "a ledger in PostgreSQL beside one in a file", database},
	{"takeover", "a host that goes on where another has stopped", takeover},
	{"changed-night", "a night in which 2 % of the rows changed, and one without a change", changedNight},
	{"large-night", "the same with a million rows, and a check beside that ledger", nightlyMemory},
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	only := flags.String("only", "", "measure only these, with commas: "+strings.Join(names(), ", "))
	short := flags.Bool("short", false, "fewer rows")
	markdown := flags.Bool("markdown", false, "write the table into "+readme+" too")
	against := flags.Bool("compare", false, "run the scripts of findings/ that "+readme+" names, and write their tables into it")
	profile := flags.String("cpuprofile", "", "unlimited: write a CPU profile of one import to this file")
	base := flags.String("base", "", "nightly, large-check, bulk-unlimited: an earlier build of leadload to compare with")
	heap := flags.String("heapprofile", "", "memory: write a profile of what the larger import holds half-way to this file")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	chosen, err := choose(*only)
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("unexpected %q", flags.Arg(0))
	}
	if err != nil {
		fmt.Fprintf(stderr, "bench: %s\n", err)
		return 2
	}
	if *against {
		if err := compare(ctx, readme, func(format string, args ...any) { fmt.Fprintf(stderr, format+"\n", args...) }); err != nil {
			fmt.Fprintf(stderr, "bench: %s\n", err)
			return 1
		}
		return 0
	}
	b, err := newBench(ctx, *short, *profile, *heap, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "bench: %s\n", err)
		return 1
	}
	defer b.close()
	b.base = *base
	code := 0
	before := load()
	var table []line
	for _, m := range chosen {
		if ctx.Err() != nil {
			break
		}
		began := time.Now()
		b.say("%s: %s …", m.name, m.what)
		lines, err := m.run(b)
		if err != nil {
			lines = append(lines, line{what: m.what, measured: "failed: " + err.Error(), verdict: failed})
			code = 1
		}
		for i := range lines {
			lines[i].name = m.name
			b.say("  %s: %s (%s)", lines[i].what, lines[i].measured, lines[i].verdict)
		}
		b.say("  took %s", time.Since(began).Round(time.Second))
		table = append(table, lines...)
	}
	machine := fmt.Sprintf("%d cores, %s/%s, %s%s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), loads(before, load()))
	writePlain(stdout, table)
	fmt.Fprintf(stdout, "\n%s\n", machine)
	if *markdown {
		if err := writeReadme(readme, table, machine); err != nil {
			fmt.Fprintf(stderr, "bench: %s\n", err)
			code = 1
		}
	}
	return code
}

func names() []string {
	var out []string
	for _, m := range measurements {
		out = append(out, m.name)
	}
	return out
}

// choose gives the measurements that -only names, in their usual order.
func choose(only string) ([]measurement, error) {
	if only == "" {
		return measurements, nil
	}
	wanted := strings.Split(only, ",")
	for _, w := range wanted {
		if !slices.Contains(names(), w) {
			return nil, fmt.Errorf("-only: there is no %q; there are %s", w, strings.Join(names(), ", "))
		}
	}
	var out []measurement
	for _, m := range measurements {
		if slices.Contains(wanted, m.name) {
			out = append(out, m)
		}
	}
	return out, nil
}

// load is the machine's load of the last minute, "" where it is not known.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

func loads(before, after string) string {
	if before == "" {
		return ""
	}
	return fmt.Sprintf("; load %s before, %s after", before, after)
}
