// Package imports holds the rules of who may import whom, as a test.
package imports

import (
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// allowed says which of our own packages a package may import. A package
// that is not listed must not exist. Below internal/cli imports go down only:
//
//	cli → loader → account, plan, update, settle → send → compare, target, line, ledger → leadsquared, pace, mapping → converter
var allowed = map[string][]string{
	"leadload":                          {"internal/cli"},
	"leadload/converter":                {"converter/zonedata"},
	"leadload/converter/zonedata":       {},
	"leadload/mapping":                  {"converter", "internal/fault"},
	"leadload/loader":                   {"loader/bulk", "loader/plan", "loader/account", "loader/send", "loader/settle", "loader/update", "loader/undo", "loader/words", "loader/compare", "loader/target", "loader/line", "loader/ledger", "loader/source", "loader/leadsquared", "loader/pace", "mapping", "converter", "internal/fault"},
	"leadload/loader/account":           {"loader/target", "loader/line", "loader/leadsquared", "loader/pace", "mapping", "converter", "internal/fault"},
	"leadload/loader/send":              {"loader/target", "loader/line", "loader/ledger", "loader/leadsquared", "loader/pace", "mapping", "internal/fault"},
	"leadload/loader/bulk":              {"loader/update", "loader/send", "loader/target", "loader/line", "loader/ledger", "loader/leadsquared", "loader/pace", "mapping", "internal/fault"},
	"leadload/loader/settle":            {"loader/compare", "loader/send", "loader/target", "loader/line", "loader/ledger", "loader/leadsquared", "mapping", "internal/fault"},
	"leadload/loader/target":            {"loader/line", "loader/ledger", "loader/leadsquared", "mapping", "internal/fault"},
	"leadload/loader/words":             {},
	"leadload/loader/compare":           {"loader/leadsquared", "loader/ledger"},
	"leadload/loader/update":            {"loader/compare", "loader/send", "loader/target", "loader/line", "loader/ledger", "loader/leadsquared", "mapping", "internal/fault"},
	"leadload/loader/undo":              {"loader/update", "loader/compare", "loader/send", "loader/target", "loader/line", "loader/ledger", "loader/leadsquared", "loader/words", "mapping", "internal/fault"},
	"leadload/loader/line":              {"loader/leadsquared", "loader/pace", "internal/fault"},
	"leadload/loader/source":            {"converter", "internal/fault"},
	"leadload/loader/leadsquared":       {},
	"leadload/loader/pace":              {},
	"leadload/loader/plan":              {"internal/fault", "loader/target", "loader/ledger", "loader/leadsquared", "loader/source", "mapping", "converter"},
	"leadload/loader/ledger":            {"internal/fault"}, // neither mapping nor leadsquared, nor a database
	"leadload/loader/ledger/sqlite":     {"loader/ledger", "internal/fault"},
	"leadload/loader/ledger/postgres":   {"loader/ledger", "loader/pace"},
	"leadload/loader/ledger/ledgertest": {"loader/ledger"},
	"leadload/reports":                  {"converter", "internal/fault", "loader/ledger", "loader/source", "loader/words"},
	"leadload/samples":                  {},
	"leadload/internal/fault":           {},
	"leadload/internal/sandbox":         {},
	"leadload/internal/imports":         {},
	"leadload/internal/release":         {"samples"},
	"leadload/internal/chaos":           {"internal/cli", "internal/sandbox", "loader", "loader/ledger", "samples"},
	"leadload/internal/bench":           {"internal/cli", "internal/sandbox", "loader", "loader/account", "loader/source", "loader/leadsquared", "loader/ledger", "loader/ledger/postgres", "loader/ledger/sqlite", "loader/pace", "mapping", "converter", "reports"},
	"leadload/internal/cli":             {"converter", "mapping", "loader", "loader/account", "loader/source", "loader/leadsquared", "loader/pace", "loader/ledger", "loader/ledger/sqlite", "loader/ledger/postgres", "loader/words", "reports", "samples", "internal/sandbox", "internal/fault"},
}

// forbidden are packages that nothing of ours may use, with the reason.
var forbidden = map[string]string{
	"io/ioutil":           "deprecated",
	"log":                 "packages below internal/cli neither print nor exit; use errors",
	"math/rand":           "use math/rand/v2",
	"unsafe":              "",
	"database/sql/driver": "loader/ledger/sqlite and loader/pace alone talk to SQLite, through database/sql",
}

// unsafeUsers may use unsafe, each for the reason given there.
var unsafeUsers = map[string]bool{"leadload/loader/ledger": true, "leadload/loader/source": true}

type pkg struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "leadload/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func TestImports(t *testing.T) {
	all := packages(t)
	if len(all) < 10 {
		t.Fatalf("only %d packages were found", len(all))
	}
	for _, p := range all {
		may, known := allowed[p.ImportPath]
		if !known {
			t.Errorf("package %s has no place in the layout", p.ImportPath)
			continue
		}
		for _, fault := range faults(p, may) {
			t.Error(fault)
		}
	}
}

// faults gives a sentence for every import that p must not have.
func faults(p pkg, may []string) []string {
	var out []string
	for _, imp := range p.Imports {
		if why, bad := forbidden[imp]; bad && !(imp == "unsafe" && unsafeUsers[p.ImportPath]) {
			out = append(out, p.ImportPath+" imports "+imp+": "+why)
		}
		own, ok := strings.CutPrefix(imp, "leadload/")
		if !ok {
			continue
		}
		found := false
		for _, m := range may {
			found = found || m == own
		}
		if !found {
			out = append(out, p.ImportPath+" must not import "+own)
		}
	}
	return out
}

func TestImportRulesBite(t *testing.T) {
	p := pkg{ImportPath: "leadload/converter", Imports: []string{"leadload/mapping", "log", "strings", "unsafe"}}
	if got := faults(p, allowed[p.ImportPath]); len(got) != 3 {
		t.Errorf("faults = %q, want three", got)
	}
}
