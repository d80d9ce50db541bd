package mapping

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"leadload/internal/fault"
)

// Problem is a fault of a mapping file with its place.
type Problem struct {
	File         string
	Line, Column int
	Code         string
	Msg          string
	Hint         string
	Excerpt      string // the line of the YAML, with a caret below the place
}

// Error gives "file:line:column: message".
func (p Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		b.WriteByte(':')
	}
	if p.Line > 0 {
		fmt.Fprintf(&b, "%d:%d:", p.Line, p.Column)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	b.WriteString(p.Msg)
	return b.String()
}

// Problems are the faults of a mapping, in the order of their lines.
type Problems []Problem

// Error gives one line for each fault.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Fault returns the first problem, with the words of all of them.
func (p Problems) Fault() *fault.Fault {
	f := &fault.Fault{Code: "mapping.shape", Msg: p.Error(), Ends: fault.Usage}
	if len(p) > 0 {
		f.Code, f.Hint = fault.Code(p[0].Code), p[0].Hint
	}
	return f
}

// collector gathers the faults of one YAML file.
type collector struct {
	file  string
	lines []string
	found Problems
}

func newCollector(file, text string) *collector {
	return &collector{file: file, lines: strings.Split(text, "\n")}
}

// maxProblems bounds what one file can be told: nobody reads more, and a
// damaged file must not fill a screen without end.
const maxProblems = 100

func (c *collector) at(n *node, code, hint, format string, args ...any) {
	line, col := 0, 0
	if n != nil {
		line, col = n.line, n.col
	}
	c.place(line, col, code, hint, fmt.Sprintf(format, args...))
}

func (c *collector) place(line, col int, code, hint, msg string) {
	if len(c.found) >= maxProblems {
		return
	}
	p := Problem{File: c.file, Line: line, Column: col, Code: code, Msg: msg, Hint: hint}
	p.Excerpt = c.excerpt(line, col)
	for _, q := range c.found {
		if q.Line == line && q.Column == col && q.Msg == msg {
			return // one anchor used twice has its faults once
		}
	}
	c.found = append(c.found, p)
}

// excerptWidth is what a narrow terminal shows beside the line number.
const excerptWidth = 100

// excerpt shows the line with a caret under the column, both counted in
// characters; a long line is cut around the place.
func (c *collector) excerpt(line, col int) string {
	if line < 1 || line > len(c.lines) {
		return ""
	}
	text := strings.Map(func(r rune) rune {
		if r == '\t' {
			return ' ' // so that the caret stays below its character
		}
		if r < ' ' || r == utf8.RuneError {
			return '?'
		}
		return r
	}, c.shown(line))
	runes := []rune(text)
	at := min(max(col-1, 0), len(runes))
	head, tail := "", ""
	if len(runes) > excerptWidth {
		from := max(0, at-excerptWidth/2)
		to := min(len(runes), from+excerptWidth)
		if from > 0 {
			head = "…"
		}
		if to < len(runes) {
			tail = "…"
		}
		runes, at = runes[from:to], at-from
	}
	number := strconv.Itoa(line)
	return number + " | " + head + strings.TrimRight(string(runes), " ") + tail + "\n" +
		strings.Repeat(" ", len(number)) + " | " + strings.Repeat(" ", at+utf8.RuneCountInString(head)) + "^"
}

// err gives the problems sorted by place, or nil.
func (c *collector) err() error {
	if len(c.found) == 0 {
		return nil
	}
	slices.SortStableFunc(c.found, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return c.found
}

// keyLine is a line that holds a key by its name: a mapping has none, but an
// account file that was named in its place does. The key may stand on further lines.
var keyLine = regexp.MustCompile(`(?i)^(.*?(?:\w[_-]key|secret|password|token|apikey|accesskey)[\w-]*["']?[ \t]*:)(.*)$`)

// shown is a line as it may be shown to people, without keys.
func (c *collector) shown(line int) string {
	text := c.lines[line-1]
	if m := keyLine.FindStringSubmatch(text); m != nil {
		return m[1] + " ***"
	}
	indent := indentOf(text)
	for n := line - 2; n >= 0 && indent > 0; n-- {
		before := c.lines[n]
		if strings.TrimSpace(before) == "" || indentOf(before) >= indent {
			continue
		}
		if keyLine.MatchString(before) {
			return strings.Repeat(" ", indent) + "***"
		}
		break
	}
	return text
}

func indentOf(s string) int { return len(s) - len(strings.TrimLeft(s, " \t")) }

// didYouMean gives the hint for an unknown name, with the nearest valid one
// where there is one and with all of them where they are few.
func didYouMean(s string, names []string) string {
	if n := fault.Nearest(s, names); n != "" {
		return fmt.Sprintf("did you mean %q?", n)
	}
	if len(names) == 0 {
		return ""
	}
	if len(names) <= 24 {
		return "valid names: " + strings.Join(names, ", ")
	}
	return ""
}
