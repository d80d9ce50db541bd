package cli

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"golang.org/x/term"

	"leadload/internal/fault"
)

func terminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// width is the terminal's width in characters, or 80.
func width(f *os.File) int {
	if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
		return w
	}
	return 80
}

// fit wraps a text for people to the terminal that w is; elsewhere, where
// programs read it, it stays one line.
func fit(w io.Writer, text string) string {
	if wide := columns(w); wide > 0 {
		return breakLines(text, wide)
	}
	return text
}

// columns is the width of the terminal that w is, 0 where it is none.
func columns(w io.Writer) int {
	f, ok := fileOf(w)
	if !ok || !terminal(f) {
		return 0
	}
	return width(f)
}

// breakLines breaks a text between words, so that no line is wider than wide. Lines
// go on below the first one's beginning. A command to be typed stays whole, so
// that it can be copied.
func breakLines(text string, wide int) string {
	if utf8.RuneCountInString(text) <= wide {
		return text
	}
	if strings.ContainsRune(text, '\n') {
		lines := strings.Split(text, "\n")
		for i, l := range lines {
			lines[i] = breakLines(l, wide)
		}
		return strings.Join(lines, "\n")
	}
	body := strings.TrimLeft(text, " ")
	if strings.HasPrefix(body, "next: ") {
		return text
	}
	begin := text[:len(text)-len(body)]
	return begin + breakBelow(body, len(begin), begin+"  ", wide)
}

// breakBelow breaks a text that begins at a column; its other lines begin with
// the indent.
func breakBelow(body string, column int, indent string, wide int) string {
	var b strings.Builder
	for i, word := range strings.Split(body, " ") {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+n > wide && len(indent)+n <= wide:
			b.WriteString("\n" + indent)
			column = len(indent)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}

// printTable aligns what rows writes, cells separated by tabs. On a terminal that is
// too narrow for a line, its columns from the one at the name last on go on below
// their beginning, or, where little room is left there, below the line.
func (a *app) printTable(last string, rows func(w io.Writer)) error {
	var text bytes.Buffer
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	rows(w)
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(a.stdout, foldTable(text.String(), last, columns(a.stdout)))
	return err
}

func foldTable(text, last string, wide int) string {
	head, _, _ := strings.Cut(text, "\n")
	at := strings.Index(head, last)
	if wide == 0 || at < 0 {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if runes := []rune(line); len(runes) > wide && len(runes) > at {
			rest := strings.Join(strings.Fields(string(runes[at:])), " ")
			if wide-at >= 30 {
				line = string(runes[:at]) + breakBelow(rest, at, strings.Repeat(" ", at), wide)
			} else {
				line = strings.TrimRight(string(runes[:at]), " ") + "\n    " + breakBelow(rest, 4, "    ", wide)
			}
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// clearLine empties the line that a bar was drawn on, with whatever the
// terminal itself has put behind it, such as ^C.
func clearLine(w io.Writer) {
	if runtime.GOOS != "windows" { // whose console may print the sequence instead of obeying it
		io.WriteString(w, "\r\x1b[K")
	}
}

// canAsk reports whether somebody sits at a terminal to be asked.
func (a *app) canAsk() bool { return isTerminal(a.stdin) && isTerminal(a.stderr) }

// ask asks a question, and returns nil where the answer is yes. declined says what
// was not done, and how. Ctrl-C is an answer, too: nothing is left to be read then.
func (a *app) ask(ctx context.Context, declined *fault.Fault, format string, args ...any) error {
	fmt.Fprintf(a.stderr, format+" [y/N] ", plain(args)...)
	answers := make(chan string, 1)
	go func() {
		answer, _ := bufio.NewReader(a.stdin).ReadString('\n')
		answers <- answer
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(a.stderr)
		return context.Cause(ctx)
	case answer := <-answers:
		switch strings.ToLower(strings.TrimSpace(answer)) {
		case "y", "yes":
			return nil
		}
	}
	return declined
}

// lastLine prints the line that ends a command: beside JSON or results on standard
// output it stands on standard error.
func (a *app) lastLine(c *common, line string) {
	out := a.stdout
	if c.json || c.out == "-" {
		out = a.stderr
	}
	fmt.Fprintln(out, fit(out, line))
}
