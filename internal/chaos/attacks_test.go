package chaos

import (
	"bytes"
	"cmp"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"leadload/internal/sandbox"
	"leadload/loader/source"
)

// attacked is what came of one or all seeds under attack.
type attacked struct {
	events map[string]int64 // what was done, by name
	tally
	refusals int64 // rows of leads that were merged or are not there
	// Records that a proxy made a second time: those that a line in doubt names, those
	// whose answer came as if nothing had been, and those that should have been told.
	told, unseen, untold int64
	early                int64 // rows in doubt because our clock was wrong when they were sent
}

func (a *attacked) add(o *attacked) {
	if a.events == nil {
		a.events = map[string]int64{}
	}
	for k, v := range o.events {
		a.events[k] += v
	}
	a.tally.add(o.tally)
	a.refusals += o.refusals
	a.told, a.unseen, a.untold = a.told+o.told, a.unseen+o.unseen, a.untold+o.untold
	a.early += o.early
}

func (a *attacked) String() string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(a.events)) {
		fmt.Fprintf(&b, "%s %d, ", k, a.events[k])
	}
	return fmt.Sprintf("%s; %sin doubt by our clock %d, refused rows %d, second records of a proxy: told %d, not seen %d, untold %d", a.tally.String(), b.String(), a.early, a.refusals, a.told, a.unseen, a.untold)
}

func (a *attacked) clean() bool { return a.tally.clean() && a.untold == 0 }

// TestChaosAttacks loads files through storms in which more goes wrong than calls:
// another system makes records of the same leads at the same moment, proxies post
// twice, answers are those to other calls, look-ups are stale or lie, leads are
// merged, clocks jump, and the ledger is damaged, cut short or replaced by an older
// one between the runs.
func TestChaosAttacks(t *testing.T) {
	day, list := shortStorm, []uint64{*firstOne}
	if *seeds > 0 {
		day, list = longStorm, nil
		day.rows = *rowCount
		for i := range *seeds {
			list = append(list, *firstOne+uint64(i))
		}
	}
	var mu sync.Mutex
	var total attacked
	t.Run("seeds", func(t *testing.T) {
		for _, seed := range list {
			for i, s := range shapes {
				if *seeds > 0 && int(seed)%len(shapes) != i {
					continue
				}
				t.Run(fmt.Sprintf("%d-%s", seed, s.name), func(t *testing.T) {
					t.Parallel()
					got := attack(t, seed, s, day)
					mu.Lock()
					total.add(got)
					mu.Unlock()
					t.Logf("seed %d, %s: %s", seed, s.name, got)
					if !got.clean() {
						t.Errorf("seed %d, %s: not every row is in the account exactly once, or the results file lies", seed, s.name)
					}
				})
			}
		}
	})
	t.Logf("in all: %s", total.String())
}

// kept is where the folders of seeds under attack stay, each with the log of its calls
// and what happened when: without it a fault is seen and not explained.
var kept = flag.String("chaos.keep", "", "keep what a seed under attack leaves in this folder")

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

// siege is one file under attack.
type siege struct {
	*testing.T
	shape
	day     storm
	r       *rand.Rand
	dir     string
	account *sandbox.Account
	args    []string
	got     *attacked

	faults sandbox.Faults
	mu     sync.Mutex
	dated  atomic.Int64      // what is added to the Date header
	mails  map[string]string // of leads by their ids, also of those that were merged
	merged map[string]bool   // addresses of leads that are no more
	seen   chan posted       // calls that make something
}

// posted is a call that makes something.
type posted struct {
	number int64
	body   []byte
}

const ledgerName = "l.db"

// attack loads one file under attack and says what came of it.
func attack(t *testing.T, seed uint64, s shape, day storm) *attacked {
	r := rand.New(rand.NewPCG(seed, 43))
	rows := s.make(day.rows, r)
	g := besiege(t, seed, s, day, r, rows)
	defer g.account.Close()
	check(t, writeCSV(filepath.Join(g.dir, "deals.csv"), s.header, rows))
	g.args = append([]string{"import", "deals.csv"}, g.args...)
	g.storm(seed, nil)
	g.judge(rows, nil)
	return g.got
}

// besiege makes the account and the folder of a siege. What is imported is left out of the args.
func besiege(t *testing.T, seed uint64, s shape, day storm, r *rand.Rand, rows []row) *siege {
	g := &siege{T: t, shape: s, day: day, r: r, dir: t.TempDir(), mails: map[string]string{}, merged: map[string]bool{}, seen: make(chan posted, 1<<14),
		got: &attacked{events: map[string]int64{}, tally: tally{faults: map[string]int64{}}}}
	if *kept != "" {
		g.dir = filepath.Join(*kept, strings.ReplaceAll(t.Name(), "/", "-"))
		check(t, os.MkdirAll(g.dir, 0o700))
	}
	g.got.rows = int64(len(rows))
	check(t, os.WriteFile(filepath.Join(g.dir, "deals.yaml"), []byte(s.mapping), 0o600))
	forms := []string{"200", "429", "403", "500", "bare"}
	g.faults = sandbox.Faults{LostAnswer: 0.02, CutBefore: 0.02, BadGatewayAfter: 0.005, BadGatewayBefore: 0.005, HangAfter: 0.003, HangBefore: 0.003,
		Truncated: 0.005, EmptyBody: 0.005, ForeignLimit: 0.005, GatewayRefusal: 0.001, PostedTwice: 0.003, TwiceAndLost: 0.003,
		OtherAnswer: 0.006, CachedAnswer: 0.004, ReadCut: 0.01, ReadBadGateway: 0.01, HangFor: day.hang, Seed: seed}
	var err error
	g.account, err = sandbox.Start(sandbox.Options{
		Calls: day.limit, Window: time.Second, LimitForm: forms[seed%uint64(len(forms))], Latency: 10 * time.Millisecond, Jitter: 10 * time.Millisecond,
		IndexLag: day.lag, AsyncDelay: day.lag / 5, StatusAsString: seed%2 == 0, KeptCalls: 1 << 20,
		TrailOffset: []string{"page", "offset"}[seed/2%2], Skew: time.Duration(int(seed%3)-1) * 90 * time.Second,
		DateSkew: func() time.Duration { return time.Duration(g.dated.Load()) },
		OnCall: func(c sandbox.CallRecord, body []byte) {
			if makes(c.Path) {
				select {
				case g.seen <- posted{c.Number, body}:
				default:
				}
			}
		},
		Faults: g.faults,
	})
	check(t, err)
	if s.sales {
		for _, row := range rows {
			if g.leadOf(row.cells[1]) == "" {
				id, err := g.account.AddLead(map[string]string{"EmailAddress": row.cells[1]})
				check(t, err)
				g.mails[id] = row.cells[1]
			}
		}
	}
	g.args = []string{"-m", "deals.yaml", "--ledger", ledgerName, "--limit", fmt.Sprintf("%d/1s", day.limit),
		"--timeout", day.timeout.String(), "--settle-after", day.settleAfter.String(), "--wait", "30s", "--yes"}
	if *kept != "" {
		g.args = append(g.args, "--api-log", "api.log")
	}
	return g
}

// storm runs the import until there is nothing more to do. mischief goes on beside it,
// until its channel is closed.
func (g *siege) storm(seed uint64, mischief func(stop chan struct{})) {
	stop := make(chan struct{})
	var weather sync.WaitGroup
	weather.Go(func() { g.others(stop, rand.New(rand.NewPCG(seed, 44))) })
	weather.Go(func() { g.weather(stop, g.faults, rand.New(rand.NewPCG(seed, 45))) })
	if mischief != nil {
		weather.Go(func() { mischief(stop) })
	}
	span := g.day.pace
	old := map[string][]byte{}
	for tries := 0; g.got.kills < int64(g.day.kills) && tries < 4*g.day.kills; tries++ {
		if begin := time.Now(); g.killed(span) {
			g.meddle(old)
		} else {
			span = max(time.Since(begin), 100*time.Millisecond)
		}
	}
	// Then run it again, at last without faults.
	before, same := "", 0
	for try := 0; ; try++ {
		if try == 5 {
			close(stop)
			weather.Wait()
			g.dated.Store(0)
			check(g.T, g.account.SetFaults(sandbox.Faults{}))
		}
		code, out := g.run()
		if code == 1 || code == 2 || code == 130 {
			g.Fatalf("run ended with exit code %d:\n%s", code, out)
		}
		if end := endOf(out); end == before {
			same++
		} else {
			before, same = end, 0
		}
		if try >= 6 && (code == 0 || code == 4 && strings.Contains(out, "not sent 0 ") && (strings.Contains(out, "in doubt 0 ") || same > 2)) {
			break
		}
		if try >= 14 {
			g.Errorf("still not done after %d runs:\n%s", try, out)
			break
		}
	}
	count := g.account.Count()
	g.got.throttled, g.got.outages = count.Limited, count.Outages
	maps.Copy(g.got.faults, count.Faults)
	if *kept == "" {
		return
	}
	for _, c := range g.account.Calls() {
		g.note("call", fmt.Sprintf("%d %s %s?%s %d %s", c.Number, c.Time.UTC().Format("15:04:05.000"), c.Path, c.Query, c.Status, c.Fault))
	}
	for id, m := range g.made() {
		g.note("record", id, " ", m.call, " ", m.content)
	}
}

// TestChaosDropFolder loads a folder under attack, whose files are replaced and grow
// while they are loaded: what is in the last state of each must be in the account, what
// was replaced may be.
func TestChaosDropFolder(t *testing.T) {
	day, list := shortStorm, []uint64{*firstOne}
	if *seeds > 0 {
		day, list = longStorm, nil
		day.rows = *rowCount
		for i := range *seeds {
			list = append(list, *firstOne+uint64(i))
		}
	}
	var mu sync.Mutex
	var total attacked
	t.Run("seeds", func(t *testing.T) {
		for _, seed := range list {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				got := dropped(t, seed, day)
				mu.Lock()
				total.add(got)
				mu.Unlock()
				t.Logf("seed %d: %s", seed, got)
				if !got.clean() {
					t.Errorf("seed %d: not every row is in the account exactly once, or the results file lies", seed)
				}
			})
		}
	})
	t.Logf("in all: %s", total.String())
}

// dropFiles is into how many files the rows go.
const dropFiles = 6

// dropped loads a folder under attack.
func dropped(t *testing.T, seed uint64, day storm) *attacked {
	r := rand.New(rand.NewPCG(seed, 46))
	// Half of the rows are there from the beginning, the others come meanwhile.
	all := shapes[0].make(day.rows, r)
	g := besiege(t, seed, shapes[0], day, r, all)
	defer g.account.Close()
	inbox := filepath.Join(g.dir, "inbox")
	check(t, os.Mkdir(inbox, 0o700))
	g.args = append([]string{"import", "inbox", "--drop-age", "0s"}, g.args...)
	name := func(i int) string { return filepath.Join(inbox, fmt.Sprintf("part%d.csv", i)) }
	files := make([][]row, dropFiles)
	fresh := all[:len(all)/2]
	more := all[len(all)/2:]
	for i := range files {
		files[i] = fresh[i*len(fresh)/dropFiles : (i+1)*len(fresh)/dropFiles : (i+1)*len(fresh)/dropFiles]
		check(t, writeCSV(name(i), g.header, files[i]))
	}
	var must, may []row
	var loaded []row // of files that were moved away whole
	mr := rand.New(rand.NewPCG(seed, 47))
	g.storm(seed, func(stop chan struct{}) {
		for {
			select {
			case <-stop:
				return
			case <-time.After(g.day.pace / 8):
			}
			n := min(len(more), g.day.rows/40)
			if n == 0 {
				continue
			}
			i := mr.IntN(dropFiles)
			some := more[:n]
			temporary := filepath.Join(g.dir, "next.csv")
			f, err := os.OpenFile(name(i), os.O_APPEND|os.O_WRONLY, 0)
			switch {
			case err != nil || mr.IntN(2) == 0: // it was moved away, or is replaced
				if err == nil {
					check(t, f.Close())
				}
				check(t, writeCSV(temporary, g.header, some))
				before, ferr := os.Stat(name(i))
				check(t, os.Rename(temporary, name(i)))
				if ferr != nil {
					loaded = append(loaded, files[i]...)
				} else {
					may = append(may, files[i]...)
				}
				g.event("files replaced", i, " ", before != nil)
				files[i] = slices.Clone(some)
			default:
				var b bytes.Buffer
				w := csv.NewWriter(&b)
				for _, row := range some {
					check(t, w.Write(row.cells))
				}
				w.Flush()
				_, err = f.Write(b.Bytes())
				own, oerr := f.Stat()
				check(t, errors.Join(err, oerr, f.Close()))
				if here, err := os.Stat(name(i)); err != nil || !os.SameFile(own, here) {
					may = append(may, some...) // it was moved away between the opening and the writing
				} else {
					g.event("files that grew", i)
					files[i] = append(files[i], some...)
				}
			}
			more = more[n:]
		}
	})
	must = loaded
	for _, rows := range files {
		must = append(must, rows...)
	}
	left, err := filepath.Glob(filepath.Join(inbox, "*.csv"))
	check(t, err)
	if len(left) > 0 {
		g.Errorf("files stay in the folder: %v", left)
	}
	// A file with all rows has nothing to send any more.
	check(t, writeCSV(filepath.Join(g.dir, "deals.csv"), g.header, must))
	sent := g.account.Count().Creates
	g.args = append([]string{"import", "deals.csv"}, g.args[4:]...)
	code, out := g.run()
	if n := g.account.Count().Creates - sent; n > 0 || code != 0 && code != 4 {
		g.got.losses += n
		g.Errorf("%d rows were left out of the folder's files: exit code %d\n%s", n, code, out)
	}
	g.got.rows = int64(len(must))
	g.judge(must, may)
	return g.got
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

// event counts what was done, and notes it with what it was done to.
func (g *siege) event(name string, to ...any) {
	g.mu.Lock()
	g.got.events[name]++
	g.mu.Unlock()
	g.note(name, to...)
}

// note writes down what happened when, where folders are kept.
func (g *siege) note(what string, more ...any) {
	if *kept == "" {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	f, err := os.OpenFile(filepath.Join(g.dir, "events.txt"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	check(g.T, err)
	fmt.Fprintln(f, time.Now().UTC().Format("15:04:05.000"), what, fmt.Sprint(more...))
	check(g.T, f.Close())
}

// start starts the program.
func (g *siege) start(args ...string) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir = g.dir
	cmd.Env = environment(g.account, g.dir)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	check(g.T, cmd.Start())
	return cmd, &out
}

// run runs the import to its end.
func (g *siege) run() (int, string) {
	cmd, out := g.start(g.args...)
	g.got.runs++
	code := exitOf(cmd.Wait())
	g.note("a run ended by itself", code, "\n", out)
	return code, out.String()
}

// killed runs the import and kills it at some moment. It reports false when the
// import had ended before.
func (g *siege) killed(span time.Duration) bool {
	cmd, out := g.start(g.args...)
	g.got.runs++
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-time.After(time.Duration(g.r.Int64N(int64(span)))):
		cmd.Process.Kill() // its failure means that it has just ended by itself
		<-ended
		g.note("a run was killed", "\n", out)
		g.got.kills++
		return true
	case err := <-ended:
		if code := exitOf(err); code == 1 || code == 2 || code == 130 {
			g.Fatalf("run ended with exit code %d:\n%s", code, out)
		}
		return false
	}
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

// made is a record by what was posted for it.
type made struct {
	content string
	call    int64 // 0: another system's
}

// contentOf is what a call has posted.
func (g *siege) contentOf(body []byte) string {
	var b struct {
		ProspectId, ProductSku, Status string
		Revenue                        json.RawMessage
		Ref                            string `json:"mx_Custom_5"`
		LeadDetails                    []struct{ Attribute, Value string }
		Opportunity                    struct {
			OpportunityNote string
			Fields          []struct{ SchemaName, Value string }
		}
	}
	check(g.T, json.Unmarshal(body, &b))
	if g.sales {
		return content(g.mails[b.ProspectId], "", map[string]string{"ProductSku": b.ProductSku, "Status": b.Status, "Revenue": string(b.Revenue), "mx_Custom_5": b.Ref})
	}
	fields, mail := map[string]string{}, ""
	for _, f := range b.Opportunity.Fields {
		fields[f.SchemaName] = f.Value
	}
	for _, d := range b.LeadDetails {
		if d.Attribute == "EmailAddress" {
			mail = d.Value
		}
	}
	return content(mail, b.Opportunity.OpportunityNote, fields)
}

// made returns what is in the account, by id.
func (g *siege) made() map[string]made {
	all := map[string]made{}
	add := func(id string, call int64, body []byte) {
		m := made{call: call}
		if call > 0 {
			m.content = g.contentOf(body)
		}
		all[id] = m
	}
	for _, o := range g.account.Opportunities() {
		add(o.ID, o.Call, o.Body)
	}
	for _, v := range g.account.SalesActivities() {
		add(v.ID, v.Call, v.Body)
	}
	return all
}

// judge holds the account's own record of who posted what, and the results file,
// against the input. Rows of may may be in the account once.
func (g *siege) judge(rows, may []row) {
	all := g.made()
	calls := map[string]map[int64][]string{} // content → call → ids
	for id, m := range all {
		if m.call == 0 {
			continue
		}
		if calls[m.content] == nil {
			calls[m.content] = map[int64][]string{}
		}
		calls[m.content][m.call] = append(calls[m.content][m.call], id)
	}
	faults := map[int64]string{}
	for _, c := range g.account.Calls() {
		faults[c.Number] = c.Fault
	}
	want, doubts := map[string]int{}, map[string]int{}
	for _, r := range rows {
		if r.content != "" {
			want[r.content]++
			g.got.valid++
		}
	}
	book := newest(g.T, &g.got.tally, g.dir)
	if book == nil {
		g.Fatal("there is no results file")
	}
	lines := map[int][]string{}
	for _, line := range book {
		n, err := strconv.Atoi(line[0])
		check(g.T, err)
		if lines[n] != nil {
			g.got.lies++
			g.Errorf("row %d stands twice in the results file", n)
		}
		lines[n] = line
	}
	could := g.could()
	seen := map[string]int{}
	for i, r := range rows {
		n := i + 2
		line := lines[n]
		if line == nil {
			g.got.missing++
			g.Errorf("row %d is missing in the results file", n)
			continue
		}
		result, id := line[2], ""
		if at := source.ResultsBefore + len(r.cells); at < len(line) {
			id = line[at]
		}
		lie := ""
		switch {
		case r.content == "":
			if result != "invalid" || id != "" {
				lie = "it is invalid"
			}
		case result == "loaded" || result == "already loaded":
			m, there := all[id]
			switch {
			case seen[id] > 0:
				lie = fmt.Sprintf("its id stands on row %d too", seen[id])
			case id == "":
				lie = "it has no id"
			case !there:
				lie = "there is no such record"
			case m.call == 0:
				lie = "another system made that record"
			case m.content != r.content:
				lie = fmt.Sprintf("that record says %q, the row %q", m.content, r.content)
			}
			seen[id] = n
		case result == "in doubt":
			if strings.Contains(strings.Join(could[n], " "), "made before the call") {
				g.got.early++
			} else {
				g.got.doubts++
			}
			doubts[r.content]++
			if len(calls[r.content]) > 0 {
				g.got.doubtsThere++
			}
			if testing.Verbose() {
				g.Logf("row %d in doubt (%d records of it): %s", n, len(calls[r.content]), strings.Join(could[n], " | "))
			}
		case result == "rejected" && g.merged[r.cells[1]] && len(calls[r.content]) == 0:
			g.got.refusals++
			doubts[r.content]++ // it is not missing: the file says so
		default:
			lie = "it should be loaded: " + strings.Join(line[source.ResultsBefore+len(r.cells):], " | ")
		}
		if lie != "" {
			g.got.lies++
			g.Errorf("row %d: %q %q: %s", n, result, id, lie)
		}
	}
	for c, n := range want {
		have, twins := len(calls[c]), 0
		if have > n {
			g.got.duplicates += int64(have - n)
			g.Errorf("%d records too many: %s; calls %v", have-n, c, g.told(calls[c], faults))
		}
		for call, ids := range calls[c] {
			if len(ids) < 2 {
				continue
			}
			twins++
			switch {
			case named(could, ids):
				g.got.told++
			case faults[call] == sandbox.FaultTwiceAndLost && doubts[c] == 0 && have >= n:
				g.got.untold++
				g.Errorf("a proxy posted %s twice, its answer was lost, and nobody tells of %v", c, ids)
			default:
				g.got.unseen++
			}
		}
		if missing := n - have - twins - doubts[c]; missing > 0 {
			g.got.losses += int64(missing)
			g.Errorf("%d records are missing: %s", missing, c)
		}
	}
	replaced := map[string]int{}
	for _, r := range may {
		if replaced[r.content]++; r.content != "" && want[r.content] == 0 && len(calls[r.content]) > replaced[r.content] {
			g.got.duplicates++
			g.Errorf("a row that was replaced is there %d times: %s", len(calls[r.content]), r.content)
		}
	}
	for c, n := range calls {
		if want[c] == 0 && replaced[c] == 0 {
			g.got.strangers += int64(len(n))
			g.Errorf("the account has a record of no row: %s", c)
		}
	}
}

// told describes calls.
func (g *siege) told(calls map[int64][]string, faults map[int64]string) []string {
	var out []string
	for _, n := range slices.Sorted(maps.Keys(calls)) {
		out = append(out, fmt.Sprintf("%d %q %v", n, faults[n], calls[n]))
	}
	return out
}

// could returns what the last results file says of rows in doubt, by their numbers.
func (g *siege) could() map[int][]string {
	names, err := filepath.Glob(filepath.Join(g.dir, "deals-results*.xlsx"))
	check(g.T, err)
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
	f, err := excelize.OpenFile(names[len(names)-1])
	check(g.T, err)
	defer f.Close()
	all := map[int][]string{}
	rows, err := f.GetRows("In doubt")
	if err != nil {
		return all // no row is
	}
	for _, row := range rows {
		if n, err := strconv.Atoi(row[0]); err == nil {
			all[n] = row
		}
	}
	return all
}

// named reports whether a line in doubt names all ids.
func named(could map[int][]string, ids []string) bool {
	for _, row := range could {
		text := strings.Join(row, " ")
		if !slices.ContainsFunc(ids, func(id string) bool { return !strings.Contains(text, id) }) {
			return true
		}
	}
	return false
}
