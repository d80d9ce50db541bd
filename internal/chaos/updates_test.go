package chaos

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"leadload/internal/sandbox"
)

const updateMapping = `version: 1
target: opportunity
key: Deal
on_change: update
search_by: EmailAddress
LeadDetails:
  EmailAddress: {column: Email, type: email, required: true}
  mx_City: City
Opportunity:
  OpportunityEventCode: 12000
  OpportunityNote: Note
  Fields:
    mx_Custom_1: Deal
    Status: Stage
    mx_Custom_6: {column: Amount, type: number}
    mx_Custom_9: Owner name
`

var updateHeader = []string{"Deal", "Email", "City", "Note", "Stage", "Amount", "Owner name"}

// byHand is a change that a person makes in the account.
type byHand struct {
	id, field, value string
	quiet            bool // no run was at work until reads showed it
}

// updateTally is what came of the second night in one or all seeds.
type updateTally struct {
	rows, changed, edits, kills, runs int
	conflicts, updated, already       int
	// overwritten are values of a person that a look could have seen and that are
	// lost; unseen are those set while a run was at work, between its look and its
	// write. between are all edits of that moment, of whichever field, and told those
	// of them that a run named.
	overwritten, unseen, between, told int
	unlooked                           int // updates without a look since the one before
	wrong, lies, seconds               int
	why                                []string // what is wrong, in words
}

func (u *updateTally) blame(format string, args ...any) {
	u.why = append(u.why, fmt.Sprintf(format, args...))
}

// watch follows the calls about each record: when it was looked at, and whether an
// update came without a look since the one before.
type watch struct {
	mu       sync.Mutex
	lag      time.Duration // until reads show a change
	looked   map[string]bool
	edited   map[string]time.Time // an edit that no look has shown yet
	between  map[string]bool      // edited between a look and the update after it
	unlooked []string
}

var guids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

func (w *watch) call(c sandbox.CallRecord, body []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, name, _ := strings.Cut(c.Path, ".svc/")
	switch {
	case name == "Update" && strings.Contains(c.Path, "OpportunityManagement"):
		id := guids.FindString(string(body))
		if !w.looked[id] {
			w.unlooked = append(w.unlooked, id)
		}
		if w.looked[id] = false; !w.edited[id].IsZero() {
			w.between[id] = true
		}
	case c.Fault != "":
	case name == "GetOpportunitiesById", name == "GetOpportunityDetails":
		for _, id := range guids.FindAllString(string(body)+c.Query, -1) {
			w.look(id)
		}
	case name == "RetrieveRecentlyModified":
		for id := range w.looked {
			w.look(id)
		}
	}
}

func (w *watch) look(id string) {
	w.looked[id] = true
	if at, is := w.edited[id]; is && time.Since(at) > w.lag {
		delete(w.edited, id)
	}
}

func (w *watch) edit(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.edited[id] = time.Now()
}

func (u *updateTally) add(o updateTally) {
	u.rows += o.rows
	u.changed += o.changed
	u.edits += o.edits
	u.kills += o.kills
	u.runs += o.runs
	u.conflicts += o.conflicts
	u.updated += o.updated
	u.already += o.already
	u.overwritten += o.overwritten
	u.unseen += o.unseen
	u.between += o.between
	u.told += o.told
	u.unlooked += o.unlooked
	u.wrong += o.wrong
	u.lies += o.lies
	u.seconds += o.seconds
}

func (u *updateTally) String() string {
	return fmt.Sprintf("%d rows, %d changed, %d edits by hand, %d kills in %d runs; at the end %d updated, %d already, %d conflicts; %d overwritten; %d edits between look and write, %d of them overwritten, %d told; %d updates without a look; %d wrong, %d lies, %d second records",
		u.rows, u.changed, u.edits, u.kills, u.runs, u.updated, u.already, u.conflicts, u.overwritten, u.between, u.unseen, u.told, u.unlooked, u.wrong, u.lies, u.seconds)
}

// clean reports that every record ends as the rule says.
func (u *updateTally) clean() bool {
	return u.overwritten+u.unlooked+u.wrong+u.lies+u.seconds == 0
}

// nights returns the storm of second nights, and its seeds.
func nights(count int) (day storm, list []uint64) {
	if day, list = form(shortStorm, count); *seeds > 0 {
		day.lag = 2 * time.Second
	} else {
		day.rows = 200
	}
	return day, list
}

// TestChaosUpdates loads a file, lets a quarter of its rows change, and updates
// them through a storm while a person works in the account.
func TestChaosUpdates(t *testing.T) {
	day, list := nights(2)
	var all []one[updateTally]
	for _, seed := range list {
		all = append(all, one[updateTally]{fmt.Sprint(seed), func(t *testing.T) updateTally {
			got := secondNight(t, seed, day)
			for _, why := range got.why {
				t.Error(why)
			}
			return got
		}})
	}
	total := storms(t, all)
	// How many edits come before a row's turn is a matter of the machine's speed: only
	// the long form is sure to have some.
	if *seeds > 0 && total.conflicts == 0 || total.edits == 0 || total.kills == 0 {
		t.Errorf("the storm proves nothing: %s", total.String())
	}
}

// TestChaosUpdatesWithoutLook is the same storm with the look switched off: what it
// finds is what the look prevents.
func TestChaosUpdatesWithoutLook(t *testing.T) {
	day, _ := nights(1)
	day.flags = []string{"--on-conflict", "overwrite"}
	got := secondNight(t, *firstOne, day)
	t.Logf("without the look: %s", got.String())
	if got.overwritten+got.unseen == 0 || got.conflicts > 0 {
		t.Errorf("the harness sees no value that was overwritten: %s", got.String())
	}
}

func secondNight(t *testing.T, seed uint64, day storm) updateTally {
	r := rand.New(rand.NewPCG(seed, 43))
	dir := t.TempDir()
	rows := make([][]string, day.rows)
	for i := range rows {
		rows[i] = []string{fmt.Sprintf("D%d", i), fmt.Sprintf("p%d@example.com", i), "Pune", fmt.Sprint("note ", i), "Open", fmt.Sprint(i+1, ".50"), "Ravi"}
	}
	save := func() {
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		check(t, w.Write(updateHeader))
		check(t, w.WriteAll(rows))
		check(t, os.WriteFile(filepath.Join(dir, "deals.csv"), b.Bytes(), 0o600))
	}
	save()
	check(t, os.WriteFile(filepath.Join(dir, "deals.yaml"), []byte(updateMapping), 0o600))
	forms := []string{"200", "429", "403", "500", "bare"}
	eye := &watch{lag: day.lag, looked: map[string]bool{}, edited: map[string]time.Time{}, between: map[string]bool{}}
	a, err := sandbox.Start(day.bulked(sandbox.Options{Calls: sandbox.NoLimit, LimitForm: forms[seed%uint64(len(forms))], Latency: 4 * time.Millisecond,
		UpdateLag: day.lag, DropBodies: true, OnCall: eye.call, GoneForm: []string{"500", "404", "empty"}[seed%3], Skew: time.Duration(int(seed%3)-1) * 90 * time.Second}))
	check(t, err)
	defer a.Close()
	if seed%4 == 1 && day.bulk == "" {
		// An account without the call that reads many.
		check(t, a.Close())
		a, err = sandbox.Start(sandbox.Options{Calls: sandbox.NoLimit, LimitForm: forms[seed%uint64(len(forms))], Latency: 4 * time.Millisecond, UpdateLag: day.lag,
			DropBodies: true, OnCall: eye.call, Without: []string{"/v2/OpportunityManagement.svc/GetOpportunitiesById"}})
		check(t, err)
	}
	access, secret, async := a.Keys()
	var said bytes.Buffer // by all runs
	start := func(limit string) (*exec.Cmd, *bytes.Buffer) {
		args := append([]string{"import", "deals.csv", "-m", "deals.yaml", "--limit", limit, "--timeout", day.timeout.String(), "--settle-after", (day.lag + 300*time.Millisecond).String(), "--yes"}, append(day.bulkFlags(), day.flags...)...)
		cmd := exec.Command(os.Args[0], args...)
		cmd.Dir = dir
		cmd.Env = []string{childMark + "=1", "HOME=" + dir, "XDG_STATE_HOME=" + dir + "/state", "TMPDIR=" + dir, "PATH=" + os.Getenv("PATH"),
			"LEADSQUARED_HOST=" + a.URL(), "LEADSQUARED_ASYNC_HOST=" + a.AsyncURL(),
			"LEADSQUARED_ACCESS_KEY=" + access, "LEADSQUARED_SECRET_KEY=" + secret, "LEADSQUARED_ASYNC_KEY=" + async}
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		check(t, cmd.Start())
		return cmd, &out
	}
	cmd, out := start("off")
	if code := exitOf(cmd.Wait()); code != 0 {
		t.Fatalf("the first night ended with exit code %d:\n%s", code, out)
	}
	got := updateTally{rows: len(rows)}

	// The second night: a quarter changes, each in another way.
	ids := map[string]string{} // deal → id
	for _, o := range a.Opportunities() {
		ids[o.Fields["mx_Custom_1"]] = o.ID
		eye.looked[o.ID] = false
	}
	first := make([][]string, len(rows))
	for i, row := range rows {
		first[i] = append([]string(nil), row...)
	}
	perm := r.Perm(len(rows))
	for k, i := range perm[:len(rows)/4] {
		got.changed++
		switch rows[i][0] = first[i][0]; k % 5 {
		case 0:
			rows[i][4] = "Won"
		case 1:
			rows[i][5] = fmt.Sprint(10_000+i, ".25")
		case 2:
			rows[i][3] = fmt.Sprint("corrected ", i)
		case 3:
			rows[i][4], rows[i][2] = "Lost", "Delhi" // and the lead's
		case 4:
			rows[i][5], rows[i][6] = fmt.Sprint(20_000+i), "Meera"
		}
	}
	save()
	columns := map[string]int{"OpportunityNote": 3, "Status": 4, "mx_Custom_6": 5, "mx_Custom_9": 6}
	// Nobody edits in the very second in which the records were made.
	<-time.After(1100 * time.Millisecond)
	var mu sync.Mutex
	var hands []byHand
	edit := func(quiet bool) {
		mu.Lock()
		defer mu.Unlock()
		h := byHand{quiet: quiet}
		for h.id == "" || slices.ContainsFunc(hands, func(x byHand) bool { return x.id == h.id }) { // one edit a record, so that histories are plain
			h.id = ids[rows[perm[r.IntN(len(rows)/3)]][0]] // mostly of those that change
		}
		n := len(hands)
		switch h.field = []string{"Status", "mx_Custom_6", "OpportunityNote", "mx_Custom_9"}[n%4]; h.field {
		case "Status":
			h.value = []string{"Won", "Lost"}[r.IntN(2)]
		case "mx_Custom_6":
			h.value = fmt.Sprint(900_000 + n)
		default:
			h.value = fmt.Sprint("by hand ", n)
		}
		hands = append(hands, h)
		eye.edit(h.id)
		check(t, a.EditOpportunity(h.id, "Asha", map[string]string{h.field: h.value}))
	}
	many := max(12, 50*len(rows)/2000)
	for range many / 3 {
		edit(true)
	}
	<-time.After(day.lag)
	check(t, a.SetLimit(day.limit, time.Second))
	check(t, a.SetFaults(sandbox.Faults{LostAnswer: 0.03, CutBefore: 0.03, BadGatewayAfter: 0.01, BadGatewayBefore: 0.01, HangAfter: 0.005, HangBefore: 0.005,
		Truncated: 0.01, EmptyBody: 0.01, ReadCut: 0.01, ReadBadGateway: 0.01, HangFor: day.hang, Seed: seed}))
	limit := fmt.Sprintf("%d/1s", day.limit)
	span := day.pace
	if seed%2 == 1 {
		span /= 3
	}
	for tries := 0; got.kills < day.kills && tries < 4*day.kills; tries++ {
		begin := time.Now()
		cmd, out := start(limit)
		got.runs++
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		if tries == 1 {
			check(t, a.OutageFor([]string{sandbox.OutageRefuse, sandbox.Outage503, sandbox.OutageReset}[seed%3], day.outage))
		}
		die := time.After(time.Duration(r.Int64N(int64(span))) + span/10)
		for alive := true; alive; {
			select {
			case <-die:
				cmd.Process.Kill() // its failure means that it has just ended by itself
				<-ended
				got.kills++
				alive = false
				said.Write(out.Bytes())
			case err := <-ended:
				if code := exitOf(err); code == 1 || code == 2 || code == 130 {
					t.Fatalf("a run ended with exit code %d:\n%s", code, out)
				}
				span = max(time.Since(begin), 100*time.Millisecond)
				alive = false
				said.Write(out.Bytes())
			case <-time.After(span / 8):
				if len(hands) < 2*many/3 {
					edit(false)
				}
			}
		}
		<-time.After(day.timeout) // what the dead run had sent has arrived, or never will
		if len(hands) < many {
			edit(true)
			<-time.After(day.lag) // until reads show it
		}
	}
	check(t, a.SetFaults(sandbox.Faults{}))
	var last string
	for try := 0; ; try++ {
		cmd, out := start(limit)
		got.runs++
		code := exitOf(cmd.Wait())
		last = out.String()
		said.WriteString(last)
		if code == 0 || code == 4 && strings.Contains(last, "in doubt 0 · not sent 0 ") {
			break
		}
		if code == 1 || code == 2 || code == 130 || try >= 6 {
			t.Fatalf("the run in peace ended with exit code %d:\n%s", code, last)
		}
	}
	got.edits = len(hands)

	// What the account has now, by the rule.
	now := map[string]sandbox.Opportunity{}
	for _, o := range a.Opportunities() {
		now[o.ID] = o
	}
	got.seconds = len(now) - len(rows)
	edited := map[string]byHand{}
	for _, h := range hands {
		edited[h.id] = h
	}
	eye.mu.Lock()
	got.unlooked, got.between = len(eye.unlooked), len(eye.between)
	for _, id := range eye.unlooked {
		got.blame("%s was written without a look", id)
	}
	for _, h := range hands {
		if eye.between[h.id] && strings.Contains(said.String(), " of "+h.id) {
			got.told++
		}
	}
	eye.mu.Unlock()
	results := map[string]string{}
	for _, line := range newest(t, &tally{}, dir) {
		results[line[1]] = line[2]
	}
	cities := map[string]string{}
	for _, l := range a.Leads() {
		cities[l.Attributes["EmailAddress"]] = l.Attributes["mx_City"]
	}
	for i, row := range rows {
		o := now[ids[row[0]]]
		h, byHand := edited[o.ID]
		lost := false
		if byHand {
			// Did a call of ours replace what the person had set?
			for _, rev := range a.Revisions(o.ID) {
				if was := rev.Before[h.field]; rev.By != "Asha" && was == h.value && value(o, h.field) != h.value {
					lost = true
				}
			}
		}
		if lost && h.quiet {
			got.overwritten++
			got.blame("%s: what somebody set before the look, %s = %q, is lost", row[0], h.field, h.value)
		} else if lost {
			got.unseen++
		}
		for field, at := range columns {
			want := row[at]
			if byHand && !lost && h.field == field {
				want = h.value
			}
			if have := value(o, field); have != want {
				got.wrong++
				got.blame("%s: %s is %q, want %q (was %q)", row[0], field, have, want, first[i][at])
			}
		}
		if have := cities[row[1]]; have != row[2] {
			got.wrong++
			got.blame("%s: the lead's city is %q, want %q", row[0], have, row[2])
		}
		switch result := results[row[0]]; result {
		case "updated":
			got.updated++
		case "already loaded":
			got.already++
		case "conflict":
			got.conflicts++
			if !byHand || h.value == row[columns[h.field]] || row[columns[h.field]] == first[i][columns[h.field]] {
				got.lies++
				got.blame("%s is told to be a conflict", row[0])
			}
		default:
			got.lies++
			got.blame("%s ended as %q", row[0], result)
		}
	}
	return got
}

func value(o sandbox.Opportunity, field string) string {
	if field == "OpportunityNote" {
		return o.Note
	}
	return o.Fields[field]
}
