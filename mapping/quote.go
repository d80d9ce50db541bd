package mapping

import (
	"strconv"
	"strings"
)

// quotedYAML writes a text so that YAML reads the very same text back, with
// quotes only where they are needed.
func quotedYAML(s string) string {
	if s == "" || strings.TrimSpace(s) != s || strings.ContainsAny(s, "\n\r\t\"'#:,[]{}&*!|>%@`\\=") {
		return forceQuotes(s)
	}
	switch strings.ToLower(s) {
	case "null", "~", "true", "false", "yes", "no", "on", "off", "y", "n", ".nan", ".inf":
		return forceQuotes(s)
	}
	for _, r := range s {
		if r < ' ' || r == '\u007f' || r == '\u0085' || r == '\u2028' || r == '\u2029' || r == '\ufeff' || r == '\u00a0' {
			return forceQuotes(s)
		}
	}
	if strings.ContainsAny(s[:1], "-?<.") { // also "---" and "...", which end a document
		return forceQuotes(s)
	}
	return s
}

// forceQuotes prefers single quotes, inside which nothing has a meaning.
func forceQuotes(s string) string {
	for _, r := range s {
		if r < ' ' || r == '\u007f' || r == '\u0085' || r == '\u2028' || r == '\u2029' || r == '\ufeff' {
			return strconv.QuoteToASCII(s)
		}
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}
