package chaos

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"leadload/internal/sandbox"
)

// liars are the look-ups that lie in turn, by whether the rows are sales. Only one of
// them lies at a time: against two witnesses that say the same there is no truth.
func liars(sales bool) []string {
	list := []string{"/v2/ProspectActivity.svc/Retrieve", "/v2/LeadManagement.svc/Leads.GetByEmailaddress"}
	if sales {
		return append(list, "/v2/SalesActivity.svc/RetrieveByLeadId", "/v2/SalesActivity.svc/RetrieveActivity")
	}
	for _, name := range []string{"GetOpportunitiesOfLead", "GetOpportunityDetails", "GetOpportunitiesByUniqueLeadField", "GetOpportunitiesById"} {
		list = append(list, "/v2/OpportunityManagement.svc/"+name)
	}
	return list
}

// posted is a call that makes something.
type posted struct {
	number int64
	body   []byte
}

// makes reports whether calls at a path make records.
func makes(path string) bool {
	return strings.HasSuffix(path, "/Capture") || strings.HasSuffix(path, "/Create") || path == "/opportunity/capture"
}

func (g *siege) leadOf(mail string) string {
	for id, m := range g.mails {
		if m == mail {
			return id
		}
	}
	return ""
}

// others are the other people and systems of the account: for some of the calls that
// make a record they make one for the same lead at the same moment, and they merge leads.
func (g *siege) others(stop chan struct{}, r *rand.Rand) {
	merges := 0
	last := ""
	for {
		var p posted
		select {
		case <-stop:
			return
		case p = <-g.seen:
		}
		lead, mail := g.target(p.body)
		if lead == "" {
			continue
		}
		switch {
		case r.IntN(20) == 0:
			g.rival(lead, p.body, r)
		case merges < g.day.rows/300 && r.IntN(100) == 0 && last != "" && last != lead && strings.HasPrefix(mail, "own"):
			merges++
			g.mu.Lock()
			g.merged[mail] = true
			g.mu.Unlock()
			if g.account.MergeLeads(last, lead) == nil {
				g.event("leads merged", mail, " ", lead, " into ", last)
			}
		case strings.HasPrefix(mail, "own"):
			last = lead
		}
	}
}

// target returns the lead of a call that makes a record, where it is there, and its address.
func (g *siege) target(body []byte) (id, mail string) {
	var b struct {
		ProspectId  string
		LeadDetails []struct{ Attribute, Value string }
	}
	if json.Unmarshal(body, &b) != nil {
		return "", ""
	}
	if b.ProspectId != "" {
		return b.ProspectId, g.mails[b.ProspectId]
	}
	for _, d := range b.LeadDetails {
		if d.Attribute == "EmailAddress" {
			mail = d.Value
		}
	}
	time.Sleep(15 * time.Millisecond) // the call makes its lead meanwhile
	for _, l := range g.account.Leads() {
		if strings.EqualFold(l.Attributes["EmailAddress"], mail) {
			return l.ID, mail
		}
	}
	return "", ""
}

// rival makes a record for a lead that has more or less of what a row sends.
func (g *siege) rival(lead string, body []byte, r *rand.Rand) {
	var err error
	form := r.IntN(3)
	if g.sales {
		var b map[string]any
		check(g.T, json.Unmarshal(body, &b))
		values := map[string]string{"ProductSku": "SKU-WEB", "Status": "Open"}
		if form > 0 {
			values = map[string]string{"ProductSku": fmt.Sprint(b["ProductSku"]), "Status": fmt.Sprint(b["Status"]), "Revenue": fmt.Sprint(r.IntN(90000) + 100000), "mx_Custom_5": fmt.Sprintf("WEB-%d", r.Int())}
		}
		if form == 2 {
			delete(values, "mx_Custom_5")
		}
		_, err = g.account.AddSalesActivity(lead, values)
	} else {
		var b struct {
			Opportunity struct {
				Fields []struct{ SchemaName, Value string }
			}
		}
		check(g.T, json.Unmarshal(body, &b))
		values := map[string]string{}
		for _, f := range b.Opportunity.Fields {
			values[f.SchemaName] = f.Value
		}
		switch form {
		case 0:
			values = map[string]string{"mx_Custom_1": "Enquiry from the web form", "Status": "Open"}
		case 1:
			values["mx_Custom_6"] = fmt.Sprint(r.IntN(90000)+100000) + ".00"
			delete(values, "mx_Custom_2")
			delete(values, "mx_Custom_3")
		case 2:
			values["mx_Custom_2"], values["mx_Custom_3"] = fmt.Sprintf("W-%d", r.Int()), fmt.Sprintf("WEB-%d", r.Int())
			values["mx_Custom_6"] = fmt.Sprint(r.IntN(90000)+100000) + ".00"
		}
		_, err = g.account.AddOpportunity(lead, sandbox.DefaultType, "", values)
	}
	if err == nil { // the lead may have been merged
		g.event("records of another system", lead, " form ", form)
	}
}

// weather changes who lies, moves the Date header, and brings an outage.
func (g *siege) weather(stop chan struct{}, f sandbox.Faults, r *rand.Rand) {
	list := liars(g.sales)
	r.Shuffle(len(list), func(i, k int) { list[i], list[k] = list[k], list[i] })
	modes := []string{sandbox.OutageRefuse, sandbox.Outage503, sandbox.OutageReset}
	for i := 0; ; i++ {
		f.Lying = list[i%len(list) : i%len(list)+1]
		f.ReadStale, f.ReadEmpty, f.ReadOther, f.StaleFor, f.Seed = 0.08, 0.05, 0.05, 3*g.day.settleAfter, f.Seed+1000
		check(g.T, g.account.SetFaults(f))
		if r.IntN(3) == 0 {
			jumps := []time.Duration{0, 40 * time.Second, -40 * time.Second, 2 * time.Hour, -2 * time.Hour, -10 * 365 * 24 * time.Hour, 10 * 365 * 24 * time.Hour}
			g.dated.Store(int64(jumps[r.IntN(len(jumps))]))
			g.event("jumps of the Date header", time.Duration(g.dated.Load()))
		}
		if i == 3 {
			check(g.T, g.account.OutageFor(modes[r.IntN(3)], g.day.outage))
		}
		select {
		case <-stop:
			return
		case <-time.After(g.day.pace / 3):
		}
	}
}

// files returns the ledger as it lies on the disk.
func (g *siege) files() map[string][]byte {
	all := map[string][]byte{}
	for _, end := range []string{"", "-wal"} {
		if b, err := os.ReadFile(filepath.Join(g.dir, ledgerName+end)); err == nil {
			all[end] = b
		}
	}
	return all
}

// place makes the ledger on the disk what it was.
func (g *siege) place(all map[string][]byte) {
	for _, end := range []string{"", "-wal", "-shm"} {
		name := filepath.Join(g.dir, ledgerName+end)
		os.Remove(name)
		if b, is := all[end]; is {
			check(g.T, os.WriteFile(name, b, 0o600))
		}
	}
}

// meddle does something to the ledger between two runs. old is an older copy of it.
func (g *siege) meddle(old map[string][]byte) {
	now := g.files()
	if now[""] == nil {
		return // there is none yet
	}
	switch g.r.IntN(5) {
	case 0:
		if len(old) > 0 {
			g.refused("older ledgers put back", now, maps.Clone(old), "ledger.older")
		}
	case 1:
		if len(now["-wal"]) > 0 {
			g.refused("-wal files gone", now, map[string][]byte{"": now[""]}, "ledger.torn")
		}
	case 2:
		g.damaged(now)
	case 3:
		g.setBack(time.Duration([]int{20, -20, 300, -300, 48 * 3600, -48 * 3600}[g.r.IntN(6)]) * time.Second)
	}
	clear(old)
	maps.Copy(old, now)
}

// refused puts a ledger in the place of another, which must be refused unless it lacks
// nothing: the run since may have been killed before it had begun.
func (g *siege) refused(what string, now, other map[string][]byte, code string) {
	_, want := g.planned(now, now)
	if refused, end := g.planned(other, now); refused != 2 && end == want {
		return
	}
	g.place(other)
	made := g.account.Count().Creates
	code2, out := g.run()
	if code2 != 2 || g.account.Count().Creates != made {
		g.Errorf("%s: exit code %d, %d calls, want exit code 2 and %s:\n%s", what, code2, g.account.Count().Creates-made, code, out)
		return // nobody would notice
	}
	g.event(what)
	g.place(now)
}

// planned is what an import would do with a ledger. The ledger is as before afterwards.
func (g *siege) planned(with, now map[string][]byte) (code int, end string) {
	g.place(with)
	cmd, out := g.start("check", "deals.csv", "-m", "deals.yaml", "--ledger", ledgerName)
	code = exitOf(cmd.Wait())
	g.place(now)
	return code, endOf(out.String())
}

// damaged flips a byte of the ledger: it is refused, or the plan is the same as before.
func (g *siege) damaged(now map[string][]byte) {
	_, want := g.planned(now, now)
	bad := maps.Clone(now)
	bad[""] = bytes.Clone(now[""])
	bad[""][g.r.IntN(len(bad[""]))] ^= byte(1 << g.r.IntN(8))
	code, end := g.planned(bad, now)
	if code != 2 && end != want {
		g.Errorf("a ledger with a damaged byte: exit code %d, %q, without the damage %q", code, end, want)
	}
	if g.event("damaged ledgers"); code == 2 {
		g.event("damaged ledgers refused")
	}
}

// setBack makes the ledger what it would be if this machine's clock had been ahead by d
// until now.
func (g *siege) setBack(d time.Duration) {
	db, err := sql.Open("sqlite", filepath.Join(g.dir, ledgerName))
	check(g.T, err)
	defer func() { check(g.T, db.Close()) }()
	for _, text := range []string{
		"UPDATE operations SET sent = sent + ?1, ended = ended + ?1 WHERE sent >= 0",
		"UPDATE records SET sent = sent + ?1 WHERE sent >= 0",
		"DELETE FROM meta WHERE name = 'in use' AND ?1 != 0", // closing it here takes the -wal file in
	} {
		_, err := db.Exec(text, d.Milliseconds())
		check(g.T, err)
	}
	g.event("jumps of our clock", d)
}
