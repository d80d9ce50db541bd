package sqlite

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"leadload/loader/ledger"
)

// TestCopyHasEverything says that a copy takes over every column of every table, but
// those that are listed here.
func TestCopyHasEverything(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger.db"), Options{})
	own := []string{"meta", "payloads", "leases.who", "leases.command", "leases.since", "records.hash", "records.tail", "rosters.id"}
	taken := map[string]bool{}
	for _, table := range ledger.Tables {
		for _, c := range table.Columns {
			taken[table.Name+"."+c.Name] = true
		}
	}
	rows, err := l.db.Query("SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'")
	check(t, err)
	defer rows.Close()
	for rows.Next() {
		var table, column string
		check(t, rows.Scan(&table, &column))
		if name := table + "." + column; !taken[name] && !strings.HasPrefix(table, "sqlite_") && !slices.Contains(own, table) && !slices.Contains(own, name) {
			t.Errorf("%s is not copied: write it into ledger.Tables", name)
		}
	}
	check(t, rows.Err())
}
