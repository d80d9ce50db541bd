package loader

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"leadload/loader/account"
	"leadload/loader/source"
	"leadload/mapping"
)

// benchMapping uses what real mappings use: a key, e-mail, phone, an
// expression, listed values, a number and a timestamp.
const benchMapping = `version: 1
target: opportunity
timezone: Asia/Kolkata
key: Deal ID
search_by: EmailAddress
LeadDetails:
  EmailAddress: {column: Email, type: email, required: true}
  Phone: {column: Mobile, type: phone, region: IN}
  FirstName: Contact
  mx_City: City
Opportunity:
  OpportunityEventCode: 12000
  OpportunityNote: Remarks
  OpportunityDateTime: {column: Created at, type: datetime, format: dd/MM/yyyy HH:mm}
  Fields:
    mx_Custom_1: {join: [Contact, Product], separator: " - "}
    mx_Custom_2: Deal ID
    Status: {column: Stage, values: {New: Open, Won: Won, Lost: Lost}}
    mx_Custom_6: {column: Amount, type: number}
    mx_Custom_9: {value: migrated}
    mx_Custom_3: Source
    mx_Custom_4: Branch
ignore: [Extra 1, Extra 2, Extra 3]
`

// writeBenchFile writes a CSV file of n rows and 15 columns.
func writeBenchFile(b *testing.B, n int) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "rows.csv")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "Deal ID,Email,Mobile,Contact,City,Product,Stage,Amount,Created at,Remarks,Source,Branch,Extra 1,Extra 2,Extra 3")
	stages := [...]string{"New", "Won", "Lost"}
	for i := range n {
		fmt.Fprintf(w, "D-%07d,person%d@example.com,98%08d,Asha Rao,Bengaluru,Home Loan,%s,%d.50,%02d/%02d/2025 %02d:%02d,\"spoke, will call\",Website,Jayanagar,a,b,%d\n",
			i, i%300_000, i%100_000_000, stages[i%3], 1000+i%90_000, 1+i%28, 1+i%12, i%24, i%60, i)
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		b.Fatal(err)
	}
	return path
}

// BenchmarkCheck measures how fast a file is checked, beside encoding/csv
// with ReuseRecord reading the same file and doing nothing ("ratio").
//
// The profile's story: once mapping took two thirds, a third of that for bodies
// that nobody looked at and for values written anew (Judge and Check leave
// both out), and a sixth went into copying texts between the goroutines
// (RowsKept). What is left is led by the converters, by reading, and by the
// misses of the cache when keys are looked up.
func BenchmarkCheck(b *testing.B) {
	rows := 100_000
	if os.Getenv("LEADLOAD_BENCH_ROWS") != "" {
		if _, err := fmt.Sscan(os.Getenv("LEADLOAD_BENCH_ROWS"), &rows); err != nil {
			b.Fatal(err)
		}
	}
	path := writeBenchFile(b, rows)
	m, err := mapping.Parse("bench.yaml", []byte(benchMapping))
	if err != nil {
		b.Fatal(err)
	}
	var bare, ours time.Duration
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		r := csv.NewReader(bufio.NewReaderSize(f, 64<<10))
		r.ReuseRecord = true
		for {
			if _, err := r.Read(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
		f.Close()
		bare += time.Since(start)

		start = time.Now()
		in, err := source.Open(path, source.Options{})
		if err != nil {
			b.Fatal(err)
		}
		res, err := Check(context.Background(), CheckJob{Job: Job{Input: path, File: in, Mapping: m}, Account: account.Account{Limit: account.DefaultLimit}})
		if err != nil {
			b.Fatal(err)
		}
		in.Close()
		ours += time.Since(start)
		if res.Plan.Ready() != int64(rows) {
			b.Fatalf("%d rows are good, want %d: %+v", res.Plan.Ready(), rows, res.Plan)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/ours.Seconds(), "rows/s")
	b.ReportMetric(float64(bare)/float64(ours), "ratio")
}
