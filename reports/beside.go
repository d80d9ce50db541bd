package reports

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"leadload/loader/source"
)

// besideMost is how many results files beside an input are looked into, the newest
// first.
const besideMost = 5

// LoadedBeside looks for a results workbook of an input by which a row is in an
// account of this name: beside the input, or where out puts its results. It returns
// its path; "": there is none. A file that cannot be read says nothing.
func LoadedBeside(input, out, account string) (string, error) {
	if input == "-" {
		return "", nil
	}
	stem := strings.TrimSuffix(filepath.Base(input), filepath.Ext(input))
	folders := []string{filepath.Dir(input)}
	if path, err := PathFor(input, out, ""); err == nil && path != "-" && !slices.Contains(folders, filepath.Dir(path)) {
		folders = append(folders, filepath.Dir(path))
	}
	type found struct {
		path string
		at   time.Time
	}
	var list []found
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			continue
		}
		for _, e := range entries {
			name := e.Name()
			// The input itself may be a results workbook.
			if !isXLSX(name) || !strings.HasPrefix(name, stem+"-") && name != filepath.Base(input) {
				continue
			}
			if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
				list = append(list, found{filepath.Join(folder, name), info.ModTime()})
			}
		}
	}
	slices.SortFunc(list, func(a, b found) int { return b.at.Compare(a.at) })
	for _, f := range list[:min(len(list), besideMost)] {
		if hasLoaded(f.path, account) {
			return f.path, nil
		}
	}
	return "", nil
}

// hasLoaded reports whether a file is a results workbook of an import into an
// account of this name, with an id.
func hasLoaded(path, account string) bool {
	f, err := source.Open(path, source.Options{Sheet: titleAll})
	if err != nil {
		return false
	}
	defer f.Close()
	at := slices.Index(source.ResultColumns, "ID")
	if !f.Info().Results || at < 0 || !namesAccount(path, account) {
		return false
	}
	for row, err := range f.Rows() {
		if err != nil {
			return false
		}
		if at < len(row.Outcome) && strings.TrimSpace(row.Outcome[at].Text) != "" {
			return true
		}
	}
	return false
}

// namesAccount reports whether a workbook's Summary is that of an import into an
// account of this name.
func namesAccount(path, account string) bool {
	x, err := excelize.OpenFile(path, excelize.Options{UnzipXMLSizeLimit: 16 << 20})
	if err != nil {
		return false
	}
	defer x.Close()
	rows, err := x.Rows(titleSummary)
	if err != nil {
		return false
	}
	defer rows.Close()
	same, imported := false, false
	for n := 0; rows.Next() && n < 40; n++ {
		cells, err := rows.Columns()
		if err != nil {
			return false
		}
		if len(cells) < 2 {
			continue
		}
		same = same || cells[0] == "Account" && cells[1] == account
		imported = imported || cells[0] == "Run" && strings.Contains(cells[1], "(import,")
	}
	return same && imported
}
