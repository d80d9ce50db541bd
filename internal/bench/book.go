package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"

	"leadload/loader/ledger"
	"leadload/loader/ledger/sqlite"
	"leadload/loader/source"
	"leadload/reports"
)

// workbookSpeed compares the results workbook, made from a ledger and the
// input, with excelize's StreamWriter and its default zip, which writes as many
// cells that it has in memory.
func workbookSpeed(b *bench) ([]line, error) {
	var lines []line
	var peaks, barePeaks []int64
	sizes := []int{b.either(100_000, 20_000), b.either(500_000, 50_000), b.either(1_000_000, 100_000)}
	for k, n := range sizes {
		file, err := b.file(n)
		if err != nil {
			return nil, err
		}
		led := filepath.Join(b.dir, fmt.Sprintf("book-%d.db", n))
		if _, err := b.start(nil, "@ledger", file, led); err != nil {
			return nil, err
		}
		var bare, ours, ratios []float64
		var peak, barePeak int64
		rounds := 3
		if k > 0 && !b.short {
			rounds = k // one in between, for its memory
		}
		for range rounds {
			var took [2]float64
			for i, args := range [][]string{{"@book", "bare", fmt.Sprint(n)}, {"@book", "ours", file, led}} {
				e, err := b.start(nil, args...)
				if err != nil {
					return nil, err
				}
				var r reading
				if err := e.decode(&r); err != nil {
					return nil, err
				}
				if took[i] = r.Seconds; i == 1 {
					peak = max(peak, e.peak)
				} else {
					barePeak = max(barePeak, e.peak)
				}
			}
			bare, ours, ratios = append(bare, float64(n)/took[0]), append(ours, float64(n)/took[1]), append(ratios, took[0]/took[1])
		}
		lines = append(lines, line{what: fmt.Sprintf("workbook of %s rows × %d columns", count(n), columns+resultColumns), target: "≥ 1.00 of excelize's bare StreamWriter",
			measured: fmt.Sprintf("%s rows/s; bare %s", count(median(ours)), count(median(bare))), ratio: median(ratios), verdict: judge(median(ratios) >= 1)})
		peaks, barePeaks = append(peaks, peak), append(barePeaks, barePeak)
		if err := os.Remove(led); err != nil {
			return nil, err
		}
	}
	// StreamWriter keeps up to 32 MB of each sheet before it uses the disk: a
	// small file does not fill them.
	l := line{what: fmt.Sprintf("the same, %s, %s and %s rows: peak memory", count(sizes[0]), count(sizes[1]), count(sizes[2])),
		target: "does not grow with rows (≤ 1.25 times, the buffers of excelize being full)",
		measured: fmt.Sprintf("%s, %s and %s; bare %s, %s and %s", megabytes(peaks[0]), megabytes(peaks[1]), megabytes(peaks[2]),
			megabytes(barePeaks[0]), megabytes(barePeaks[1]), megabytes(barePeaks[2])), verdict: skipped}
	if peaks[1] > 0 {
		l.ratio = float64(peaks[2]) / float64(peaks[1])
		l.verdict = judge(l.ratio <= 1.25)
	}
	return append(lines, l), nil
}

var resultColumns = len(source.ResultColumns)

// fillLedger makes a ledger as an import of the file leaves it: one row in
// fifty was rejected, the others are loaded.
func fillLedger(ctx context.Context, args []string) (err error) {
	file, err := source.Open(args[0], source.Options{})
	if err != nil {
		return err
	}
	defer file.Close()
	// It need not survive a power cut.
	led, err := sqlite.Open(args[1], sqlite.Options{Unsafe: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, led.Close()) }()
	acct, err := led.Enroll(ctx, "bench", []string{"name:bench"})
	if err != nil {
		return err
	}
	scope, err := led.Scope(ctx, acct, "opportunity:12000")
	if err != nil {
		return err
	}
	lease, err := led.Lease(ctx, acct, ledger.Holder{})
	if err != nil {
		return err
	}
	run, err := led.Begin(ctx, ledger.Run{Account: acct, AccountName: "bench", Command: "import", Input: filepath.Base(args[0]), InputPath: args[0],
		Target: "opportunity", Timezone: "Asia/Kolkata", Started: time.Now().UTC()})
	if err != nil {
		return err
	}
	planner := ledger.Planner{Store: led, Lease: lease, Run: run, Scope: scope}
	var digester ledger.Digester
	var batch []ledger.Entry
	fault := make(chan error, 1)
	flush := func() error {
		if err := planner.Plan(ctx, batch); err != nil {
			return err
		}
		intents := make([]ledger.Intent, len(batch))
		for i, e := range batch {
			intents[i] = ledger.Intent{Record: e.Record, At: time.Now()}
		}
		if err := led.Intend(ctx, lease, ledger.Reserved, intents...); err != nil {
			return err
		}
		for _, e := range batch {
			o := ledger.Outcome{Record: e.Record, State: ledger.Loaded, ID: recordID(e.Number), LeadID: recordID(e.Number + 1<<30)}
			if e.Number%50 == 0 {
				o = ledger.Outcome{Record: e.Record, State: ledger.Rejected, Code: "account.rejected", Msg: "MXMandatoryAttributeMissingException: the attribute mx_City is missing", Hint: "fill in the attribute in this row"}
			}
			led.SettleLater(lease, o, func(err error) {
				if err != nil {
					select {
					case fault <- err:
					default:
					}
				}
			})
		}
		batch = batch[:0]
		return led.Flush()
	}
	for row, err := range file.Rows() {
		if err != nil {
			return err
		}
		id := row.Cells[0].Text
		batch = append(batch, ledger.Entry{Number: row.Number, Line: row.Line, Origin: row.Origin, Fingerprint: row.Fingerprint(), HasKey: true,
			Identity: ledger.HashIdentity(id), KeyText: string([]byte(id)), Digest: digester.Digest(1, func(int) (string, string) { return "mx_Custom_2", id })})
		if len(batch) == 512 {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	select {
	case err := <-fault:
		return err
	default:
		return nil
	}
}

// recordID has the form of the account's ids.
func recordID(n int) string {
	return fmt.Sprintf("%08x-72a4-4f31-9d06-%012x", uint32(n)*2654435761, uint64(n)*0x9E3779B97F4A7C15>>16)
}

// writeBook writes a workbook, ours or the yardstick's, and tells its time.
func writeBook(ctx context.Context, args []string) error {
	dir, err := os.MkdirTemp("", "leadload-book-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "results.xlsx")
	began := time.Now()
	switch args[0] {
	case "ours":
		err = oursBook(ctx, args[1], args[2], out)
	default:
		n, aerr := strconv.Atoi(args[1])
		if aerr != nil {
			return aerr
		}
		err = bareBook(n, out)
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(reading{Seconds: time.Since(began).Seconds()})
}

func oursBook(ctx context.Context, input, path, out string) error {
	file, err := source.Open(input, source.Options{})
	if err != nil {
		return err
	}
	defer file.Close()
	led, err := sqlite.Open(path, sqlite.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer led.Close()
	runs, err := led.Runs(ctx, ledger.RunQuery{Newest: 1})
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		return errors.New("the ledger has no run")
	}
	tally, err := led.Tally(ctx, runs[0].ID)
	if err != nil {
		return err
	}
	_, err = reports.Write(ctx, reports.Report{Ledger: led, Run: runs[0], Totals: tally.Counts(), Input: file}, out)
	return err
}

// bareBook writes one sheet of bare strings.
func bareBook(n int, out string) error {
	f := excelize.NewFile()
	defer f.Close()
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		return err
	}
	const kinds = 1000
	var rows [kinds][]any
	for i := range rows {
		rows[i] = []any{strconv.Itoa(i + 2), "loaded", recordID(i), recordID(i + 1<<30), "", "", "1", "2026-01-02 03:04:05", fmt.Sprintf("D-%07d", i),
			fmt.Sprintf("D-%07d", i), fmt.Sprintf("person%d@example.com", i), fmt.Sprintf("98%08d", i), "Asha Rao", "Bengaluru", "Home Loan", "Won", fmt.Sprintf("%d.50", 1000+i),
			fmt.Sprintf("%02d/%02d/2025 %02d:%02d", 1+i%28, 1+i%12, i%24, i%60), "spoke, will call", "Website", "Jayanagar", "a", "b", strconv.Itoa(i)}
		if len(rows[i]) != columns+resultColumns {
			return fmt.Errorf("%d columns, want %d", len(rows[i]), columns+resultColumns)
		}
	}
	for i := range n {
		if err := w.SetRow("A"+strconv.Itoa(i+1), rows[i%kinds]); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.SaveAs(out)
}
