package fault_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"leadload/internal/fault"
)

// independent are packages that stand in for the account or try the program from
// outside. They have no codes of their own.
var independent = []string{"internal/sandbox", "internal/chaos", "internal/bench", "internal/release", "internal/imports", "findings", "samples", "loader/ledger/ledgertest"}

// names are texts that look like a code and are names of files.
var names = map[string]bool{"ledger.db": true}

// literals returns every text of the program's source that can be a code, with
// the place where it stands: texts of the form of a code whose family the
// catalogue has, and whatever is given as a Code.
func literals(t *testing.T) map[fault.Code]string {
	t.Helper()
	families := map[string]bool{}
	for _, e := range fault.Catalogue() {
		family, _, _ := strings.Cut(string(e.Code), ".")
		families[family] = true
	}
	form := regexp.MustCompile(`^[a-z-]+\.[A-Za-z_-]+$`)
	found := map[fault.Code]string{}
	files := token.NewFileSet()
	text := func(e ast.Expr) (string, bool) {
		lit, ok := e.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return "", false
		}
		s, err := strconv.Unquote(lit.Value)
		return s, err == nil
	}
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			for _, skip := range independent {
				if filepath.ToSlash(rel) == skip {
					return filepath.SkipDir
				}
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || filepath.ToSlash(rel) == "internal/fault/catalogue.go" {
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		note := func(e ast.Expr) {
			if s, ok := text(e); ok && s != "" {
				found[fault.Code(s)] = files.Position(e.Pos()).String()
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				s, ok := text(n)
				family, _, _ := strings.Cut(s, ".")
				if ok && form.MatchString(s) && families[family] && !names[s] {
					note(n)
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && (key.Name == "Code" || key.Name == "code") {
					note(n.Value)
				}
			case *ast.ValueSpec:
				if typ, ok := n.Type.(*ast.Ident); ok && typ.Name == "Code" {
					for _, v := range n.Values {
						note(v)
					}
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.SelectorExpr); ok && len(n.Args) > 0 {
					if x, ok := f.X.(*ast.Ident); ok && x.Name == "fault" && (f.Sel.Name == "New" || f.Sel.Name == "Code") {
						note(n.Args[0])
					}
				}
			case *ast.AssignStmt:
				for i, left := range n.Lhs {
					if sel, ok := left.(*ast.SelectorExpr); ok && sel.Sel.Name == "Code" && i < len(n.Rhs) {
						note(n.Rhs[i])
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestEveryCodeIsInTheCatalogue(t *testing.T) {
	found := literals(t)
	if len(found) < 150 {
		t.Fatalf("only %d codes were found in the source: the search is broken", len(found))
	}
	for code, at := range found {
		if _, ok := code.Entry(); !ok {
			t.Errorf("%s: the code %q is not in the catalogue", at, code)
		}
	}
	for _, e := range fault.Catalogue() {
		if _, ok := found[e.Code]; !ok && !strings.HasPrefix(string(e.Code), "account.MX") {
			t.Errorf("the catalogue has the code %q, which the program never uses", e.Code)
		}
	}
}

func TestEntries(t *testing.T) {
	seen := map[fault.Code]bool{}
	for _, e := range fault.Catalogue() {
		if seen[e.Code] {
			t.Errorf("code %q is listed twice", e.Code)
		}
		seen[e.Code] = true
		if e.What == "" || e.Do == "" || strings.HasSuffix(e.What, ".") || strings.HasSuffix(e.Do, ".") {
			t.Errorf("entry %q must have a sentence without its full stop, and what to do", e.Code)
		}
		if e.Code.Advice() != e.Do {
			t.Errorf("the advice for %q is %q, want %q", e.Code, e.Code.Advice(), e.Do)
		}
		if e.Code.Trait() == fault.Done {
			t.Errorf("a run that ends with %q ends well", e.Code)
		}
	}
}
