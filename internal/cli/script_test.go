package cli

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/xuri/excelize/v2"

	"leadload/internal/sandbox"
	"leadload/samples"
)

// leadloadMain is the program as main.go runs it.
func leadloadMain() {
	os.Exit(Run())
}

func TestMain(m *testing.M) {
	// The scripts mostly wait for windows and delays: more of them than there
	// are processors can wait side by side.
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"leadload": leadloadMain})
}

// TestScripts runs the scripts of testdata. Beside testscript's own commands
// they have:
//
//	samples              copy the sample files into the folder, under short names
//	account [JSON]       start a practice account with these sandbox.Options and set LEADSQUARED_… to it;
//	                     with keys of its own it is remembered as any account
//	faults JSON          set its sandbox.Faults
//	failnext NAME...     let its next creating calls fail so
//	holds WHAT N         compare a number of the account: leads, opportunities, sales, calls, creates, reads, limited
//	waitcalls N          wait until the account has counted N calls
//	age LEDGER DAYS      let all runs of a ledger have ended so many days earlier
//	dump FILE            write everything that the account holds into FILE as JSON
//	edit VALUE NAME=V... change the record or lead that has a value in one of its fields, as a person does
//	revisions VALUE N    compare how often the record that has a value was changed
//	remove VALUE         delete the record that has a value in one of its fields, as an administrator does
//	has VALUE NAME=V...  compare fields of the record or lead that has a value in one of its fields
//	addlead NAME=VALUE.. add a lead to the account
//	limit N              set its calls in 5 s
//	outage MODE          "", 503 or refuse
//	exit N               compare the exit code of the last leadload run by `code`
//	code ARGS...         run leadload and keep its exit code; stdout and stderr can be compared
//	nokeys               look for the account's keys in every file, and in what was printed last
//	database [ROLE]      make a database and name it in $DATABASE; only behind [postgres].
//	                     ROLE connects as a new role: schema has what the help asks for, stranger nothing
//	sql STATEMENT        run a statement in $DATABASE
//	private FILE...      check that nobody else can read the files
//	sheet FILE SHEET     print a sheet of a workbook, cells separated by " | "
//	correct FILE SHEET KEY COLUMN=VALUE...  type into cells of a workbook's row that has the key
func TestScripts(t *testing.T) {
	if signal.Ignored(syscall.SIGHUP) {
		// Under nohup the program goes on, and so would the scripts' programs: a
		// signal that is caught here is not ignored by them.
		hangup := make(chan os.Signal, 1)
		signal.Notify(hangup, syscall.SIGHUP)
		t.Cleanup(func() { signal.Stop(hangup) }) // after the scripts, which run side by side
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("XDG_STATE_HOME", e.WorkDir+"/state")
			e.Setenv("LOCALAPPDATA", "")
			e.Values[stateKey{}] = &scriptState{}
			e.Defer(func() {
				if a := e.Values[stateKey{}].(*scriptState).account; a != nil {
					a.Close()
				}
			})
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "postgres" {
				return false, fmt.Errorf("no condition is called %q", name)
			}
			return os.Getenv("LEADLOAD_TEST_POSTGRES") != "", nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"samples": scriptSamples, "account": scriptAccount, "faults": scriptFaults, "failnext": scriptFailNext, "holds": scriptHolds,
			"dump": scriptDump, "addlead": scriptAddLead, "edit": scriptEdit, "has": scriptHas, "remove": scriptRemove, "revisions": scriptRevisions, "limit": scriptLimit, "outage": scriptOutage, "waitcalls": scriptWaitCalls, "code": scriptCode, "exit": scriptExit, "sheet": scriptSheet, "correct": scriptCorrect,
			"nokeys": scriptNoKeys, "private": scriptPrivate, "age": scriptAge, "database": scriptDatabase, "sql": scriptSQL,
		},
	})
}

type stateKey struct{}

type scriptState struct {
	account *sandbox.Account
	lag     time.Duration // of its reads
	code    int
}

func state(ts *testscript.TestScript) *scriptState { return ts.Value(stateKey{}).(*scriptState) }

func practice(ts *testscript.TestScript) *sandbox.Account {
	a := state(ts).account
	if a == nil {
		ts.Fatalf("no account: write account first")
	}
	return a
}

// sampleNames are the names under which the scripts know the sample files.
var sampleNames = map[string]string{
	"account.yaml": "account.yaml", "mapping.schema.json": "mapping.schema.json",
	"opportunities.csv": "opportunities/faults.csv", "opportunities.xlsx": "opportunities/faults.xlsx", "opportunities.yaml": "opportunities/deals.yaml",
	"deals.csv": "opportunities/deals.csv", "sales.csv": "sales/sales.csv", "sales.yaml": "sales/sales.yaml",
}

func scriptSamples(ts *testscript.TestScript, _ bool, _ []string) {
	for name, path := range sampleNames {
		text, err := samples.FS.ReadFile(path)
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(name), text, 0o600))
	}
}

func scriptAccount(ts *testscript.TestScript, _ bool, args []string) {
	var o sandbox.Options
	if len(args) > 0 {
		dec := json.NewDecoder(strings.NewReader(strings.Join(args, " ")))
		dec.DisallowUnknownFields()
		ts.Check(dec.Decode(&o))
	}
	if old := state(ts).account; old != nil {
		ts.Check(old.Close())
	}
	a, err := sandbox.Start(o)
	ts.Check(err)
	state(ts).account, state(ts).lag = a, o.UpdateLag
	access, secret, async := a.Keys()
	ts.Setenv("LEADSQUARED_HOST", a.URL())
	ts.Setenv("LEADSQUARED_ASYNC_HOST", a.AsyncURL())
	ts.Setenv("LEADSQUARED_ACCESS_KEY", access)
	ts.Setenv("LEADSQUARED_SECRET_KEY", secret)
	ts.Setenv("LEADSQUARED_ASYNC_KEY", async)
	ts.Setenv("HOST", strings.TrimPrefix(a.URL(), "http://"))
}

func scriptFaults(ts *testscript.TestScript, _ bool, args []string) {
	var f sandbox.Faults
	dec := json.NewDecoder(strings.NewReader(strings.Join(args, " ")))
	dec.DisallowUnknownFields()
	ts.Check(dec.Decode(&f))
	ts.Check(practice(ts).SetFaults(f))
}

func scriptFailNext(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(practice(ts).FailNext(args...))
}

func scriptOutage(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(practice(ts).SetOutage(strings.Join(args, "")))
}

func scriptLimit(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	ts.Check(practice(ts).SetLimit(n, sandbox.DefaultWindow))
}

// scriptAge lets all runs of a ledger have begun and ended so many days earlier.
func scriptAge(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: age LEDGER DAYS")
	}
	days, err := strconv.Atoi(args[1])
	ts.Check(err)
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec("UPDATE runs SET started = started - ?1, ended = ended - ?1", int64(days)*24*3600*1000)
	ts.Check(err)
}

// scriptDatabase makes a database that goes with the script.
func scriptDatabase(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	at := os.Getenv("LEADLOAD_TEST_POSTGRES")
	conn, err := pgx.Connect(ctx, at)
	ts.Check(err)
	name := fmt.Sprintf("script_%x", rand.Uint64())
	_, err = conn.Exec(ctx, "CREATE DATABASE "+name)
	ts.Check(err)
	ts.Defer(func() {
		defer conn.Close(ctx)
		_, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
		ts.Check(err)
	})
	u, err := url.Parse(at)
	ts.Check(err)
	u.Path = "/" + name
	if len(args) == 1 {
		role := "of_" + name
		page, err := manual.ReadFile("help/several-machines.md")
		ts.Check(err)
		_, text, _ := strings.Cut(string(page), "```sql\n")
		text, _, found := strings.Cut(text, "```")
		if !found {
			ts.Fatalf("the help has no SQL that makes a role")
		}
		// Roles are the whole server's; the schema keeps its name.
		text = strings.NewReplacer("ROLE leadload", "ROLE "+role, "AUTHORIZATION leadload", "AUTHORIZATION "+role).Replace(text)
		if args[0] == "stranger" {
			text, _, _ = strings.Cut(text, ";")
		}
		in, err := pgx.Connect(ctx, u.String())
		ts.Check(err)
		_, err = in.Exec(ctx, text)
		ts.Check(errors.Join(err, in.Close(ctx)))
		ts.Defer(func() { // before the server's own connection ends
			_, err := conn.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
			_, rerr := conn.Exec(ctx, "DROP ROLE "+role)
			ts.Check(errors.Join(err, rerr))
		})
		u.User = url.User(role)
	}
	ts.Setenv("DATABASE", u.String())
}

func scriptSQL(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: sql STATEMENT")
	}
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, ts.Getenv("DATABASE"))
	ts.Check(err)
	_, err = conn.Exec(ctx, args[0])
	ts.Check(errors.Join(err, conn.Close(ctx)))
}

func scriptHolds(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: holds WHAT N")
	}
	a := practice(ts)
	c := a.Count()
	got := map[string]int64{
		"leads": int64(c.Leads), "opportunities": int64(c.Opportunities), "sales": int64(c.SalesActivities), "calls": int64(c.Calls),
		"creates": int64(c.Creates), "reads": int64(c.Reads), "limited": int64(c.Limited), "window": int64(c.MaxInWindow),
	}
	n, ok := got[args[0]]
	want, err := strconv.ParseInt(args[1], 10, 64)
	if !ok || err != nil {
		ts.Fatalf("holds knows no %q", args)
	}
	if (n == want) == neg {
		ts.Fatalf("the account has %d %s, want %d (negated: %v)", n, args[0], want, neg)
	}
}

func scriptWaitCalls(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 3000 {
		if int64(practice(ts).Count().Calls) >= want {
			return
		}
		<-tick.C
	}
	ts.Fatalf("the account has counted %d calls after 30 s, want %d", practice(ts).Count().Calls, want)
}

func scriptDump(ts *testscript.TestScript, _ bool, args []string) {
	a := practice(ts)
	text, err := json.MarshalIndent(map[string]any{"Opportunities": a.Opportunities(), "Leads": a.Leads(), "SalesActivities": a.SalesActivities(), "Counters": a.Count()}, "", "  ")
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o600))
}

func scriptAddLead(ts *testscript.TestScript, _ bool, args []string) {
	attributes := map[string]string{}
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok {
			ts.Fatalf("addlead takes NAME=VALUE")
		}
		attributes[name] = value
	}
	_, err := practice(ts).AddLead(attributes)
	ts.Check(err)
}

// withValue finds the record, or else the lead, that has a value.
func withValue(ts *testscript.TestScript, value string) (id string, fields map[string]string) {
	a := practice(ts)
	found := 0
	take := func(at string, of map[string]string) {
		for _, v := range of {
			if v == value {
				found++
				id, fields = at, of
				return
			}
		}
	}
	for _, o := range a.Opportunities() {
		o.Fields["OpportunityNote"] = o.Note
		take(o.ID, o.Fields)
	}
	for _, s := range a.SalesActivities() {
		take(s.ID, s.Fields)
	}
	if found == 0 {
		for _, l := range a.Leads() {
			take(l.ID, l.Attributes)
		}
	}
	if found != 1 {
		ts.Fatalf("%d records have the value %q", found, value)
	}
	return id, fields
}

func pairs(ts *testscript.TestScript, args []string) map[string]string {
	out := map[string]string{}
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok {
			ts.Fatalf("write NAME=VALUE, not %s", arg)
		}
		out[name] = value
	}
	return out
}

func scriptEdit(ts *testscript.TestScript, _ bool, args []string) {
	id, _ := withValue(ts, args[0])
	a := practice(ts)
	// A change within a second or so of our own write may be the account's doing.
	for _, o := range a.Opportunities() {
		if o.ID == id {
			<-time.After(time.Until(o.ModifiedOn.Add(2500 * time.Millisecond)))
		}
	}
	if a.EditOpportunity(id, "Asha", pairs(ts, args[1:])) != nil && a.EditSalesActivity(id, "Asha", pairs(ts, args[1:])) != nil {
		ts.Check(a.EditLead(id, "Asha", pairs(ts, args[1:])))
	}
	<-time.After(state(ts).lag) // what reads do not show yet is nobody's work to respect
}

func scriptRemove(ts *testscript.TestScript, _ bool, args []string) {
	id, _ := withValue(ts, args[0])
	ts.Check(practice(ts).DeleteRecord(id))
}

func scriptRevisions(ts *testscript.TestScript, _ bool, args []string) {
	id, _ := withValue(ts, args[0])
	if n := len(practice(ts).Revisions(id)); fmt.Sprint(n) != args[1] {
		ts.Fatalf("the record with %q was changed %d times, want %s", args[0], n, args[1])
	}
}

func scriptHas(ts *testscript.TestScript, neg bool, args []string) {
	_, fields := withValue(ts, args[0])
	for name, want := range pairs(ts, args[1:]) {
		if got := fields[name]; (got == want) == neg {
			ts.Fatalf("%s of the record with %q is %q, want %q (negated: %v)", name, args[0], got, want, neg)
		}
	}
}

// scriptCode runs leadload as a process of its own and keeps its exit code.
func scriptCode(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec("leadload", args...)
	var ee interface{ ExitCode() int }
	switch {
	case err == nil:
		state(ts).code = 0
	case asExitCode(err, &ee):
		state(ts).code = ee.ExitCode()
	default:
		ts.Fatalf("leadload could not be run: %v", err)
	}
}

func scriptExit(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := state(ts).code; got != want {
		ts.Fatalf("leadload ended with exit code %d, want %d", got, want)
	}
}

func scriptSheet(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: sheet FILE SHEET")
	}
	f, err := excelize.OpenFile(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	rows, err := f.GetRows(args[1], excelize.Options{RawCellValue: true})
	ts.Check(err)
	var b bytes.Buffer
	for _, r := range rows {
		fmt.Fprintln(&b, strings.Join(r, " | "))
	}
	fmt.Fprint(ts.Stdout(), b.String())
}

// scriptCorrect types into cells of a results workbook, as a person does.
func scriptCorrect(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: correct FILE SHEET KEY COLUMN=VALUE...")
	}
	f, err := excelize.OpenFile(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	rows, err := f.GetRows(args[1], excelize.Options{RawCellValue: true})
	ts.Check(err)
	done := 0
	for i, row := range rows {
		if len(row) < 2 || row[1] != args[2] {
			continue
		}
		for name, value := range pairs(ts, args[3:]) {
			column := slices.Index(rows[0], name)
			if column < 0 {
				ts.Fatalf("%s has no column %q", args[1], name)
			}
			cell, err := excelize.CoordinatesToCellName(column+1, i+1)
			ts.Check(err)
			ts.Check(f.SetCellStr(args[1], cell, value))
			done++
		}
	}
	if done == 0 {
		ts.Fatalf("no row of %s has the key %q", args[1], args[2])
	}
	ts.Check(f.Save())
}
