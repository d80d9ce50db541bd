package target

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"leadload/internal/fault"
	"leadload/loader/leadsquared"
	"leadload/loader/line"
)

// The calls that an account may not have, as a Memory knows them.
const (
	callByID     = "GetOpportunitiesById"
	callModified = "RetrieveRecentlyModified"
)

// Shows reports whether a read of opportunities brings a field.
func (opportunity) Shows(field string) bool {
	return field == "Opportunity.OpportunityNote" || strings.HasPrefix(field, "Fields.")
}

func (opportunity) ReadCalls(n, _ int, m Memory) int {
	if m != nil && m.Missing(callByID) {
		return n // at most: pages are taken where they are fewer
	}
	return (n + leadsquared.MaxIDs - 1) / leadsquared.MaxIDs
}

// Read reads up to 2,000 opportunities a call. Where the account does not have
// that call, it reads pages of what was modified if these are fewer than the
// records. What neither brought is read one by one.
func (t opportunity) Read(ctx context.Context, l *line.Line, q ReadQuestion) (map[string]Back, error) {
	r := &opportunityRead{line: l, q: q.shown(t), all: make(map[string]Back, len(q.Wanted)), trails: Trails{}}
	for _, steps := range []func(context.Context) error{r.byID, r.byPages, r.oneByOne} {
		if err := steps(ctx); err != nil {
			return r.all, err
		}
	}
	return r.all, nil
}

type opportunityRead struct {
	line *line.Line
	q    ReadQuestion
	all  map[string]Back
	// whole says that every record which is there was shown, so that one that
	// was not is probably gone.
	whole bool
	// trails keeps what the trails of leads showed in this look.
	trails Trails
}

// Trails are the ids, in lower case, that the trails of leads show to one look, by
// the ids of the leads. A lead with many records that are gone has its trail read
// once and not once for each.
type Trails map[string]map[string]bool

// left returns the records that have not been read yet.
func (r *opportunityRead) left() []Wanted {
	var left []Wanted
	for _, w := range r.q.Wanted {
		if _, done := r.all[strings.ToLower(w.ID)]; !done {
			left = append(left, w)
		}
	}
	return left
}

func (r *opportunityRead) missing(call string) bool {
	return r.q.Memory != nil && r.q.Memory.Missing(call)
}

func (r *opportunityRead) setMissing(call string) {
	if r.q.Memory != nil {
		r.q.Memory.SetMissing(call)
	}
}

// present keeps an opportunity that was read.
func (r *opportunityRead) present(w Wanted, o leadsquared.Opportunity) {
	r.all[strings.ToLower(w.ID)] = opportunityBack(r.q.Fields, w, o)
	told(r.q.Progress, len(r.all))
}

// opportunityBack is an opportunity as a read shows it.
func opportunityBack(fields []string, w Wanted, o leadsquared.Opportunity) Back {
	if w.Lead == "" {
		w.Lead = o.LeadID
	}
	got := o.Fields
	return Back{
		Wanted: w, Presence: Present, Created: o.CreatedOn, Modified: o.ModifiedOn,
		Values: valuesOf(fields, got, func(field string) string {
			if field == "Opportunity.OpportunityNote" {
				for _, n := range []string{"OpportunityNote", "ActivityEvent_Note", "Note"} {
					if v, shown := got[n]; shown && v != "" {
						return n
					}
				}
				return "OpportunityNote"
			}
			return column(field)
		}),
	}
}

// few records are rather read one by one than asked for again.
const few = 20

// byID asks for up to 2,000 ids a call.
func (r *opportunityRead) byID(ctx context.Context) error {
	if r.missing(callByID) || len(r.q.Wanted) < 2 {
		return nil
	}
	columns := []string{"CreatedOn", "ModifiedOn"}
	for _, f := range r.q.Fields {
		if c := column(f); strings.HasPrefix(f, "Fields.") || c == "OpportunityNote" {
			columns = append(columns, c)
		}
	}
	for open := slices.Clip(r.q.Wanted); len(open) > 0; { // what is asked for again goes behind it, and never into Wanted
		chunk := open[:min(len(open), leadsquared.MaxIDs)]
		open = open[len(chunk):]
		ids := make([]string, len(chunk))
		by := make(map[string]Wanted, len(chunk))
		for i, w := range chunk {
			ids[i], by[strings.ToLower(w.ID)] = w.ID, w
		}
		found, out, err := line.Either(ctx, r.line, func(ctx context.Context, slot leadsquared.Slot) ([]leadsquared.Opportunity, leadsquared.Outcome) {
			return r.line.Client.OpportunitiesByID(ctx, slot, r.q.Code, ids, columns)
		})
		switch {
		case err != nil:
			return err
		case line.MissingPath(out):
			r.setMissing(callByID)
			return nil
		case out.Verdict != leadsquared.Applied:
			return nil // refused, or an answer that cannot be read: the next way
		}
		shown := 0
		for _, o := range found {
			if w, wanted := by[strings.ToLower(o.ID)]; wanted {
				delete(by, strings.ToLower(o.ID))
				r.present(w, o)
				shown++
			}
		}
		if shown > 0 && len(by) > few {
			// The account may have a bound of its own: the others are asked for again.
			for _, w := range chunk {
				if _, left := by[strings.ToLower(w.ID)]; left {
					open = append(open, w)
				}
			}
		}
	}
	r.whole = true
	return nil
}

// pageTries bounds how often a span is read again because records moved
// between its pages.
const pageTries = 3

// byPages reads the pages of what was modified since the oldest record was
// made, where these are fewer than the records that are left.
func (r *opportunityRead) byPages(ctx context.Context) error {
	left := r.left()
	if r.whole || len(left) < 3 || r.missing(callModified) {
		return nil
	}
	by := make(map[string]Wanted, len(left))
	for _, w := range left {
		by[strings.ToLower(w.ID)] = w
	}
	err := Pages(ctx, r.line, r.q.Code, r.q.Since, func(total int) bool { return pagesOf(total) < len(left) }, func(o leadsquared.Opportunity) {
		if w, wanted := by[strings.ToLower(o.ID)]; wanted {
			r.present(w, o)
		}
	})
	switch {
	case err == nil:
		r.whole = true
	case err == errNoPages:
		r.setMissing(callModified)
	case err == errDeclined || errors.As(err, &unreadPage{}):
	default:
		return err
	}
	return nil
}

func pagesOf(total int) int { return total/leadsquared.SpanRows + 2 } // and one for what changed meanwhile

// oneByOne reads the details of what is left.
func (r *opportunityRead) oneByOne(ctx context.Context) error {
	for _, w := range r.left() {
		o, out, b, err := readOne(ctx, r.line, line.With(r.line.Client.Opportunity, w.ID), w, r.witness)
		switch {
		case err != nil:
			return err
		case out.Verdict == leadsquared.Applied:
			r.present(w, o)
			continue
		}
		r.all[strings.ToLower(w.ID)] = b
		told(r.q.Progress, len(r.all))
	}
	return nil
}

// readOne reads one record that may be gone. Where its answer does not say so, the
// witness is asked, and the call repeated only for a record that is not gone. The
// Back says what is known of a record whose call was not Applied.
func readOne[T any](ctx context.Context, l *line.Line, call func(context.Context, leadsquared.Slot) (T, leadsquared.Outcome), w Wanted, witness func(context.Context, Wanted, string) (Back, error)) (value T, out leadsquared.Outcome, b Back, err error) {
	read := line.Once[T]
	for range 2 {
		value, out, err = read(ctx, l, call)
		read = line.Try[T]
		switch {
		case err != nil || out.Verdict == leadsquared.Applied:
			return value, out, b, err
		case out.Verdict == leadsquared.Rejected:
			return value, out, Back{Wanted: w, Presence: Gone}, nil
		}
		b, err = witness(ctx, w, out.Message)
		if err != nil || b.Presence != Unread || out.Status == 200 || line.MissingPath(out) {
			break // certain, or an answer that would be the same again
		}
	}
	return value, out, b, err
}

// witness asks the lead's trail about an opportunity whose details cannot be
// read: a record that is gone reads back as 500, 404 or without fields, and so
// does one that cannot be read just now. The trail is immediate.
func (r *opportunityRead) witness(ctx context.Context, w Wanted, why string) (Back, error) {
	b := Back{Wanted: w, Why: "it could not be read: " + why}
	if w.Lead == "" {
		return b, nil
	}
	shown := r.trails[w.Lead]
	if shown == nil {
		trail, unread, err := Trail(ctx, r.line, w.Lead, r.q.Code)
		if err != nil || unread != "" {
			return b, err
		}
		if len(trail) == 0 {
			// A lead without any trail may be one that the account does not know any more:
			// its silence proves nothing unless the lead itself is there.
			if known, err := knowsLead(ctx, r.line, w.Lead); !known {
				return b, err
			}
		}
		shown = make(map[string]bool, len(trail))
		for _, a := range trail {
			shown[strings.ToLower(a.ID)] = true
		}
		r.trails[w.Lead] = shown
	}
	if shown[strings.ToLower(w.ID)] {
		return b, nil
	}
	return Back{Wanted: w, Presence: Gone}, nil
}

var (
	errNoPages  = fault.New("account.path", fault.RunAgain, "the account has no pages of what was modified")
	errDeclined = fault.New("account.path", fault.RunAgain, "the pages of what was modified are too many")
)

// unreadPage is a page that could not be read. The same records may be had one by one.
type unreadPage struct{ error }

func (p unreadPage) Unwrap() error { return p.error }

// everyClock is later than now by every clock: one that runs ahead, and one that
// reads a span in a zone of its own.
const everyClock = 25 * time.Hour

// Pages reads all opportunities of a type that were modified since a moment, by
// the account's clock, each at least once, and hands each over as it was read last.
// worth is told how many there are before the second page and may decline. A moment
// before every account, such as the zero time, means all: years that the account's
// database does not have are not asked for.
//
// The span's end is fixed before the first page. A record that is modified
// meanwhile leaves the span, so that later pages shift: the span since then
// is read afterwards until it is quiet, and the distinct ids must be as many
// as the account counts. Where they are not after several tries, the run stops.
func Pages(ctx context.Context, l *line.Line, code int, since time.Time, worth func(total int) bool, each func(leadsquared.Opportunity)) error {
	if since.Before(beginning) {
		since = beginning
	}
	var missed int
	for range pageTries {
		// The account's clock may be ahead of ours or behind. The Date header says by
		// how much, but it may be missing, or be the clock of another machine. The
		// second span therefore ends long after now.
		lo, _, _ := l.Ahead()
		from, to := since.Add(-time.Second).Truncate(time.Second), time.Now().Add(lo).Truncate(time.Second)
		seen := map[string]time.Time{} // id → ModifiedOn
		total, err := span(ctx, l, code, from, to, worth, seen, each)
		if err != nil {
			return err
		}
		worth = nil
		// What changed while the pages were read.
		later := map[string]time.Time{}
		for quiet := false; !quiet; {
			end := time.Now().Add(everyClock).Truncate(time.Second)
			before := len(later)
			if _, err := span(ctx, l, code, to, end, nil, later, each); err != nil {
				return err
			}
			quiet = len(later) == before
		}
		kept := 0
		for id, modified := range seen {
			if again, shown := later[id]; !shown || again.Equal(modified) {
				kept++ // one of the span's last second is shown in both
			}
		}
		if kept >= total {
			return nil
		}
		missed = total - kept
	}
	return fault.New("account.pages", "run the same command again when fewer people work in the account", "%s while the account's records were read page by page", fault.Plural(int64(missed), "record moved out of sight", "records moved out of sight"))
}

// span reads the pages of one span and returns what the account counts in it
// at the last page.
func span(ctx context.Context, l *line.Line, code int, from, to time.Time, worth func(int) bool, seen map[string]time.Time, each func(leadsquared.Opportunity)) (total int, err error) {
	size := 0 // of a page: the account may have a bound of its own
	for page := 1; ; page++ {
		got, out, err := line.Either(ctx, l, func(ctx context.Context, slot leadsquared.Slot) (leadsquared.SpanPage, leadsquared.Outcome) {
			return l.Client.RecentlyModified(ctx, slot, code, from, to, page)
		})
		switch {
		case err != nil:
			return 0, err
		case line.MissingPath(out) || out.Verdict == leadsquared.Rejected:
			return 0, errNoPages
		case out.Verdict != leadsquared.Applied:
			return 0, unreadPage{fault.New("account.pages", fault.RunAgain, "page %d of the account's records could not be read: %s", page, out.Message)}
		}
		if page == 1 && worth != nil && !worth(got.Total) {
			return 0, errDeclined
		}
		for _, o := range got.List {
			seen[strings.ToLower(o.ID)] = o.ModifiedOn
			each(o)
		}
		total, size = got.Total, max(size, len(got.List))
		if len(got.List) == 0 || page*size >= total {
			return total, nil
		}
	}
}
