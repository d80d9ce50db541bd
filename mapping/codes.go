package mapping

// Codes are stable: they stand in results files and in people's scripts. Each
// comes with one sentence and with what to do, from which the catalogue of
// errors is made.

type codeEntry struct{ code, what, do string }

var codeTable = []codeEntry{
	{"yaml.encoding", "the YAML file is not UTF-8 text", "save it as UTF-8"},
	{"yaml.empty", "the YAML file is empty", "draft a mapping with leadload init FILE"},
	{"yaml.size", "the YAML file is too large", "a mapping has some kilobytes: check that it is the right file"},
	{"yaml.syntax", "the file is no valid YAML", "look at the place shown; texts with a colon, a # or a leading sign need quotes"},
	{"yaml.tab", "a tab indents a line", "replace tabs by spaces"},
	{"yaml.depth", "the YAML is nested too deep or holds too many values", "check that it is the right file"},
	{"yaml.documents", "the file holds more than one YAML document", "keep one, without a line of ---"},
	{"yaml.anchor", "an alias names an anchor that is not set", "set it with &name before it is used, or put the text in quotes"},
	{"yaml.tag", "a YAML tag has no meaning here", "leave it out; put texts in quotes"},
	{"yaml.merge", "<< merges something else than a group of keys", "write <<: *name where name is a group of keys"},
	{"yaml.key", "a key is no text", "write name: value"},
	{"yaml.duplicate", "a key is given twice", "keep one of the two"},
	{"mapping.shape", "a key has a value of the wrong shape", "look the key up in the mapping reference"},
	{"mapping.version", "the mapping's version is missing or unknown", "set version: 1"},
	{"mapping.target", "the target is missing, or a key does not go with it", "set target: " + TargetWords()},
	{"mapping.unknown-key", "a key is not known", "use the name suggested; editors complete keys with leadload schema"},
	{"mapping.empty", "a key has no value", "give it a value, or leave it out"},
	{"mapping.fill-in", "a place of a drafted mapping is still to be filled in", "replace FILL_IN by what the comment asks for"},
	{"mapping.choice", "a key has a value that is not among its choices", "use one of the choices listed"},
	{"mapping.range", "a number is out of range", "use a number inside the range shown"},
	{"mapping.repeated", "a list names something twice", "keep one of the two"},
	{"mapping.missing", "something that the account needs is not mapped", "add what the message names"},
	{"mapping.combination", "two settings contradict each other or one has no meaning without another", "keep the one that is meant"},
	{"mapping.timezone", "a time zone is not known", "use a name of the IANA zone database, such as Asia/Kolkata"},
	{"mapping.type", "a field cannot be of this type", "leave type out, or use the one suggested"},
	{"mapping.format", "a pattern for dates cannot be used", "use yyyy MM dd HH hh mm ss SSS a Z, MMM, MMMM and EEE"},
	{"mapping.setting", "a field's settings cannot be used", "read the message"},
	{"mapping.constant", "a value or default does not fit its field's type", "write it as the file would"},
	{"mapping.status", "a status is none of Open, Won and Lost", "use one of them; the stage goes into a custom field"},
	{"mapping.event-code", "an opportunity type's code is no code", "use the number from Settings > Opportunities > Opportunity Types"},
	{"mapping.field-name", "a field's name cannot be a schema name", "use the schema name that the account's settings show"},
	{"mapping.search-by", "the attribute that should find the lead cannot", "name a unique attribute that the mapping maps"},
	{"mapping.unknown-column", "the file has no column of this name", "use the name suggested, letter by letter"},
	{"mapping.duplicate-column", "the file has several columns of this name", "rename one of them in the file"},
	{"expr.syntax", "an expression cannot be read", "look at the place shown"},
	{"expr.long", "an expression is too long", "split it over several fields"},
	{"expr.type", "an expression gives no text", "make it a text, for example with join(…, \" \")"},
	{"cases.shape", "a test case is not written as it should be", "give it row and body, fields, skipped or problems"},
	{"cases.column", "a test case gives a column that the mapping does not use", "use the mapping's names of columns"},
	{"expr.failed", "an expression fails for a row", "change the expression so that it holds for such a row too"},
	{"row.required", "a value is missing in a row", "fill it in, or give the field a default"},
	{"row.failed", "a row cannot be mapped", "read the message"},
	{"key.empty", "a key column is empty in a row", "fill it in, or name other columns as key"},
	{"lead.empty", "the value that names the lead holds nothing to find it by", "correct it in the file"},
	{"status.unknown", "a status in a row is none of Open, Won and Lost", "translate it with values:"},
	{"event-code.range", "an opportunity type's code in a row is no code", "correct it in the file"},
	{"timezone.empty", "the time zone of a row is empty", "fill it in, or set timezone: at the top of the mapping"},
	{"timezone.unknown", "the time zone of a row is not known", "use a name such as Asia/Kolkata"},
}

// Codes are all codes that a Problem or RowProblem of this package can have.
// A RowProblem may also have one of package converter.
var Codes = func() []string {
	out := make([]string, len(codeTable))
	for i, e := range codeTable {
		out[i] = e.code
	}
	return out
}()

// Explain gives one sentence on a code and what to do about it; ok is false
// for a code that is not among Codes.
func Explain(code string) (what, do string, ok bool) {
	for _, e := range codeTable {
		if e.code == code {
			return e.what, e.do, true
		}
	}
	return "", "", false
}
