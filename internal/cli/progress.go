package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"

	"leadload/loader"
	"leadload/loader/ledger"
)

// progress shows how a run goes: a bar on a terminal, a line now and then
// elsewhere, nothing with --quiet.
type progress struct {
	a     *app
	quiet bool
	every time.Duration
	tty   bool

	mu      sync.Mutex
	bar     *progressbar.ProgressBar
	max     int64
	told    string // the line printed last where there is no terminal
	session *loader.Session
	done    chan struct{}
	wg      sync.WaitGroup
}

func (a *app) newProgress(c *common) *progress {
	every := c.progress
	if every <= 0 {
		every = 10 * time.Second
	}
	return &progress{a: a, quiet: c.quiet, every: every, tty: isTerminal(a.stderr)}
}

// terminal is where the bar is drawn: it needs what a screen lets nobody else write.
func (p *progress) terminal() io.Writer {
	if f, ok := fileOf(p.a.stderr); ok {
		return f
	}
	return p.a.stderr
}

// notice tells a sentence at once, without breaking the bar.
func (p *progress) notice(s string) {
	if p.quiet {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.a.say("  %s", s)
}

func (p *progress) start(s *loader.Session) {
	if p.quiet {
		return
	}
	p.session, p.done = s, make(chan struct{})
	tick := p.every
	if p.tty {
		tick = 200 * time.Millisecond
	}
	p.wg.Add(1)
	go func() {
		defer p.wg.Done()
		t := time.NewTicker(tick)
		defer t.Stop()
		for {
			select {
			case <-p.done:
				return
			case <-t.C:
				v := p.session.Snapshot()
				p.a.run.Store(v.Run)
				p.show(v)
			}
		}
	}()
}

func (p *progress) stop() {
	if p.done == nil {
		return
	}
	close(p.done)
	p.wg.Wait()
	p.done = nil
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.bar, p.max = nil, 0
}

// clear empties the bar's line. The caller holds mu.
func (p *progress) clear() {
	if p.bar != nil {
		p.bar.Clear()
		clearLine(p.terminal())
	}
}

// describe is the state of a run in one line.
func describe(v loader.Snapshot) string {
	switch v.Phase {
	case loader.Planning:
		return fmt.Sprintf("checking rows: %d", v.Rows)
	case loader.Reading:
		return fmt.Sprintf("%d of %d records read", min(v.Read, v.Rows), v.Rows)
	case loader.Undoing:
		return fmt.Sprintf("%d of %d records taken back", min(v.Read, v.Rows), v.Rows)
	case loader.Settling:
		if n := v.Results[ledger.ResultInDoubt]; n > 0 { // otherwise rows that were not found go again
			return count(n, "row in doubt is looked up", "rows in doubt are looked up")
		}
	case loader.Polling:
		return count(v.Results[ledger.ResultPending], "row is in the account's queue", "rows are in the account's queue")
	}
	parts := []string{fmt.Sprintf("%d of %d rows", v.Done(), v.Rows)}
	if n := v.Results[ledger.ResultRejected]; n > 0 {
		parts = append(parts, fmt.Sprintf("%d rejected", n))
	}
	if n := v.Results[ledger.ResultInDoubt]; n > 0 {
		parts = append(parts, fmt.Sprintf("%d in doubt", n))
	}
	if d := time.Since(v.Since); d > time.Second {
		parts = append(parts, fmt.Sprintf("%.1f calls/s (limit %s)", float64(v.Calls)/d.Seconds(), v.Limit))
	}
	switch {
	case v.Paused >= time.Second:
		parts = append(parts, fmt.Sprintf("account busy, resuming in %d s", int(v.Paused/time.Second)))
	case v.Left > 0:
		parts = append(parts, about(v.Left)+" left")
	}
	return strings.Join(parts, " · ")
}

// barWidth is what the bar, its percentage and the space between take.
const barWidth = 32

// firstParts is as many of a line's parts as a width has room for, and at least one.
func firstParts(text string, wide int) string {
	for utf8.RuneCountInString(text) > wide {
		i := strings.LastIndex(text, " · ")
		if i < 0 {
			break
		}
		text = text[:i]
	}
	return text
}

func (p *progress) show(v loader.Snapshot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.tty {
		// A wait is told once; it has nothing new to say until a row is settled.
		if text := describe(v); text != p.told {
			p.told = text
			p.a.write("info", &v, "  "+text)
		}
		return
	}
	max := int64(-1)
	if v.Phase == loader.Sending && v.Rows > 0 {
		max = v.Rows
	}
	if p.bar == nil || p.max != max {
		p.clear()
		color := p.a.getenv("NO_COLOR") == ""
		p.bar = progressbar.NewOptions64(max,
			progressbar.OptionSetWriter(p.terminal()),
			progressbar.OptionSetWidth(20),
			progressbar.OptionEnableColorCodes(color),
			progressbar.OptionSetElapsedTime(false),
			progressbar.OptionSetPredictTime(false), // its rate is wrong after a resume; ours comes from the limit
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetSpinnerChangeInterval(0), // otherwise it draws by itself, also after its line was cleared
			progressbar.OptionSetTheme(progressbar.ThemeASCII))
		p.max = max
	}
	text := describe(v)
	if f, ok := fileOf(p.a.stderr); ok {
		text = firstParts(text, width(f)-barWidth)
	}
	p.bar.Describe(text)
	if max > 0 {
		p.bar.Set64(v.Done())
	} else {
		p.bar.Add(0)
	}
}
