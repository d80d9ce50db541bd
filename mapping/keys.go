package mapping

import (
	"slices"
	"strings"
)

// The keys of a mapping are one table. The parser reads by it, the JSON Schema
// and the reference are generated from it, so that the three cannot differ.

// shape is what a key's value looks like in the YAML.
type shape uint8

const (
	shapeText      shape = iota // one text
	shapeTexts                  // one text or a list of them
	shapeBool                   // true or false
	shapeInt                    // a whole number
	shapeEnum                   // one of key.enum
	shapeColumn                 // the name of a column
	shapeColumns                // one column or a list of them
	shapeExpr                   // an expression
	shapeZone                   // an IANA zone, or {column: …}
	shapePairs                  // text: text
	shapeSettings               // a group of keys: key.keys
	shapeField                  // a field: a column, or settings
	shapeFields                 // a group of fields by schema name
	shapeEventCode              // a whole number, or a field
)

// key is one entry of the table.
type key struct {
	name  string
	shape shape
	enum  []string // shapeEnum
	keys  []key    // shapeSettings: its keys
	// instead says what to write where the target does not take the key.
	instead string
	need    string // "yes", or in words when it is needed
	doc     string
	example string // as YAML, on one line
	intro   string // of a target's group: begins its section in the reference

	// Of a field of the request body:
	typ    string   // its type unless the mapping says another; "" is text
	types  []string // the types that it may have; none means all
	number bool     // the body has it as a JSON number
	status bool     // it takes Open, Won and Lost alone
	stored string   // the schema name under which the account returns it, where it is another
	lost   bool     // the account returns it in another form
	// unchanged says why the account's update does not take it; "" where it does.
	unchanged string
}

var typeNames = []string{"text", "number", "integer", "datetime", "date", "email", "phone", "boolean"}

var statusNames = []string{"Open", "Won", "Lost"}

// firstKeys, leadPolicies and lastKeys are the keys at the top of a mapping but
// for the groups of each target, which stand behind them.
var firstKeys = []key{
	{name: "version", shape: shapeInt, need: "yes", doc: "the mapping's format; 1", example: "1"},
	{name: "target", shape: shapeEnum, enum: targetNames, need: "yes", doc: "what a row becomes in the account", example: "opportunity"},
	{name: "timezone", shape: shapeText, need: "with a datetime field that has no timezone of its own", doc: "the IANA zone of the timestamps in the file", example: "Asia/Kolkata"},
	{name: "key", shape: shapeColumns, doc: "the column or columns that name a row for good; a row of the same key is never sent twice", example: "Deal ID"},
	{name: "set", shape: shapeText, doc: "a name that keeps two loads of the same rows apart: with another one, rows that are loaded are loaded once more", example: "trial"},
}

// leadPolicies are the ways to say whose record a row is. A target takes those
// that its spec names.
var leadPolicies = []key{
	{name: "search_by", shape: shapeText, need: "unless exactly one of EmailAddress and Phone is mapped", instead: "the lead of a sales activity is found by lead: {find_by: …, column: …}",
		doc: "the lead attribute by which the account finds the lead; it must be mapped in LeadDetails", example: "EmailAddress"},
	{name: "lead_must_exist", shape: shapeBool, instead: "a sales activity never creates a lead unless lead.if_missing says so",
		doc: "look the lead up first and refuse the row when there is none; a capture otherwise creates the lead", example: "true"},
	{name: "lead", shape: shapeSettings, keys: leadKeys, need: "unless SalesActivity.ProspectId is mapped", instead: "the lead of a capture is found by search_by",
		doc: "how the lead of a sales activity is found", example: "{find_by: EmailAddress, column: Email}"},
}

var lastKeys = []key{
	{name: "input", shape: shapeSettings, keys: inputKeys, doc: "how the file is to be read", example: "{sheet: Deals, header_row: 1}"},
	{name: "skip_when", shape: shapeExpr, doc: "rows for which this expression is true are left out", example: `'Stage == "Test"'`},
	{name: "on_change", shape: shapeEnum, enum: []string{"report", "update"}, doc: "what becomes of a row that was loaded and has other values now: report lists it, update sends what changed; report otherwise. --on-change wins", example: "update"},
	{name: "ignore", shape: shapeColumns, doc: "columns that are knowingly unused; other unused columns are listed", example: "[Remarks 2, Internal]"},
}

var inputKeys = []key{
	{name: "sheet", shape: shapeText, doc: "workbook: the sheet's name; the first visible sheet otherwise", example: "Deals"},
	{name: "header_row", shape: shapeInt, doc: "the row of the header as a spreadsheet counts; the first row with any text otherwise", example: "3"},
	{name: "delimiter", shape: shapeEnum, enum: []string{",", ";", "|", "tab", "\t"}, doc: "CSV: what separates the cells; found from the header otherwise", example: `";"`},
	{name: "encoding", shape: shapeText, doc: "CSV: the text's encoding; UTF-8 otherwise", example: "windows-1252"},
	{name: "decimal", shape: shapeEnum, enum: []string{".", ","}, doc: "the decimal sign of the file's numbers; a point otherwise", example: `","`},
}

var leadKeys = append([]key{
	{name: "find_by", shape: shapeText, need: "yes", doc: "the unique lead field to look up: EmailAddress, Phone or another unique field's schema name", example: "EmailAddress"},
	{name: "if_missing", shape: shapeEnum, enum: []string{"reject", "create"}, doc: "what happens when no lead is found; reject otherwise. create makes it by find_by: EmailAddress, Phone or Mobile", example: "reject"},
	{name: "if_many", shape: shapeEnum, enum: []string{"reject", "newest"}, doc: "what happens when several leads are found; reject otherwise", example: "newest"},
}, fieldKeys...)

// customFieldKey stands in salesKeys for all of mx_Custom_5, mx_Custom_6 ….
const customFieldKey = "mx_Custom_N"

var fieldKeys = []key{
	{name: "column", shape: shapeColumn, need: "one of column, value, expr, join", doc: "the column that the value comes from", example: "Email"},
	{name: "value", shape: shapeText, doc: "the same value for every row", example: "migrated"},
	{name: "expr", shape: shapeExpr, doc: "an expression (expr-lang) over the columns, which are texts: Contact, or row[\"Deal ID\"] where the name is more than one word; its result is text", example: `'Contact + " - " + Product'`},
	{name: "join", shape: shapeColumns, doc: "columns put together; empty cells are left out", example: "[First name, Last name]"},
	{name: "separator", shape: shapeText, doc: "what stands between joined columns; a space otherwise", example: `", "`},
	{name: "type", shape: shapeEnum, enum: typeNames, doc: "what the value is; text otherwise, and what the field asks for in EmailAddress, SalesOwnerEmail, Revenue, SalesDate and OpportunityDateTime", example: "datetime"},
	{name: "format", shape: shapeTexts, doc: "datetime and date: one or several patterns, tried in order: yyyy MM dd HH hh mm ss SSS a Z MMM MMMM EEE", example: "[dd/MM/yyyy HH:mm, dd/MM/yyyy]"},
	{name: "timezone", shape: shapeZone, doc: "datetime: the zone of this field, or the column that holds it", example: "{column: Zone}"},
	{name: "dst", shape: shapeEnum, enum: []string{"reject", "earlier", "later"}, doc: "datetime: what a local time means that comes twice when clocks go back; reject otherwise", example: "earlier"},
	{name: "values", shape: shapePairs, doc: "the file's words and the account's, without regard to case and spaces", example: "{Closed Won: Won, Closed Lost: Lost}"},
	{name: "default", shape: shapeText, doc: "what an empty cell means and, beside values, a word that is not listed", example: "Open"},
	{name: "required", shape: shapeBool, doc: "a row with an empty cell is refused", example: "true"},
	{name: "max_length", shape: shapeInt, doc: "the most characters that a value may have", example: "200"},
	{name: "truncate", shape: shapeBool, doc: "text: cut at max_length and do not refuse", example: "true"},
	{name: "case", shape: shapeEnum, enum: []string{"upper", "lower", "title"}, doc: "text: change the letters' case", example: "title"},
	{name: "empty", shape: shapeEnum, enum: []string{"omit", "send", "reject"}, doc: "what becomes of an empty value: left out, sent as an empty text, refused; omit otherwise", example: "send"},
	{name: "on_change", shape: shapeEnum, enum: []string{"ignore"}, doc: "ignore: the value is sent when the record is made, and never looked at again", example: "ignore"},
	{name: "region", shape: shapeText, doc: "phone: the country of numbers without a country code, as two letters", example: "IN"},
	{name: "percent", shape: shapeEnum, enum: []string{"fraction", "points"}, doc: "number and integer: what a percent sign means: 12% is sent as 0.12 (fraction) or as 12 (points); an error otherwise", example: "points"},
	{name: "words", shape: shapeBool, doc: "number and integer: read lakh and crore, and leave out Dr and Cr behind an amount; an error otherwise. 1.2 Cr is crore and 1,200.00 Cr a credit; what may be either stays an error", example: "true"},
	{name: "decimal", shape: shapeEnum, enum: []string{".", ","}, doc: "number and integer: the decimal sign; input.decimal or a point otherwise", example: `","`},
}

// leadAttributes are the lead fields that every account has. Others are the
// account's own and begin with mx_.
var leadAttributes = []string{
	"EmailAddress", "Phone", "Mobile", "FirstName", "LastName", "Company", "JobTitle", "Website", "Notes", "ProspectID",
	"Source", "SourceCampaign", "SourceMedium", "SourceContent", "ProspectStage", "OwnerId", "TimeZone", "DoNotCall", "DoNotEmail",
	"SkypeId", "GTalkId", "GooglePlusId", "FacebookId", "TwitterId", "LinkedInId", "Origin", "Score",
}

// uniqueAttributes are the lead fields that are unique in every account.
var uniqueAttributes = []string{"EmailAddress", "Phone", "ProspectID"}

func findKey(table []key, name string) *key {
	for i := range table {
		if table[i].name == name {
			return &table[i]
		}
	}
	if name != customFieldKey && isSalesCustom(name) {
		return findKey(table, customFieldKey)
	}
	return nil
}

// names lists the names of a table that fit; with a nil fits all do.
func names(table []key, fits func(*key) bool) []string {
	var out []string
	for i := range table {
		if k := &table[i]; k.name != customFieldKey && (fits == nil || fits(k)) {
			out = append(out, k.name)
		}
	}
	return out
}

// customNumber returns N of mx_Custom_N, or 0.
func customNumber(name string) int {
	digits, ok := strings.CutPrefix(name, "mx_Custom_")
	if !ok || digits == "" || len(digits) > 3 || digits[0] == '0' {
		return 0
	}
	n := 0
	for _, r := range digits {
		if r < '0' || r > '9' {
			return 0
		}
		n = n*10 + int(r-'0')
	}
	return n
}

// isSalesCustom reports a sales activity's custom field. The first four are
// the account's own names for product, order value, date and owner.
func isSalesCustom(name string) bool { return customNumber(name) >= 5 }

// isSchemaName reports a name that a field can have in an account.
func isSchemaName(s string) bool {
	if s == "" || len(s) > 100 {
		return false
	}
	for i, r := range s {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return true
}

func isProspectID(s string) bool { return strings.EqualFold(s, "ProspectID") }

func isUniqueAttribute(s string) bool {
	return slices.Contains(uniqueAttributes, s) || isProspectID(s)
}
