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
	const ending = "-results.xlsx"
	stem := strings.TrimSuffix(nameFor(input, "-results"), ending)
	ours := map[string][]string{} // folder → the beginnings of the names that results have there
	if input != "-" {
		ours[filepath.Dir(input)] = append(ours[filepath.Dir(input)], stem)
	}
	own := []string{filepath.Clean(input)} // the input itself may be a results workbook
	if path, err := PathFor(input, out, ""); err == nil && path != "-" {
		ours[filepath.Dir(path)] = append(ours[filepath.Dir(path)], stem, strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)))
		own = append(own, path)
	}
	type found struct {
		path string
		at   time.Time
	}
	var list []found
	for folder, stems := range ours {
		entries, err := os.ReadDir(folder)
		if err != nil {
			continue
		}
		for _, e := range entries {
			name, path := e.Name(), filepath.Join(folder, e.Name())
			begins := func(stem string) bool { return strings.HasPrefix(name, stem+"-") }
			if !isXLSX(name) || !slices.ContainsFunc(stems, begins) && !slices.Contains(own, path) {
				continue
			}
			if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
				list = append(list, found{path, info.ModTime()})
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
