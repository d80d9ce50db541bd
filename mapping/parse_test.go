package mapping

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The beginnings of a mapping that has no fault by itself.
const (
	top     = "version: 1\ntarget: opportunity\ntimezone: Asia/Kolkata\n"
	details = "LeadDetails: {EmailAddress: Email}\n"
	code    = "Opportunity: {OpportunityEventCode: 12000}\n"
	fields  = top + "search_by: EmailAddress\n" + details + "Opportunity:\n  OpportunityEventCode: 12000\n  Fields:\n"
	salesUp = "version: 1\ntarget: sales-activity\ntimezone: Asia/Kolkata\nlead: {find_by: EmailAddress, column: Email}\n"
)

// problemsOf parses and, with a header, compiles.
func problemsOf(t *testing.T, text string, header []string) Problems {
	t.Helper()
	m, err := Parse("m.yaml", []byte(text))
	if err == nil && header != nil {
		_, err = m.Compile(header)
	}
	if err == nil {
		return nil
	}
	var p Problems
	if !errors.As(err, &p) {
		t.Fatalf("the error is %T, not Problems: %v", err, err)
	}
	return p
}

func TestFaultsOfAMapping(t *testing.T) {
	type want struct {
		line, col int
		code      string
		msg       string // part of it
		hint      string // part of it
	}
	for _, c := range []struct {
		name   string
		text   string
		header []string
		want   []want
	}{
		{"an empty file", "", nil, []want{{1, 1, "yaml.empty", "the mapping is empty", "leadload init"}}},
		{"blanks only", " \n\n", nil, []want{{1, 1, "yaml.empty", "empty", ""}}},
		{"comments only", "# nothing\n# here\n", nil, []want{{1, 1, "yaml.empty", "empty", ""}}},
		{"only a document mark", "---\n", nil, []want{{1, 1, "yaml.empty", "empty", ""}}},
		{"a tab as indentation", "version: 1\ntarget: opportunity\nLeadDetails:\n\tEmailAddress: Email\n", nil, []want{{4, 1, "yaml.tab", "tab", "spaces"}}},
		{"two tabs are told at once", "\ta: 1\n\tb: 2\n", nil, []want{{1, 1, "yaml.tab", "", ""}, {2, 1, "yaml.tab", "", ""}}},
		{"a key given twice", top + details + details + code, nil, []want{{5, 1, "yaml.duplicate", `"LeadDetails" is given twice; first in line 4`, ""}}},
		{"a field given twice", fields + "    mx_Custom_1: A\n    mx_Custom_1: B\n", nil, []want{{10, 5, "yaml.duplicate", `"mx_Custom_1" is given twice`, ""}}},
		{"a second document", top + details + code + "---\nversion: 1\n", nil, []want{{7, 1, "yaml.documents", "second document", ""}}},
		{"an unknown anchor", top + "LeadDetails: *lead\n" + code, nil, []want{{4, 14, "yaml.anchor", `no anchor "lead"`, ""}}},
		{"an anchor nearly right", "version: 1\ntarget: opportunity\nLeadDetails: &leads {EmailAddress: Email}\nOpportunity: *leds\n", nil, []want{{4, 14, "yaml.anchor", `no anchor "leds"`, "*leads"}}},
		{"an alias of itself", top + "LeadDetails: &a\n  EmailAddress: *a\n" + code, nil, []want{{5, 17, "yaml.anchor", `no anchor "a"`, ""}}},
		{"a foreign tag", top + "LeadDetails: {EmailAddress: !secret Email}\n" + code, nil, []want{{4, 29, "yaml.tag", "!secret", ""}}},
		{"a merge of a text", top + "LeadDetails:\n  <<: Email\n  EmailAddress: Email\n" + code, nil, []want{{5, 3, "yaml.merge", "<<", ""}}},
		{"an unclosed quote", top + "LeadDetails: {EmailAddress: \"Email}\n" + code, nil, []want{{4, 29, "yaml.syntax", "never closes", ""}}},
		{"an unclosed bracket", top + "LeadDetails: {EmailAddress: Email\n", nil, []want{{4, 14, "yaml.syntax", "{ opens here", "}"}}},
		{"two colons", top + "LeadDetails: a: b\n", nil, []want{{4, 14, "yaml.syntax", "second colon", "quotes"}}},
		{"a reserved sign", top + "LeadDetails: {EmailAddress: @x}\n" + code, nil, []want{{4, 29, "yaml.syntax", "cannot begin", "quotes"}}},
		{"bytes that are not UTF-8", "version: 1\n# caf\xe9\n", nil, []want{{2, 6, "yaml.encoding", "not UTF-8", "UTF-8"}}},
		{"a NUL byte", "version: 1\nkey: a\x00b\n", nil, []want{{2, 7, "yaml.syntax", "NUL", ""}}},
		{"a list instead of keys", "- a\n- b\n", nil, []want{{1, 1, "mapping.shape", "not a list", "version: 1"}}},
		{"a text instead of keys", "hello\n", nil, []want{{1, 1, "mapping.shape", `not "hello"`, ""}}},

		{"no version", "target: opportunity\n" + details + code, nil, []want{{1, 1, "mapping.version", "does not say its version", "version: 1"}}},
		{"another version", "version: 2\ntarget: opportunity\n" + details + code, nil, []want{{1, 10, "mapping.version", `version "2"`, ""}}},
		{"no target", "version: 1\n", nil, []want{{1, 1, "mapping.target", "does not say its target", "opportunity"}}},
		{"a target misspelt", "version: 1\ntarget: oportunity\n", nil, []want{{2, 9, "mapping.choice", `"oportunity"`, `"opportunity"`}}},
		{"a target without a value", "version: 1\ntarget:\n", nil, []want{{2, 1, "mapping.empty", `"target" has no value`, ""}}},
		{"a target that is a list", "version: 1\ntarget: [opportunity]\n", nil, []want{{2, 9, "mapping.shape", "not a list", ""}}},
		{"an unknown key", top + "serach_by: EmailAddress\n" + details + code, nil, []want{{4, 1, "mapping.unknown-key", `"serach_by"`, `"search_by"`}}},
		{"a member at the top", top + "OpportunityNote: Remarks\n" + details + code, nil, []want{{4, 1, "mapping.unknown-key", "OpportunityNote", "below Opportunity"}}},
		{"a zone that is not", "version: 1\ntarget: opportunity\ntimezone: Asia/Calcuta\n" + details + code, nil, []want{{3, 11, "mapping.timezone", "Asia/Calcuta", ""}}},
		{"a zone of the machine", "version: 1\ntarget: opportunity\ntimezone: Local\n" + details + code, nil, []want{{3, 11, "mapping.timezone", "machine", ""}}},
		{"a list where a text is wanted", top + "search_by: [EmailAddress]\n" + details + code, nil, []want{{4, 12, "mapping.shape", `"search_by" must be a text, not a list`, ""}}},
		{"a group where a text is wanted", top + "search_by: {a: b}\n" + details + code, nil, []want{{4, 12, "mapping.shape", "not a group of keys", ""}}},
		{"a key column named twice", top + "key: [Deal ID, Deal ID]\n" + details + code, nil, []want{{4, 16, "mapping.repeated", "twice", ""}}},
		{"an empty key", top + "key: ''\n" + details + code, nil, []want{{4, 6, "mapping.empty", "", ""}}},
		{"no key after all", top + "key:\n" + details + code, nil, []want{{4, 1, "mapping.empty", `"key" has no value`, ""}}},
		{"a row number that is none", top + "input: {header_row: first}\n" + details + code, nil, []want{{4, 21, "mapping.shape", "whole number", ""}}},
		{"row zero", top + "input: {header_row: 0}\n" + details + code, nil, []want{{4, 21, "mapping.range", "header_row", ""}}},
		{"an unknown delimiter", top + "input: {delimiter: ':'}\n" + details + code, nil, []want{{4, 20, "mapping.choice", "delimiter", ""}}},
		{"an unknown key of input", top + "input: {shet: Deals}\n" + details + code, nil, []want{{4, 9, "mapping.unknown-key", `"shet" in input`, `"sheet"`}}},
		{"an ignored column that is used", top + "ignore: [Email]\n" + details + code, nil, []want{{4, 10, "mapping.combination", "LeadDetails.EmailAddress", ""}}},
		{"an ignored column that is the key", top + "key: ID\nignore: ID\n" + details + code, nil, []want{{5, 9, "mapping.combination", "key", ""}}},
		{"a drafted place", top + "LeadDetails: {EmailAddress: FILL_IN}\n" + code, nil, []want{{4, 29, "mapping.fill-in", "still to be filled in", ""}}},
		{"a drafted event code", top + details + "Opportunity: {OpportunityEventCode: FILL_IN}\n", nil, []want{{5, 37, "mapping.fill-in", "OpportunityEventCode", ""}}},
		{"a drafted setting", "version: 1\ntarget: opportunity\ntimezone: FILL_IN\n" + details + code, nil, []want{{3, 11, "mapping.fill-in", "timezone", ""}}},

		{"no lead details", top + code, nil, []want{{1, 1, "mapping.missing", "LeadDetails", ""}}},
		{"no opportunity", top + details, nil, []want{{1, 1, "mapping.missing", "Opportunity", ""}}},
		{"empty lead details", top + "LeadDetails: {}\n" + code, nil, []want{{4, 14, "mapping.missing", "no attribute", ""}}},
		{"no event code", top + details + "Opportunity: {OpportunityNote: A}\n", nil, []want{{5, 14, "mapping.missing", "OpportunityEventCode", ""}}},
		{"an event code that is a word", top + details + "Opportunity: {OpportunityEventCode: Code}\n", nil, []want{{5, 37, "mapping.event-code", `"Code"`, "{column: Code}"}}},
		{"an event code with a leading zero", top + details + "Opportunity: {OpportunityEventCode: 0120}\n", nil, []want{{5, 37, "mapping.event-code", `"0120"`, ""}}},
		{"two attributes that could name the lead", top + "LeadDetails: {EmailAddress: Email, Phone: {column: P, type: phone, region: IN}}\n" + code, nil, []want{{4, 14, "mapping.missing", "search_by is missing", ""}}},
		{"search_by that is not mapped", top + "search_by: EmailAdress\n" + details + code, nil, []want{{4, 12, "mapping.search-by", `"EmailAdress"`, `"EmailAddress"`}}},
		{"search_by that is elsewhere", top + "search_by: mx_Account\n" + details + code, nil, []want{{4, 12, "mapping.search-by", `"mx_Account"`, "mapped now: EmailAddress"}}},
		{"a lead that is the same for all", top + "LeadDetails: {EmailAddress: {value: a@b.com}}\n" + code, nil, []want{{4, 15, "mapping.combination", "one lead", ""}}},
		{"an attribute misspelt", top + "search_by: Phone\nLeadDetails: {EmailAdress: Email, Phone: P}\n" + code, nil, []want{{5, 15, "mapping.field-name", `"EmailAdress"`, `"EmailAddress"`}}},
		{"an attribute in the wrong case", top + "search_by: Phone\nLeadDetails: {Emailaddress: Email, Phone: P}\n" + code, nil, []want{{5, 15, "mapping.field-name", "case-sensitive", `"EmailAddress"`}}},
		{"a custom attribute in the wrong case", top + "search_by: Phone\nLeadDetails: {MX_City: City, Phone: P}\n" + code, nil, []want{{5, 15, "mapping.field-name", "MX_City", `"mx_City"`}}},
		{"an attribute that is no schema name", top + "search_by: Phone\nLeadDetails: {Full name: City, Phone: P}\n" + code, nil, []want{{5, 15, "mapping.field-name", `"Full name"`, ""}}},
		{"SearchBy as an attribute", top + "search_by: Phone\nLeadDetails: {SearchBy: {value: Phone}, Phone: P}\n" + code, nil, []want{{5, 15, "mapping.field-name", "SearchBy", "search_by"}}},
		{"the guid switch as an attribute", top + "search_by: ProspectId\nLeadDetails: {ProspectID: ID, __UseUserDefinedGuid__: {value: x}}\n" + code, nil, []want{{5, 31, "mapping.field-name", "added by leadload", ""}}},
		{"the lead's id in both casings", top + "search_by: ProspectId\nLeadDetails: {ProspectID: ID, ProspectId: ID2}\n" + code, nil, []want{{5, 31, "yaml.duplicate", "ProspectID", ""}}},
		{"a lead's id that is the same for all", top + "search_by: ProspectId\nlead_must_exist: true\nLeadDetails: {ProspectID: {value: x}}\n" + code, nil, []want{{6, 15, "mapping.combination", "one lead", ""}}},
		{"an optional lead", top + "LeadDetails: {EmailAddress: {column: Email, empty: omit}}\n" + code, nil, []want{{4, 45, "mapping.combination", "cannot be empty", ""}}},
		{"a lead that need not be", top + "LeadDetails: {EmailAddress: {column: Email, required: false}}\n" + code, nil, []want{{4, 45, "mapping.combination", "cannot be optional", ""}}},
		{"both ways of updating", top + details + "Opportunity: {OpportunityEventCode: 12000, OverwriteFields: true, UpdateEmptyFields: true}\n", nil, []want{{5, 67, "mapping.combination", "cannot both be true", ""}}},
		{"a switch that is a word", top + details + "Opportunity: {OpportunityEventCode: 12000, DoNotChangeOwner: yes}\n", nil, []want{{5, 62, "mapping.shape", "true or false", ""}}},
		{"a custom field beside Fields", top + details + "Opportunity: {OpportunityEventCode: 12000, mx_Custom_1: A}\n", nil, []want{{5, 44, "mapping.unknown-key", "mx_Custom_1", "move mx_Custom_1 there"}}},
		{"a member below Fields", fields + "    OpportunityNote: A\n", nil, []want{{9, 5, "mapping.field-name", "beside Fields", ""}}},
		{"a rule for sales in a capture", top + "lead: {find_by: Phone, column: P}\n" + details + code, nil, []want{{4, 1, "mapping.target", `"lead"`, "search_by"}}},
		{"the other target's body", top + "SalesActivity: {Status: S}\n" + details + code, nil, []want{{4, 1, "mapping.target", "SalesActivity", ""}}},

		{"a field that is a list", fields + "    mx_Custom_1: [A, B]\n", nil, []want{{9, 18, "mapping.shape", "not a list", "join"}}},
		{"a column that is a list", fields + "    mx_Custom_1: {column: [A, B]}\n", nil, []want{{9, 27, "mapping.shape", "not a list", "join"}}},
		{"a field without a value", fields + "    mx_Custom_1:\n", nil, []want{{9, 5, "mapping.empty", "no value", ""}}},
		{"a field that is null", fields + "    mx_Custom_1: ~\n", nil, []want{{9, 18, "mapping.empty", "no value", ""}}},
		{"a field that is an empty text", fields + "    mx_Custom_1: ''\n", nil, []want{{9, 18, "mapping.empty", "empty", ""}}},
		{"a setting without a value", fields + "    mx_Custom_1: {column: }\n", nil, []want{{9, 19, "mapping.empty", `"column" has no value`, ""}}},
		{"an unknown setting", fields + "    mx_Custom_1: {column: A, requird: true}\n", nil, []want{{9, 30, "mapping.unknown-key", `"requird"`, `"required"`}}},
		{"a column misspelt as a key", fields + "    mx_Custom_1: {colum: A}\n", nil, []want{{9, 19, "mapping.unknown-key", `"colum"`, `"column"`}}},
		{"an unknown type", fields + "    mx_Custom_1: {column: A, type: dattime}\n", nil, []want{{9, 36, "mapping.choice", `"dattime"`, `"datetime"`}}},
		{"nothing to take", fields + "    mx_Custom_1: {required: true}\n", nil, []want{{9, 5, "mapping.missing", "where its value comes from", ""}}},
		{"column and value", fields + "    mx_Custom_1: {column: A, value: b}\n", nil, []want{{9, 30, "mapping.combination", "column and value", ""}}},
		{"value and expr", fields + "    mx_Custom_1: {value: b, expr: 'A'}\n", nil, []want{{9, 29, "mapping.combination", "value and expr", ""}}},
		{"value and values", fields + "    mx_Custom_1: {value: b, values: {a: b}}\n", nil, []want{{9, 29, "mapping.combination", "same for all rows", ""}}},
		{"value and default", fields + "    mx_Custom_1: {value: b, default: c}\n", nil, []want{{9, 29, "mapping.combination", "same for all rows", ""}}},
		{"an empty value", fields + "    mx_Custom_1: {value: ''}\n", nil, []want{{9, 26, "mapping.empty", "empty", "empty: send"}}},
		{"separator without join", fields + "    mx_Custom_1: {column: A, separator: x}\n", nil, []want{{9, 30, "mapping.combination", "without join", ""}}},
		{"an empty join", fields + "    mx_Custom_1: {join: []}\n", nil, []want{{9, 25, "mapping.empty", "empty list", ""}}},
		{"a join of a group", fields + "    mx_Custom_1: {join: {a: b}}\n", nil, []want{{9, 25, "mapping.shape", "list of texts", ""}}},
		{"truncate without max_length", fields + "    mx_Custom_1: {column: A, truncate: true}\n", nil, []want{{9, 30, "mapping.combination", "max_length", ""}}},
		{"truncate of a number", fields + "    mx_Custom_1: {column: A, type: number, max_length: 3, truncate: true}\n", nil, []want{{9, 59, "mapping.combination", "for text, not for number", ""}}},
		{"max_length of nothing", fields + "    mx_Custom_1: {column: A, max_length: 0}\n", nil, []want{{9, 42, "mapping.range", "at least 1", ""}}},
		{"dst of a date", fields + "    mx_Custom_1: {column: A, type: date, dst: later}\n", nil, []want{{9, 42, "mapping.combination", "datetime", ""}}},
		{"a zone of a text", fields + "    mx_Custom_1: {column: A, timezone: UTC}\n", nil, []want{{9, 30, "mapping.combination", "datetime", ""}}},
		{"a region of a text", fields + "    mx_Custom_1: {column: A, region: IN}\n", nil, []want{{9, 30, "mapping.combination", "phone", "type: phone"}}},
		{"an unknown region", fields + "    mx_Custom_1: {column: A, type: phone, region: XX}\n", nil, []want{{9, 51, "mapping.setting", "XX", ""}}},
		{"a decimal sign of a text", fields + "    mx_Custom_1: {column: A, decimal: ','}\n", nil, []want{{9, 30, "mapping.combination", "number", ""}}},
		{"a format of a text", fields + "    mx_Custom_1: {column: A, format: dd/MM/yyyy}\n", nil, []want{{9, 30, "mapping.combination", "datetime and date", ""}}},
		{"a case of a number", fields + "    mx_Custom_1: {column: A, type: number, case: upper}\n", nil, []want{{9, 44, "mapping.combination", "text", ""}}},
		{"values of a number", fields + "    mx_Custom_1: {column: A, type: number, values: {a: b}}\n", nil, []want{{9, 44, "mapping.combination", "text", ""}}},
		{"each faulty format by itself", fields + "    mx_Custom_1: {column: A, type: date, format: [dd/MM/yyyy, dd/QQ/yyyy, YYYY]}\n", nil, []want{{9, 63, "mapping.format", "QQ", ""}, {9, 75, "mapping.format", "YYYY", ""}}},
		{"formats that contradict each other", fields + "    mx_Custom_1: {column: A, type: date, format: [dd/MM/yyyy, MM/dd/yyyy]}\n", nil, []want{{9, 50, "mapping.setting", "different", ""}}},
		{"a format that is a group", fields + "    mx_Custom_1: {column: A, type: date, format: [{a: b}]}\n", nil, []want{{9, 51, "mapping.shape", "must be a text", ""}}},
		{"required and omitted", fields + "    mx_Custom_1: {column: A, required: true, empty: omit}\n", nil, []want{{9, 46, "mapping.combination", "contradict", ""}}},
		{"a default beside empty", fields + "    mx_Custom_1: {column: A, default: x, empty: send}\n", nil, []want{{9, 42, "mapping.combination", "never applies", ""}}},
		{"a default that does not convert", fields + "    mx_Custom_1: {column: A, type: number, default: none}\n", nil, []want{{9, 53, "mapping.constant", `"none" is not a number`, ""}}},
		{"a value that does not convert", fields + "    mx_Custom_1: {value: 31/31/2025, type: date, format: dd/MM/yyyy}\n", nil, []want{{9, 26, "mapping.constant", "month", ""}}},
		{"a value that is too long", fields + "    mx_Custom_1: {value: migrated, max_length: 3}\n", nil, []want{{9, 26, "mapping.constant", "", ""}}},
		{"values with an empty outcome", fields + "    mx_Custom_1: {column: A, values: {a: ''}}\n", nil, []want{{9, 42, "mapping.empty", "", ""}}},
		{"values with a list", fields + "    mx_Custom_1: {column: A, values: [a, b]}\n", nil, []want{{9, 38, "mapping.shape", "pairs", ""}}},
		{"values that differ in case alone", fields + "    mx_Custom_1: {column: A, values: {a: b, A: c}}\n", nil, []want{{9, 38, "mapping.setting", "", ""}}},
		{"a status that is none", fields + "    Status: {column: S, values: {X: Wonn}}\n", nil, []want{{9, 37, "mapping.status", `"Wonn"`, ""}}},
		{"a default status that is none", fields + "    Status: {column: S, default: New}\n", nil, []want{{9, 34, "mapping.status", `"New"`, ""}}},
		{"a constant status that is none", fields + "    Status: {value: Closed}\n", nil, []want{{9, 21, "mapping.status", `"Closed"`, ""}}},
		{"status in lower case", fields + "    status: S\n", nil, []want{{9, 5, "mapping.field-name", "case-sensitive", `"Status"`}}},
		{"a custom field in lower case", fields + "    mx_custom_7: S\n", nil, []want{{9, 5, "mapping.field-name", "case-sensitive", `"mx_Custom_7"`}}},
		{"an owner sent empty", fields + "    Owner: {column: O, empty: send}\n", nil, []want{{9, 24, "mapping.combination", "automations", ""}}},
		{"a zone column without a name", fields + "    mx_Custom_1: {column: A, type: datetime, timezone: {col: Z}}\n", nil, []want{{9, 56, "mapping.missing", "column", ""}, {9, 57, "mapping.unknown-key", `"col"`, "column"}}},
		{"a zone that is a list", fields + "    mx_Custom_1: {column: A, type: datetime, timezone: [UTC]}\n", nil, []want{{9, 56, "mapping.shape", "zone", ""}}},
		{"a datetime without any zone", "version: 1\ntarget: opportunity\n" + details + "Opportunity: {OpportunityEventCode: 1, OpportunityDateTime: D}\n", nil, []want{{4, 40, "mapping.missing", "no time zone", "timezone: Asia/Kolkata"}}},
		{"an opportunity's time as text", top + details + "Opportunity: {OpportunityEventCode: 1, OpportunityDateTime: {column: D, type: text}}\n", nil, []want{{5, 79, "mapping.type", "cannot be of type text", "datetime"}}},

		{"no sales activity", salesUp, nil, []want{{1, 1, "mapping.missing", "SalesActivity", ""}}},
		{"no status", salesUp + "SalesActivity: {Revenue: A}\n", nil, []want{{5, 16, "mapping.missing", "Status", ""}}},
		{"a status misspelt", salesUp + "SalesActivity: {Statuss: A}\n", nil, []want{{5, 17, "mapping.unknown-key", "Statuss", `"Status"`}}},
		{"no lead", "version: 1\ntarget: sales-activity\nSalesActivity: {Status: S}\n", nil, []want{{1, 1, "mapping.missing", "whose sales activity", ""}}},
		{"two ways to the lead", salesUp + "SalesActivity: {Status: S, ProspectId: L}\n", nil, []want{{4, 1, "mapping.combination", "both lead: and", ""}}},
		{"two owners", salesUp + "SalesActivity: {Status: S, SalesOwner: A, SalesOwnerEmail: B}\n", nil, []want{{5, 28, "mapping.combination", "cannot both", ""}}},
		{"a field of the account's own", salesUp + "SalesActivity: {Status: S, mx_Custom_2: A}\n", nil, []want{{5, 28, "mapping.unknown-key", "mx_Custom_2", "Revenue"}}},
		{"revenue as text", salesUp + "SalesActivity: {Status: S, Revenue: {column: R, type: text}}\n", nil, []want{{5, 55, "mapping.type", "type text", "number"}}},
		{"revenue sent empty", salesUp + "SalesActivity: {Status: S, Revenue: {column: R, empty: send}}\n", nil, []want{{5, 49, "mapping.combination", "is a number", ""}}},
		{"an unknown way to the lead", "version: 1\ntarget: sales-activity\nlead: {find_by: FirstName, column: A}\nSalesActivity: {Status: S}\n", nil, []want{{3, 17, "mapping.search-by", "no unique field", ""}}},
		{"a lead by its id", "version: 1\ntarget: sales-activity\nlead: {find_by: ProspectID, column: A}\nSalesActivity: {Status: S}\n", nil, []want{{3, 17, "mapping.combination", "needs no look-up", "ProspectId"}}},
		{"a lead that cannot be made", "version: 1\ntarget: sales-activity\nlead: {find_by: mx_PAN, column: A, if_missing: create}\nSalesActivity: {Status: S}\n", nil, []want{{3, 48, "mapping.combination", "no lead by mx_PAN", "EmailAddress"}}},
		{"a lead by nothing", "version: 1\ntarget: sales-activity\nlead: {column: A}\nSalesActivity: {Status: S}\n", nil, []want{{3, 7, "mapping.missing", "what to find it by", ""}}},
		{"a lead from nowhere", "version: 1\ntarget: sales-activity\nlead: {find_by: Phone}\nSalesActivity: {Status: S}\n", nil, []want{{3, 1, "mapping.missing", "where its value comes from", ""}}},
		{"a lead's fault is told once", "version: 1\ntarget: sales-activity\nlead: {find_by: EmailAddress, column: A, if_many: newst}\nSalesActivity: {Status: S}\n", nil, []want{{3, 51, "mapping.choice", `"newst"`, `"newest"`}}},
		{"the other target's keys", salesUp + "search_by: Phone\nlead_must_exist: true\nSalesActivity: {Status: S}\n", nil, []want{{5, 1, "mapping.target", "search_by", "lead:"}, {6, 1, "mapping.target", "lead_must_exist", ""}}},

		{"an expression that ends early", fields + "    mx_Custom_1: {expr: 'A +'}\n", nil, []want{{9, 28, "expr.syntax", "ends too early", ""}}},
		{"row with a computed name", fields + "    mx_Custom_1: {expr: 'row[A]'}\n", nil, []want{{9, 26, "expr.syntax", "in quotes", ""}}},
		{"row alone", fields + "    mx_Custom_1: {expr: 'keys(row)'}\n", nil, []want{{9, 31, "expr.syntax", "row stands alone", ""}}},
		{"the environment", fields + "    mx_Custom_1: {expr: '$env'}\n", nil, []want{{9, 26, "expr.syntax", "$env", ""}}},
		{"an expression beyond bounds", fields + "    mx_Custom_1: {expr: '" + strings.Repeat("A + ", 1200) + "A'}\n", nil, []want{{9, 25, "expr.long", "characters", ""}}},

		{"an unknown column", top + details + code, []string{"Name", "E-mail"}, []want{{4, 29, "mapping.unknown-column", `the column "Email"`, `"E-mail"`}}},
		{"a column in another case", top + details + code, []string{"email"}, []want{{4, 29, "mapping.unknown-column", `"Email"`, `"email"`}}},
		{"a column far from all", top + details + code, []string{"Name", "Place"}, []want{{4, 29, "mapping.unknown-column", `"Email"`, "the file has: Name, Place"}}},
		{"a header without names", top + details + code, []string{"", " "}, []want{{4, 29, "mapping.unknown-column", "", "header is empty"}}},
		{"a column that is there twice", top + details + code, []string{"Name", "Email", "Email "}, []want{{4, 29, "mapping.duplicate-column", `several columns named "Email": B and C`, "rename"}}},
		{"an unknown key column", top + "key: [Deal ID, Name]\n" + details + code, []string{"DealID", "Email", "Name"}, []want{{4, 7, "mapping.unknown-column", `key names the column "Deal ID"`, `"DealID"`}}},
		{"an unknown ignored column", top + "ignore: Remark\n" + details + code, []string{"Remarks", "Email"}, []want{{4, 9, "mapping.unknown-column", "ignore", `"Remarks"`}}},
		{"an unknown column of a join", fields + "    mx_Custom_1: {join: [A, C]}\n", []string{"Email", "A"}, []want{{9, 29, "mapping.unknown-column", `"C"`, ""}}},
		{"an unknown zone column", fields + "    mx_Custom_1: {column: A, type: datetime, timezone: {column: Zon}}\n", []string{"Email", "A", "Zone"}, []want{{9, 65, "mapping.unknown-column", `"Zon"`, `"Zone"`}}},
		{"an unknown column of an expression", fields + "    mx_Custom_1: {expr: 'A + Stge'}\n", []string{"Email", "A", "Stage"}, []want{{9, 30, "mapping.unknown-column", `"Stge"`, "Stage"}}},
		{"an unknown column in row", fields + "    mx_Custom_1: {expr: 'row[\"Deal Id\"]'}\n", []string{"Email", "Deal ID"}, []want{{9, 26, "mapping.unknown-column", `"Deal Id"`, `row["Deal ID"]`}}},
		{"a double column in an expression", fields + "    mx_Custom_1: {expr: 'A'}\n", []string{"Email", "A", "A"}, []want{{9, 26, "mapping.duplicate-column", "B and C", ""}}},
		{"an unknown function", fields + "    mx_Custom_1: {expr: 'uper(A)'}\n", []string{"Email", "A"}, []want{{9, 26, "expr.syntax", `"uper"`, "upper(…)"}}},
		{"let with the name of a column", fields + "    mx_Custom_1: {expr: 'let A = \"x\"; A'}\n", []string{"Email", "A"}, []want{{9, 30, "expr.syntax", `column "A"`, "another name"}}},
		{"a function without brackets", fields + "    mx_Custom_1: {expr: 'upper'}\n", []string{"Email", "A"}, []want{{9, 26, "mapping.unknown-column", `"upper"`, ""}}},
		{"the clock", fields + "    mx_Custom_1: {expr: 'string(now())'}\n", []string{"Email"}, []want{{9, 33, "expr.syntax", `"now"`, "tomorrow"}}},
		{"texts and numbers", fields + "    mx_Custom_1: {expr: 'A + 1'}\n", []string{"Email", "A"}, []want{{9, 28, "expr.syntax", "mismatched", "float(Amount)"}}},
		{"an expression that gives a list", fields + "    mx_Custom_1: {expr: '[A]'}\n", []string{"Email", "A"}, []want{{9, 25, "expr.type", "a list", "join"}}},
		{"skip_when that is a text", top + "skip_when: Email\n" + details + code, []string{"Email"}, []want{{4, 12, "expr.syntax", "gives string", "compare"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := problemsOf(t, c.text, c.header)
			if len(got) != len(c.want) {
				t.Fatalf("got %d problems, want %d:\n%v", len(got), len(c.want), got)
			}
			for i, w := range c.want {
				g := got[i]
				if g.Line != w.line || g.Column != w.col || g.Code != w.code || !strings.Contains(g.Msg, w.msg) || !strings.Contains(g.Hint, w.hint) {
					t.Errorf("problem %d:\n got %d:%d [%s] %s {%s}\nwant %d:%d [%s] %s {%s}", i, g.Line, g.Column, g.Code, g.Msg, g.Hint, w.line, w.col, w.code, w.msg, w.hint)
				}
				if g.File != "m.yaml" {
					t.Errorf("problem %d names the file %q", i, g.File)
				}
			}
		})
	}
}

func TestAllFaultsComeAtOnceInOrder(t *testing.T) {
	got := problemsOf(t, `version: 3
target: opportunity
timezon: UTC
LeadDetails:
  EmailAddress: {column: Email, requird: true}
  FirstName:
Opportunity:
  OpportunityEventCode: x
  OpportunityDateTime: {column: D, timezone: Mars/Base}
  Fields:
    mx_Custom_1: {column: A, truncate: true}
    mx_Custom_2: {expr: '1 +'}
    Status: {value: New}
`, nil)
	lines := make([]int, len(got))
	for i, p := range got {
		lines[i] = p.Line
	}
	if want := []int{1, 3, 5, 6, 8, 9, 11, 12, 13}; !slices.Equal(lines, want) {
		t.Fatalf("got faults in lines %v, want %v\n%v", lines, want, got)
	}
	text := got.Error()
	if n := strings.Count(text, "\n") + 1; n != len(got) {
		t.Errorf("Error has %d lines for %d problems:\n%s", n, len(got), text)
	}
	if want := `m.yaml:5:33: unknown key "requird" in LeadDetails.EmailAddress`; !strings.Contains(text, want) {
		t.Errorf("Error lacks %q:\n%s", want, text)
	}
}

func TestAllUnknownColumnsComeAtOnce(t *testing.T) {
	got := problemsOf(t, top+"key: ID\nskip_when: 'X == \"\"'\n"+details+"Opportunity: {OpportunityEventCode: {column: Code}, Fields: {mx_Custom_1: {join: [A, B]}}}\n", []string{"other"})
	if len(got) != 6 {
		t.Fatalf("got %d problems, want 6:\n%v", len(got), got)
	}
}

func TestTheExcerptShowsTheLineWithACaret(t *testing.T) {
	p := problemsOf(t, "version: 1\r\ntarget: oportunity\r\n", nil)
	if want := "2 | target: oportunity\n  |         ^"; len(p) != 1 || p[0].Excerpt != want {
		t.Errorf("got\n%s\nwant\n%s", p[0].Excerpt, want)
	}
	// Wide letters count as one, as in the column number.
	p = problemsOf(t, top+"LeadDetails: {EmailAddress: Ärger, Phon: x}\n"+code, nil)
	if want := "4 | LeadDetails: {EmailAddress: Ärger, Phon: x}\n  |                                    ^"; len(p) != 1 || p[0].Excerpt != want {
		t.Errorf("got\n%s\nwant\n%s", p[0].Excerpt, want)
	}
	// A long line is cut around the place.
	p = problemsOf(t, "version: 1\ntarget: "+strings.Repeat("x", 500)+"\n", nil)
	line, caret, _ := strings.Cut(p[0].Excerpt, "\n")
	if len([]rune(line)) > 110 || strings.IndexByte(caret, '^') < 4 || !strings.HasSuffix(line, "…") {
		t.Errorf("a long line is not cut: %q", p[0].Excerpt)
	}
}

func TestTextsStayAsWritten(t *testing.T) {
	m, err := Parse("m.yaml", []byte(top+`key: [0123, 1.10]
ignore: [1_000, 0x1F, true, "null", 1e3]
LeadDetails: {EmailAddress: 0700}
Opportunity:
  OpportunityEventCode: 12000
  Fields:
    mx_Custom_1: {value: 0123}
    mx_Custom_2: {column: A, values: {0123: 0456, 1.10: +91, "~": Yes, true: .5}}
    mx_Custom_3: {value: 2026-01-02}
    mx_Custom_4: {value: 1.10}
    mx_Custom_5: {value: !!str 007}
    mx_Custom_6: {value: 0o17}
    mx_Custom_7: {column: A, default: 00}
    mx_Custom_8: {value: "12:30"}
    mx_Custom_9: {value: .inf}
    mx_Custom_10: {value: No}
`))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"0123", "1.10"}; !slices.Equal(m.Key, want) {
		t.Errorf("key: got %q, want %q", m.Key, want)
	}
	var ignored []string
	for _, n := range m.ignore {
		ignored = append(ignored, n.text)
	}
	if want := []string{"1_000", "0x1F", "true", "null", "1e3"}; !slices.Equal(ignored, want) {
		t.Errorf("ignore: got %q, want %q", ignored, want)
	}
	values := map[string]string{}
	for _, f := range m.fields {
		values[f.name] = f.value
		switch f.name {
		case "EmailAddress":
			values[f.name] = f.column.text
		case "mx_Custom_2":
			for _, o := range f.spec.Values {
				values[o.From] = o.To
			}
		case "mx_Custom_7":
			values[f.name] = f.def
		}
	}
	for name, want := range map[string]string{
		"EmailAddress": "0700", "mx_Custom_1": "0123", "0123": "0456", "1.10": "+91", "~": "Yes", "true": ".5", "mx_Custom_3": "2026-01-02",
		"mx_Custom_4": "1.10", "mx_Custom_5": "007", "mx_Custom_6": "0o17", "mx_Custom_7": "00", "mx_Custom_8": "12:30", "mx_Custom_9": ".inf", "mx_Custom_10": "No",
	} {
		if values[name] != want {
			t.Errorf("%s: got %q, want %q", name, values[name], want)
		}
	}
}

func TestColonsInsideWords(t *testing.T) {
	// The YAML library cuts such words in lists inside braces.
	_, err := Parse("m.yaml", []byte(top+`key: [Deal:ID]
search_by: EmailAddress
LeadDetails: {EmailAddress: Email, mx_City: {join: [a:b, c:d:e, 12:30], separator: ":"}}
Opportunity:
  OpportunityEventCode: 12000
  Fields:
    mx_Custom_1: {column: A, type: datetime, format: [dd/MM/yyyy HH:mm:ss, dd/MM/yyyy HH:mm, "yyyy-MM-dd HH:mm"]}
    mx_Custom_2: {join: ["x": y]}
`))
	var p Problems
	if !errors.As(err, &p) || len(p) != 1 || p[0].Line != 11 {
		t.Fatalf("only the group in line 11 is a fault: %v", err)
	}
	text := top + `key: [Deal:ID]
search_by: EmailAddress
LeadDetails: {EmailAddress: Email, mx_City: {join: [a:b, c:d:e, 12:30], separator: ":"}}
Opportunity:
  OpportunityEventCode: 12000
  Fields:
    mx_Custom_1: {column: A, type: datetime, format: [dd/MM/yyyy HH:mm:ss, dd/MM/yyyy HH:mm, "yyyy-MM-dd HH:mm"]}
`
	m, err := Parse("m.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range m.fields {
		for _, n := range f.join {
			got = append(got, n.text)
		}
		got = append(got, f.spec.Formats...)
	}
	if want := []string{"a:b", "c:d:e", "12:30", "dd/MM/yyyy HH:mm:ss", "dd/MM/yyyy HH:mm", "yyyy-MM-dd HH:mm"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnchorsAndMerges(t *testing.T) {
	m, err := Parse("m.yaml", []byte(top+`LeadDetails: {EmailAddress: &mail {column: Email, max_length: 50}}
Opportunity:
  OpportunityEventCode: 12000
  Fields:
    mx_Custom_1: *mail
    mx_Custom_2: {<<: *mail, column: Other, case: upper}
    mx_Custom_3: {<<: [*mail, {case: lower, column: Third}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range m.fields {
		if f.column != nil {
			got = append(got, f.name+"="+f.column.text+"/"+f.spec.Case)
		}
		if f.name != "OpportunityEventCode" && f.spec.MaxLength != 50 {
			t.Errorf("%s: max_length is %d", f.name, f.spec.MaxLength)
		}
	}
	if want := []string{"EmailAddress=Email/", "mx_Custom_1=Email/", "mx_Custom_2=Other/upper", "mx_Custom_3=Email/lower"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBombsAreBounded(t *testing.T) {
	var lists, merges strings.Builder
	lists.WriteString("a0: &a0 [x]\n")
	merges.WriteString("b0: &b0 {k: v}\n")
	for i := 1; i < 60; i++ {
		n, last := strconv.Itoa(i), strconv.Itoa(i-1)
		lists.WriteString("a" + n + ": &a" + n + " [" + strings.Repeat("*a"+last+", ", 60) + "]\n")
		merges.WriteString("b" + n + ": &b" + n + " {<<: *b" + last + ", k" + n + ": v}\n")
	}
	for name, text := range map[string]string{
		"aliases of aliases":  lists.String() + "version: 1\n",
		"merges of merges":    merges.String() + "version: 1\n",
		"brackets":            strings.Repeat("[", 100_000),
		"brackets over lines": strings.Repeat("[\n", 100_000),
		"dashes":              strings.Repeat("- ", 100_000) + "x",
		"question marks":      strings.Repeat("? ", 100_000) + "x",
		"deep groups":         deepGroups(300),
		"size":                strings.Repeat("# comment\n", 200_000),
		"many keys":           strings.Repeat("a: 1\n", 20_000),
		"a long quote":        "a: \"" + strings.Repeat("x\\n", 50_000),
		"anchors":             strings.Repeat("&a ", 50_000),
		"tags":                strings.Repeat("!a ", 50_000),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := Parse("bomb.yaml", []byte(text))
			if err == nil {
				t.Error("no problem is told")
			}
			var p Problems
			if errors.As(err, &p) && len(p) > maxProblems {
				t.Errorf("%d problems are told", len(p))
			}
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("it took %v", d)
			}
		})
	}
}

func deepGroups(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func TestHashIsOfTheFile(t *testing.T) {
	m, err := Parse("m.yaml", []byte(top+details+code))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Hash) != 64 || m.Name != "m.yaml" {
		t.Errorf("got hash %q, name %q", m.Hash, m.Name)
	}
	other, err := Parse("m.yaml", []byte(top+details+code+"# more\n"))
	if err != nil || other.Hash == m.Hash {
		t.Errorf("another file has the same hash (%v)", err)
	}
}

func TestWhatAMappingSays(t *testing.T) {
	m, err := Parse("m.yaml", []byte("\ufeff"+`version: 1
target: opportunity-async
timezone: Asia/Kolkata
key: Deal ID
search_by: Phone
lead_must_exist: true
input: {sheet: Deals, header_row: 3, delimiter: tab, encoding: windows-1252, decimal: ","}
LeadDetails: {Phone: P, EmailAddress: E}
Opportunity: {OpportunityEventCode: 12001}
`))
	if err != nil {
		t.Fatal(err)
	}
	if m.Target != OpportunityAsync || m.SearchBy != "Phone" || !m.LeadMustExist || m.EventCode != 12001 || !slices.Equal(m.Key, []string{"Deal ID"}) {
		t.Errorf("got %+v", m)
	}
	if want := (Input{"Deals", 3, "\t", "windows-1252", ","}); m.Input != want {
		t.Errorf("input: got %+v, want %+v", m.Input, want)
	}
}

func TestSearchByIsInferredWhereThereIsNoChoice(t *testing.T) {
	for _, attribute := range []string{"EmailAddress", "Phone"} {
		m, err := Parse("m.yaml", []byte(top+"LeadDetails: {"+attribute+": X, mx_City: C}\n"+code))
		if err != nil {
			t.Fatal(err)
		}
		if m.SearchBy != attribute || !strings.Contains(strings.Join(m.warnings, "\n"), "found by "+attribute) {
			t.Errorf("%s: search_by is %q, warnings %q", attribute, m.SearchBy, m.warnings)
		}
	}
}

func TestLeadRuleDefaults(t *testing.T) {
	m, err := Parse("m.yaml", []byte(salesUp+"SalesActivity: {Status: S}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := (LeadRule{"EmailAddress", "reject", "reject"}); m.Lead != want {
		t.Errorf("got %+v, want %+v", m.Lead, want)
	}
}

// An account file named in the place of the mapping: no message and no excerpt shows its keys.
func TestNoExcerptShowsAKey(t *testing.T) {
	const secret, access = "5e1fPLANTEDsecret77aa0c43", "u$r7f3aPLANTEDaccess9b21"
	for _, text := range []string{
		"host: localhost\nsecret_key: " + secret + "\naccess_key: '" + access + "'\n",
		"secret_key: >\n  " + secret + "\naccess_key:\n  - " + access + "\n",
		"{host: h, secret_key: " + secret + ", \"access_key\": \"" + access + "\"}\n",
		"secret_key: [" + secret + "\n",
		"secret_key: \"" + secret + "\naccess_key: x\n",
		"version: 1\ntarget: opportunity\nSECRET-KEY : " + secret + "\napiKey: {a: " + access + "}\n",
		"async_key: &a " + secret + "\nx: *b\n",
		"version: 1\nLeadDetails:\n  api_key: {column: A, type: " + secret + "}\n",
	} {
		_, err := Parse("account.yaml", []byte(text))
		var probs Problems
		if !errors.As(err, &probs) || len(probs) == 0 {
			t.Errorf("%q: %v", text, err)
			continue
		}
		for _, p := range probs {
			if shown := p.Msg + p.Hint + p.Excerpt; strings.Contains(shown, "PLANTED") {
				t.Errorf("%q: %s\n%s\n%s", text, p.Msg, p.Hint, p.Excerpt)
			}
		}
	}
	_, err := Parse("deals.yaml", []byte("version: 1\ntarget: opportunity\nkey: [Deal\n"))
	if err == nil || !strings.Contains(err.(Problems)[0].Excerpt, "key: [Deal") {
		t.Errorf("the mapping's own key is hidden: %v", err)
	}
}
