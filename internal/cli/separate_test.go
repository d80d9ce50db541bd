package cli

import (
	"os"
	"path/filepath"
	"testing"
)

func TestOneFileForTwoThingsIsRefused(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"deals.csv", "m.yaml", "a.yaml", "l.db", "api.log"} {
		write(t, in(name), "x")
	}
	must(t, os.Link(in("l.db"), in("hard")))
	linked := os.Symlink("l.db", in("soft")) == nil
	good := func() *common {
		return &common{mapping: in("m.yaml"), account: in("a.yaml"), apiLog: in("api.log"), metrics: in("run.prom"), files: []string{in("deals.csv"), "-"}}
	}
	if err := good().separate(in("l.db")); err != nil {
		t.Errorf("files of their own: %v", err)
	}
	for name, change := range map[string]func(c *common){
		"metrics is the ledger":                func(c *common) { c.metrics = in("l.db") },
		"metrics is the ledger's -wal":         func(c *common) { c.metrics = in("l.db-wal") },
		"metrics is an input":                  func(c *common) { c.metrics = in("deals.csv") },
		"metrics is the account file":          func(c *common) { c.metrics = in("a.yaml") },
		"metrics is the mapping":               func(c *common) { c.metrics = filepath.Join(dir, "sub", "..", "m.yaml") },
		"metrics is the log":                   func(c *common) { c.metrics = in("api.log") },
		"metrics is a former log":              func(c *common) { c.metrics = in("api.log.2") },
		"the log is the ledger":                func(c *common) { c.apiLog = in("l.db") },
		"the log is a hard link of the ledger": func(c *common) { c.apiLog = in("hard") },
		"the log is an input":                  func(c *common) { c.apiLog = in("deals.csv") },
		"the log is the mapping":               func(c *common) { c.apiLog = in("m.yaml") },
		"the mapping is the ledger":            func(c *common) { c.mapping = in("l.db") },
		"an input is the ledger":               func(c *common) { c.files = append(c.files, in("l.db")) },
		"the log is a link to the ledger": func(c *common) {
			c.apiLog = in("hard")
			if linked {
				c.apiLog = in("soft")
			}
		},
	} {
		c := good()
		change(c)
		if err := c.separate(in("l.db")); err == nil || traitOf(err).Exit() != 2 {
			t.Errorf("%s: %v", name, err)
		}
	}
	null := good()
	null.metrics, null.apiLog = os.DevNull, os.DevNull
	if err := null.separate(in("l.db")); err != nil {
		t.Errorf("a device for two things: %v", err)
	}
}
