package converter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Words behind an amount: Indian files write 5.5 Lakh and 1.2 Cr, and ledgers
// 1,200.00 Cr for a credit and 1,200.00 Dr for a debit.

// amountWords are the places by which a word moves the point.
var amountWords = map[string]int{"LAKH": 5, "LAKHS": 5, "LAC": 5, "LACS": 5, "CRORE": 7, "CRORES": 7}

// wordIn returns the letters in a number without its sign and currency, "" for none.
func wordIn(core string) string {
	from := strings.IndexFunc(core, unicode.IsLetter)
	if from < 0 || !strings.ContainsAny(core, "0123456789") {
		return ""
	}
	to := from
	for to < len(core) {
		r, n := utf8.DecodeRuneInString(core[to:])
		if !unicode.IsLetter(r) && !unicode.IsMark(r) {
			break
		}
		to += n
	}
	return core[from:to]
}

// readWord takes the word off the end of an amount and returns how far it
// moves the point.
func readWord(text string, a amount, word string, spec *Spec) (core string, shift int, p *Problem) {
	core, behind, _ := strings.Cut(a.core, word)
	core = strings.TrimFunc(core, isSpace)
	upper := strings.ToUpper(word)
	shift, known := amountWords[upper]
	label := upper == "CR" || upper == "DR"
	known = known || label
	if known && !spec.Words {
		return "", 0, problem(codeNumber, "write the number alone, or set words: true, which reads lakh, crore, Dr and Cr",
			"%s is not a number: it has %s in it", quote(text), quote(word))
	}
	if !known || core == "" || strings.Trim(behind, ". ") != "" || a.percent {
		return "", 0, problem(codeNumber, "write the number alone", "%s is not a number: it has %s in it", quote(text), quote(word))
	}
	if upper != "CR" {
		return core, shift, nil
	}
	// Cr is credit in a ledger's writing and crore in a speaker's.
	whole, fraction, _ := strings.Cut(core, string(rune(spec.Decimal)))
	digits := 0
	for i := 0; i < len(whole); i++ {
		if whole[i]-'0' <= 9 {
			digits++
		}
	}
	switch {
	case len(fraction) == 2 && digits >= 4:
		return core, 0, nil
	case len(fraction) != 2 && digits <= 3:
		return core, 7, nil
	}
	return "", 0, problem(codeNumber, "write crore in full, or a credit without Cr", "Cr in %s may be crore or credit", quote(text))
}
