package reports

import "fmt"

// remark tells whoever asked what the lines lack. That there is no input at
// all is known before.
func (j *job) remark(t *tally, x trims) {
	if j.OnRemark == nil {
		return
	}
	for _, r := range t.remarks(true, x) {
		j.OnRemark(r)
	}
}

// remarks says in plain words what the lines lack.
func (t *tally) remarks(hasInput bool, x trims) []string {
	var out []string
	say := func(n int64, one, many string) {
		switch {
		case n == 1:
			out = append(out, "1 "+one)
		case n > 1:
			out = append(out, fmt.Sprintf("%s %s", thousands(n), many))
		}
	}
	if !hasInput {
		out = append(out, "The input file was not there when this was written, so its own columns are left out.")
	}
	say(t.changed, "row of the input file is not what it was during the run; its own columns are left empty.",
		"rows of the input file are not what they were during the run; their own columns are left empty.")
	if t.broken == nil {
		say(t.missing, "row is no longer in the input file; its own columns are left empty.",
			"rows are no longer in the input file; their own columns are left empty.")
	} else {
		msg := "The input file could not be read to its end: " + t.broken.Error() + "."
		if t.missing > 0 {
			msg += fmt.Sprintf(" %s rows have no columns of their own.", thousands(t.missing))
		}
		out = append(out, msg)
	}
	say(t.extra, "row of the input file was not part of this run and has no line.",
		"rows of the input file were not part of this run and have no line.")
	say(x.cut, "cell was longer than the 32,767 characters that a spreadsheet's cell holds; it ends in "+cutMark+".",
		"cells were longer than the 32,767 characters that a spreadsheet's cell holds; they end in "+cutMark+".")
	say(x.bytes, "cell has bytes that are no text; they are shown as \uFFFD.",
		"cells have bytes that are no text; they are shown as \uFFFD.")
	say(x.columns, "column of the input does not fit on a sheet, which has 16,384; name a .csv file with --out to have it.",
		"columns of the input do not fit on a sheet, which has 16,384; name a .csv file with --out to have them.")
	return out
}
