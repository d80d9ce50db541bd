package converter

import "strings"

// boolean takes true, false, yes, no, y, n, 1 and 0 in any case.
func boolean(cell Cell) (string, *Problem) {
	if cell.Kind != DateCell {
		switch strings.ToLower(cell.Text) {
		case "true", "yes", "y", "1":
			return boolTrue, nil
		case "false", "no", "n", "0":
			return boolFalse, nil
		}
	}
	return "", problem(codeBoolean, "write true or false, yes or no, 1 or 0", "%s is neither yes nor no", quote(cell.Text))
}
