package leadsquared

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"
)

// meaning is what an account means by Offset and RecordCount.
type meaning struct {
	name   string
	page   func(offset, rows int) int // the index of a page's first activity
	cap    int                        // most activities of a page; 0 is as many as asked for
	counts bool                       // RecordCount is of the trail
}

var meanings = func() []meaning {
	var all []meaning
	for _, counts := range []bool{true, false} {
		for _, limit := range []int{0, 25, 10, 1} {
			for name, page := range map[string]func(offset, rows int) int{
				"items":        func(offset, rows int) int { return offset },
				"pages from 0": func(offset, rows int) int { return offset * rows },
				"pages from 1": func(offset, rows int) int { return max(offset-1, 0) * rows },
			} {
				all = append(all, meaning{fmt.Sprintf("%s, cap %d, total %v", name, limit, counts), page, limit, counts})
			}
		}
	}
	return all
}()

func (m meaning) answer(n, offset int) TrailPage {
	rows := trailRows
	if m.cap > 0 {
		rows = min(rows, m.cap)
	}
	from := min(m.page(offset, rows), n)
	to := min(from+rows, n)
	p := TrailPage{}
	for i := from; i < to; i++ {
		p.Activities = append(p.Activities, Activity{ID: fmt.Sprint("a", i), EventCode: 12000, CreatedOn: time.Unix(int64(i+1), 0)})
	}
	if p.Total = len(p.Activities); m.counts {
		p.Total = n
	}
	return p
}

// read reads a trail of n activities and counts the calls.
func (m meaning) read(r *TrailReader, n int) (got []Activity, calls int, err error) {
	for offset, more := r.Next(); more; offset, more = r.Next() {
		calls++
		r.Add(m.answer(n, offset))
	}
	got, err = r.Activities()
	return got, calls, err
}

func TestTrailIsReadWholeUnderEveryMeaning(t *testing.T) {
	for _, m := range meanings {
		t.Run(m.name, func(t *testing.T) {
			sizes := []int{0, 1, 2, 9, 10, 11, 24, 25, 26, 49, 50, 51, 75, 99, 100, 101, 130, 625, 2600}
			if m.cap == 1 {
				sizes = []int{0, 1, 2, 3, 30}
			}
			for _, n := range sizes {
				got, calls, err := m.read(NewTrailReader(12000), n)
				if err == nil && len(got) != n {
					// Where neither count nor size of a page gives away that there is more, nobody can know.
					if silent := !m.counts && m.cap > 0 && m.cap%25 != 0; !silent {
						t.Errorf("%d of %d activities in %d calls, and no error", len(got), n, calls)
					}
				}
				if err != nil && n < 2600 {
					t.Errorf("%d activities: %v after %d calls", n, err, calls)
				}
			}
		})
	}
}

// What a trail costs, where the account behaves as the API page has it.
func TestTrailCosts(t *testing.T) {
	for _, c := range []struct {
		m       string
		n, want int
	}{
		{"items, cap 0, total true", 0, 1},
		{"items, cap 0, total true", 3, 1},
		{"items, cap 25, total true", 24, 1},
		{"items, cap 25, total true", 26, 2},
		{"items, cap 25, total true", 25, 2}, // a full page: is there more?
		{"items, cap 0, total true", 130, 3},
		{"pages from 0, cap 0, total true", 130, 4},
		{"pages from 1, cap 0, total true", 130, 5},
	} {
		for _, m := range meanings {
			if m.name == c.m {
				if _, calls, err := m.read(NewTrailReader(12000), c.n); calls != c.want || err != nil {
					t.Errorf("%s: %d activities cost %d calls (%v), want %d", c.m, c.n, calls, err, c.want)
				}
			}
		}
	}
}

func TestTrailReaderLearnsFromOtherTrails(t *testing.T) {
	c := testClient(t, Config{Host: "api.example.com"})
	for _, m := range meanings {
		if m.name == "pages from 0, cap 25, total true" {
			_, first, _ := m.read(c.NewTrailReader(12000), 60)
			_, second, err := m.read(c.NewTrailReader(12000), 60)
			_, full, _ := m.read(c.NewTrailReader(12000), 25)
			if first != 4 || second != 3 || full != 1 || err != nil {
				t.Errorf("%d, %d and %d calls (%v), want 4, 3 and 1", first, second, full, err)
			}
		}
	}
}

func TestTrailThatCannotBeReadWholeIsAnError(t *testing.T) {
	for name, page := range map[string]func(offset int) TrailPage{
		"a count and no activities": func(int) TrailPage { return TrailPage{Total: 3} },
		"the same page for ever":    func(int) TrailPage { return meanings[0].answer(60, 0) },
		"one missing": func(o int) TrailPage {
			p := meanings[0].answer(10, 0)
			p.Activities = p.Activities[1:]
			return p
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewTrailReader(12000)
			for offset, more := r.Next(); more; offset, more = r.Next() {
				r.Add(page(offset))
				if r.steps > 20 {
					t.Fatal("does not end")
				}
			}
			if got, err := r.Activities(); err == nil {
				t.Errorf("%d activities and no error", len(got))
			}
		})
	}
	if _, err := NewTrailReader(1).Activities(); err == nil {
		t.Error("a trail that was never read is whole")
	}
}

// Someone adds an activity at the head while the pages are read.
func TestTrailThatGrowsMeanwhile(t *testing.T) {
	r := NewTrailReader(12000)
	n, calls := 70, 0
	for offset, more := r.Next(); more; offset, more = r.Next() {
		p := TrailPage{Total: n}
		for i := offset; i < min(offset+50, n); i++ { // newest first: ids fall
			p.Activities = append(p.Activities, Activity{ID: strconv.Itoa(n - i), EventCode: 12000})
		}
		r.Add(p)
		if calls++; calls == 1 {
			n++
		}
	}
	got, err := r.Activities()
	if err != nil || len(got) != 71 {
		t.Errorf("%d activities, %v", len(got), err)
	}
}

func TestTrailLeavesOtherCodesOut(t *testing.T) {
	p := TrailPage{Total: 2, Activities: []Activity{{ID: "a", EventCode: 33}, {ID: "b", EventCode: 12000}}}
	for code, want := range map[int]int{12000: 1, 33: 1, 7: 0, 0: 2} {
		r := NewTrailReader(code)
		r.Add(p)
		if got, err := r.Activities(); err != nil || len(got) != want {
			t.Errorf("code %d: %d activities, %v", code, len(got), err)
		}
	}
}

func TestTrailOverTheWire(t *testing.T) {
	var m meaning
	for _, m = range meanings {
		if m.name == "pages from 0, cap 25, total true" {
			break
		}
	}
	breakAt := -1
	calls := 0
	c := testClient(t, Config{Host: "api.example.com", Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		if calls++; calls == breakAt {
			return reply(502, ""), nil
		}
		var body struct{ Paging struct{ Offset string } }
		json.NewDecoder(r.Body).Decode(&body)
		offset, err := strconv.Atoi(body.Paging.Offset)
		if err != nil {
			return nil, err
		}
		page := m.answer(60, offset)
		type activity struct {
			Id        string
			EventCode int
			CreatedOn string
		}
		out := struct {
			RecordCount        int
			ProspectActivities []activity
		}{RecordCount: page.Total}
		for _, a := range page.Activities {
			out.ProspectActivities = append(out.ProspectActivities, activity{a.ID, a.EventCode, a.CreatedOn.UTC().Format("2006-01-02 15:04:05")})
		}
		b, _ := json.Marshal(out)
		return reply(200, string(b)), nil
	})})
	read := func(c *Client, event int) ([]Activity, error) {
		r := c.NewTrailReader(event)
		for offset, more := r.Next(); more; offset, more = r.Next() {
			page, o := c.TrailPage(t.Context(), nil, "l-1", event, offset)
			if o.Verdict != Applied {
				return nil, errors.New(o.Message)
			}
			r.Add(page)
		}
		return r.Activities()
	}
	got, err := read(c, 12000)
	if err != nil || len(got) != 60 {
		t.Errorf("%d activities, %v; want 60", len(got), err)
	}
	if calls != 4 {
		t.Errorf("%d calls, want 4", calls)
	}
	calls, breakAt = 0, 2
	if got, err := read(c, 12000); err == nil || got != nil {
		t.Errorf("a broken page returned %d activities, %v", len(got), err)
	}
	short := testClient(t, Config{Host: "api.example.com", Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		io.Copy(io.Discard, r.Body)
		return reply(200, `{"RecordCount":5,"ProspectActivities":[{"Id":"a","EventCode":1,"CreatedOn":"2026-01-01 00:00:00"}]}`), nil
	})})
	if got, err := read(short, 1); err == nil || got != nil {
		t.Errorf("a short trail returned %d activities, %v", len(got), err)
	}
}
