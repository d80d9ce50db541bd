package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"leadload/internal/sandbox"
)

// TestLeadsAreLookedUpOnce counts the calls of a sales file in which every
// lead has several rows: one look-up for each lead, one call for each row,
// and none for a second import.
func TestLeadsAreLookedUpOnce(t *testing.T) {
	rows, leads := 500, 80
	if v := os.Getenv("LEADLOAD_TEST_ROWS"); v != "" {
		if _, err := fmt.Sscanf(v, "%d/%d", &rows, &leads); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	a, err := sandbox.Start(sandbox.Options{Calls: sandbox.NoLimit})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	ids := make([]string, leads)
	for i := range leads {
		if ids[i], err = a.AddLead(map[string]string{"EmailAddress": fmt.Sprintf("person%d@example.com", i)}); err != nil {
			t.Fatal(err)
		}
	}
	var byMail, byID strings.Builder
	byMail.WriteString("Invoice,Email,Amount\n")
	byID.WriteString("Invoice,Lead,Amount\n")
	for i := range rows {
		format := "I-%d,person%d@example.com,%d.50\n"
		if i%3 == 1 {
			format = "I-%d,Person%d@Example.com,%d.50\n" // the same lead
		}
		fmt.Fprintf(&byMail, format, i, i%leads, i)
		fmt.Fprintf(&byID, "J-%d,%s,%d\n", i, ids[i%leads], i)
	}
	mapping := func(lead string) string {
		return "version: 1\ntarget: sales-activity\nkey: Invoice\n" + lead + "  Status: {value: Won}\n  Revenue: Amount\n  mx_Custom_5: Invoice\n"
	}
	for name, text := range map[string]string{
		"mail.csv": byMail.String(), "id.csv": byID.String(),
		"mail.yaml": mapping("lead: {find_by: EmailAddress, column: Email}\nSalesActivity:\n"), "id.yaml": mapping("SalesActivity:\n  ProspectId: Lead\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	access, secret, _ := a.Keys()
	env := map[string]string{
		"LEADSQUARED_HOST": a.URL(), "LEADSQUARED_ACCESS_KEY": access, "LEADSQUARED_SECRET_KEY": secret,
		"XDG_STATE_HOME": filepath.Join(dir, "state"), "HOME": dir, "LEADLOAD_LIMIT": "off",
	}
	for _, step := range []struct {
		name, file string
		calls      int
		says       string
	}{
		{"by e-mail", "mail", rows + leads, fmt.Sprintf("loaded %d ", rows)},
		{"again", "mail", 0, fmt.Sprintf("already %d ", rows)},
		{"by id", "id", rows, fmt.Sprintf("loaded %d ", rows)},
	} {
		before := a.Count().Calls
		var out, errs bytes.Buffer
		code := Main(context.Background(), []string{"import", filepath.Join(dir, step.file+".csv"), "-m", filepath.Join(dir, step.file+".yaml"), "-q"},
			strings.NewReader(""), &out, &errs, func(k string) string { return env[k] })
		if code != 0 || !strings.Contains(out.String(), step.says) {
			t.Fatalf("%s: exit code %d, said %q and %q, want %q", step.name, code, out.String(), errs.String(), step.says)
		}
		if got := int(a.Count().Calls - before); got != step.calls {
			t.Errorf("%s: %d calls, want %d", step.name, got, step.calls)
		}
	}
	if c := a.Count(); c.SalesActivities != 2*rows || c.Leads != leads {
		t.Errorf("the account has %d sales activities and %d leads, want %d and %d", c.SalesActivities, c.Leads, 2*rows, leads)
	}
}
