package chaos

import (
	"encoding/csv"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"leadload/internal/sandbox"
)

// row is one line of the input and what it must become in the account; no
// content means that it is invalid and must not be there.
type row struct {
	cells   []string
	content string
	refused bool // by the account
}

// shape is a kind of file with its mapping.
type shape struct {
	name    string
	mapping string
	header  []string
	make    func(n int, r *rand.Rand) []row
	sales   bool
	async   bool
}

const captureHead = `version: 1
target: %s
search_by: EmailAddress
%sLeadDetails:
  EmailAddress: {column: Email, type: email, required: true}
Opportunity:
  OpportunityEventCode: 12000
  OpportunityNote: Note
  Fields:
    mx_Custom_1: Name
    mx_Custom_6: {column: Amount, type: number}
    Status: {column: Stage, values: {Open: Open, Won: Won}}
%s`

func capture(target, key, fields string) string { return fmt.Sprintf(captureHead, target, key, fields) }

var dealHeader = []string{"Deal ID", "Email", "Name", "Amount", "Stage", "Note", "Ref"}

var shapes = []shape{
	// The key goes to the account in a field of its own, and identifies the record there.
	{name: "key-sent", header: dealHeader, make: deals(true, true), mapping: capture("opportunity", "key: Deal ID\n", "    mx_Custom_2: Deal ID\n")},
	// The key stays here: records are known by their values alone.
	{name: "key-kept", header: dealHeader, make: deals(false, true), mapping: capture("opportunity", "key: Deal ID\n", "    mx_Custom_3: Ref\n")},
	// No key: rows are named by what they say, and some say the same.
	{name: "no-key", header: dealHeader, make: deals(false, false), mapping: capture("opportunity", "", "    mx_Custom_3: Ref\n")},
	{name: "sales", header: dealHeader, make: sales, sales: true, mapping: `version: 1
target: sales-activity
lead: {find_by: EmailAddress, column: Email}
SalesActivity:
  ProductSku: Name
  Status: {column: Stage, values: {Open: Open, Won: Won}}
  Revenue: {column: Amount, type: number}
  mx_Custom_5: Ref
`},
	{name: "async", header: dealHeader, make: deals(true, true), async: true, mapping: capture("opportunity-async", "key: Deal ID\n", "    mx_Custom_2: Deal ID\n")},
}

// email gives most rows a lead of their own, many a lead with a dozen rows,
// and some stretches one lead alone.
func email(i, n int, r *rand.Rand) string {
	switch {
	case i%(n/2+1) > n/3 && i%(n/2+1) < n/3+n/20:
		return "burst@example.com"
	case r.IntN(3) == 0:
		return fmt.Sprintf("lead%d@example.com", r.IntN(n/12+1))
	}
	return fmt.Sprintf("own%d@example.com", i)
}

func content(email, note string, fields map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s|%s", strings.ToLower(email), note)
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		if fields[k] != "" {
			fmt.Fprintf(&b, "|%s=%s", k, fields[k])
		}
	}
	return b.String()
}

// deals makes opportunities. Without a key some rows are the same as others,
// and some say only a part of what another says.
func deals(sent, keyed bool) func(n int, r *rand.Rand) []row {
	return func(n int, r *rand.Rand) []row {
		rows := make([]row, n)
		for i := range rows {
			id, mail := fmt.Sprintf("D-%05d", i), email(i, n, r)
			name, amount, stage := fmt.Sprintf("Deal %d", i), fmt.Sprintf("%d.%02d", r.IntN(90000)+1, r.IntN(90)+10), []string{"Open", "Won"}[r.IntN(2)]
			note, ref := "", ""
			if r.IntN(2) == 0 {
				note = "Called twice, prefers evenings"
			}
			if r.IntN(4) > 0 {
				ref = fmt.Sprintf("R%04d", i)
			}
			if !keyed && i > 0 && r.IntN(5) == 0 {
				// The same as a row before it, or a part of it.
				was := rows[r.IntN(i)].cells
				mail, name, amount, stage, note, ref = was[1], was[2], was[3], was[4], was[5], was[6]
				if r.IntN(2) == 0 {
					ref = ""
				}
			}
			if !strings.Contains(mail, "@") {
				mail = fmt.Sprintf("own%d@example.com", i)
			}
			rows[i].cells = []string{id, mail, name, amount, stage, note, ref}
			if r.IntN(100) == 0 {
				rows[i].cells[1] = "not an address"
				continue
			}
			fields := map[string]string{"mx_Custom_1": name, "mx_Custom_6": amount, "Status": stage}
			if sent {
				fields["mx_Custom_2"] = id
			} else {
				fields["mx_Custom_3"] = ref
			}
			rows[i].content = content(mail, note, fields)
		}
		return rows
	}
}

func sales(n int, r *rand.Rand) []row {
	rows := make([]row, n)
	for i := range rows {
		mail := email(i, n, r)
		sku, amount, stage, ref := fmt.Sprintf("SKU-%d", r.IntN(9)), fmt.Sprint(r.IntN(90000)+1), []string{"Open", "Won"}[r.IntN(2)], fmt.Sprintf("INV-%05d", i)
		rows[i].cells = []string{fmt.Sprintf("D-%05d", i), mail, sku, amount, stage, "", ref}
		rows[i].content = content(mail, "", map[string]string{"ProductSku": sku, "Revenue": amount, "Status": stage, "mx_Custom_5": ref})
	}
	return rows
}

func writeCSV(path string, header []string, rows []row) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := csv.NewWriter(f)
	if err := w.Write(header); err != nil {
		return err
	}
	for _, r := range rows {
		if err := w.Write(r.cells); err != nil {
			return err
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}
	return f.Close()
}

// contents gives what the account holds, by id.
func contents(a *sandbox.Account, s shape) map[string]string {
	mail := map[string]string{}
	for _, l := range a.Leads() {
		mail[l.ID] = l.Attributes["EmailAddress"]
	}
	out := map[string]string{}
	if s.sales {
		for _, v := range a.SalesActivities() {
			fields := map[string]string{"ProductSku": v.ProductSku, "Revenue": v.Revenue, "Status": v.Status}
			maps.Copy(fields, v.Fields)
			out[v.ID] = content(mail[v.LeadID], "", fields)
		}
		return out
	}
	for _, o := range a.Opportunities() {
		out[o.ID] = content(mail[o.LeadID], o.Note, o.Fields)
	}
	return out
}
