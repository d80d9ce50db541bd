package cli

import (
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// manual holds the pages that leadload help TOPIC prints, one file a topic.
//
//go:embed help/*.md
var manual embed.FS

// topics are the pages of the manual in reading order.
var topics = []string{
	"mapping", "targets", "account", "bulk", "results", "doubt", "updates", "verify", "adopt", "undo", "nightly", "several-machines", "security", "questions",
	"mapping-keys", "flags", "errors", "exit-codes",
}

// page returns the Markdown of a topic.
func page(topic string) (string, bool) {
	if !slices.Contains(topics, topic) {
		return "", false
	}
	text, err := manual.ReadFile("help/" + topic + ".md")
	return string(text), err == nil
}

// pageTitle returns a page's first line without its mark.
func pageTitle(text string) string {
	first, _, _ := strings.Cut(text, "\n")
	return strings.TrimPrefix(first, "# ")
}

// topicList returns a line for each page.
func topicList() string {
	var b strings.Builder
	b.WriteString("The manual, with leadload help TOPIC:\n")
	for _, t := range topics {
		text, _ := page(t)
		fmt.Fprintf(&b, "  %-17s %s\n", t, pageTitle(text))
	}
	return b.String()
}

// pageWidth is the width to which paragraphs and cells of a page are broken at most.
const pageWidth = 100

var (
	pageLink  = regexp.MustCompile(`\[([^\]]+)\]\(([a-z-]+)\.md\)`)
	italic    = regexp.MustCompile(`(^|[\s(|])\*([\pL][^*]*)\*`)
	otherLink = regexp.MustCompile(`\[([^\]]+)\]\(([^)]+)\)`)
)

// renderPage turns the Markdown of a page into text for a terminal. Links name
// the command that shows their page, tables become columns, pictures are left out.
// Lines are broken to so many columns; blocks of code stay as they are.
func renderPage(text string, wide int) string {
	var b strings.Builder
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	fenced := false
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
		case fenced:
			b.WriteString(strings.TrimRight("  "+line, " ") + "\n")
		case strings.HasPrefix(line, "!["):
			if i+1 < len(lines) && lines[i+1] == "" {
				i++
			}
		case strings.HasPrefix(line, "|"):
			end := i
			for end < len(lines) && strings.HasPrefix(lines[end], "|") {
				end++
			}
			renderTable(&b, lines[i:end], wide)
			i = end - 1
		case strings.HasPrefix(line, "# "):
			b.WriteString(strings.ToUpper(plainText(line[2:])) + "\n")
		case strings.HasPrefix(line, "#"):
			title := plainText(strings.TrimLeft(line, "# "))
			b.WriteString(title + "\n" + strings.Repeat("-", utf8.RuneCountInString(title)) + "\n")
		default:
			indent := ""
			if m := listMark.FindString(line); m != "" {
				indent = strings.Repeat(" ", len(m))
			}
			b.WriteString(wrap(plainText(line), indent, wide))
		}
	}
	return strings.ReplaceAll(b.String(), "\r", "")
}

var listMark = regexp.MustCompile(`^(- |\d+\. |  +)`)

// plainText takes the marks of Markdown out of a line; code keeps its quotes.
func plainText(s string) string {
	s = pageLink.ReplaceAllStringFunc(s, func(m string) string {
		found := pageLink.FindStringSubmatch(m)
		return found[1] + " (leadload help " + found[2] + ")"
	})
	s = otherLink.ReplaceAllString(s, "$1 ($2)")
	return italic.ReplaceAllString(strings.ReplaceAll(s, "**", ""), "$1$2")
}

// wrap breaks a line at blanks; lines after the first begin with indent.
func wrap(s, indent string, width int) string {
	var b strings.Builder
	start := s[:len(s)-len(strings.TrimLeft(s, " "))]
	used := 0
	for i, word := range strings.Fields(s) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
			b.WriteString(start + word)
			used = len(start) + n
		case used+1+n > width:
			b.WriteString("\n" + indent + word)
			used = len(indent) + n
		default:
			b.WriteString(" " + word)
			used += 1 + n
		}
	}
	return b.String() + "\n"
}

// renderTable writes a table in columns where it fits. A wide one becomes a
// list: the first cell, and beneath it the others, each with its column's name.
func renderTable(b *strings.Builder, lines []string, wide int) {
	var rows [][]string
	for i, line := range lines {
		if i == 1 {
			continue // the rule beneath the heads
		}
		cells := tableCells(line)
		for j := range cells {
			cells[j] = plainText(cells[j])
		}
		rows = append(rows, cells)
	}
	widths := make([]int, len(rows[0]))
	total := 0
	for j := range widths {
		for _, r := range rows {
			if j < len(r) {
				widths[j] = max(widths[j], utf8.RuneCountInString(r[j]))
			}
		}
		total += widths[j] + 2
	}
	if total <= wide {
		for _, r := range rows {
			line := " "
			for j, c := range r {
				line += " " + c + strings.Repeat(" ", max(0, widths[min(j, len(widths)-1)]-utf8.RuneCountInString(c))+1)
			}
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
		return
	}
	for _, r := range rows[1:] {
		b.WriteString("  " + r[0] + "\n")
		for j, c := range r[1:] {
			switch {
			case c == "":
			case len(r) == 2:
				b.WriteString(wrap("      "+c, "      ", wide))
			default:
				b.WriteString(wrap("      "+rows[0][j+1]+": "+c, "        ", wide))
			}
		}
	}
}

// tableCells splits a line of a table; \| is a bar inside a cell.
func tableCells(line string) []string {
	line = strings.ReplaceAll(strings.Trim(strings.TrimSpace(line), "|"), `\|`, "\x00")
	cells := strings.Split(line, "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(strings.ReplaceAll(cells[i], "\x00", "|"))
	}
	return cells
}
