package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"leadload/converter"
	"leadload/internal/fault"
)

// fillIn marks the places of a draft that only a person can fill in. A mapping
// that still has one is refused, so that no guess is ever loaded unseen.
const fillIn = "FILL_IN"

// sampleRows bounds what is looked at: the guesses get no better beyond.
const sampleRows = 200

// DraftOptions are what is known beside the file. The zero value is good.
type DraftOptions struct {
	Target    Target       // "" is Opportunity
	Timezone  string       // the account's or the machine's zone; "" is to be filled in, or guessed from phones
	EventCode int          // the opportunity type; 0 is to be filled in
	Sheet     string       // when another than the first visible sheet was read
	HeaderRow int          // when it is not found without being told
	Delimiter string       // when it is not found without being told
	Encoding  string       // when it is not UTF-8
	Fields    []DraftField // the account's fields, by whose display names columns are recognised
	Schema    string       // the JSON Schema for the editor's modeline; "" is none
	// Numbers are the sample's rows as a spreadsheet counts them; without them
	// the first is row 2.
	Numbers []int
	Letters []string // of the columns in the spreadsheet; without them the first is A
	// Words are texts of columns behind the sample, by the column's position:
	// those of a status decide what a row becomes, and a sample may lack some.
	Words map[int][]string
}

// StatusColumn returns the position of the column that a draft would take for
// the status, -1 for none.
func StatusColumn(header []string, sample [][]converter.Cell) int {
	d := &draft{used: map[int]bool{}}
	d.look(header, sample[:min(len(sample), sampleRows)])
	if g := d.peek(roleStatus); g != nil {
		return g.index
	}
	return -1
}

// DraftField is a field of the account.
type DraftField struct {
	Kind     FieldKind
	Schema   string // "mx_Custom_6"
	Display  string // "Order value"
	DataType string // the account's word, such as "Number" or "DateTime"
}

// Draft makes a mapping from a file's header and a sample of its rows. Each
// guess is explained by a comment; what cannot be guessed is marked FILL_IN
// and told in notes, and the draft is refused by Parse or Compile until then.
// The same input gives the same draft.
func Draft(fileName string, header []string, sample [][]converter.Cell, o DraftOptions) (text []byte, notes []string) {
	d := &draft{o: o, file: fileName, used: map[int]bool{}}
	if len(sample) > sampleRows {
		sample = sample[:sampleRows]
	}
	if d.o.Target == "" {
		d.o.Target = Opportunity
	}
	d.look(header, sample)
	d.write()
	return []byte(d.b.String()), d.notes
}

type draft struct {
	o       DraftOptions
	file    string
	columns []*columnGuess
	used    map[int]bool
	schemas []string // Opportunity.Fields or custom fields already written
	notes   []string
	b       strings.Builder
}

func (d *draft) look(header []string, sample [][]converter.Cell) {
	count := map[string]int{}
	for _, name := range header {
		count[strings.TrimSpace(name)]++
	}
	for i, name := range header {
		name = strings.TrimSpace(name)
		switch {
		case name == "":
			letter := columnLetters(i)
			if i < len(d.o.Letters) {
				letter = d.o.Letters[i]
			}
			d.note("column %s has no name and cannot be mapped", letter)
			continue
		case count[name] > 1:
			d.note("several columns are named %q; rename them in the file to map them", name)
			continue
		}
		g := look(i, name, sample)
		g.guess()
		d.byDisplayName(g)
		g.more = d.o.Words[i]
		for _, n := range g.oddities(d.number) {
			d.note("column %q: %s", name, n)
		}
		if g.doubt != "" {
			d.note("column %q: %s", name, g.doubt)
		}
		d.columns = append(d.columns, g)
	}
}

// byDisplayName takes the account's word for a column that is named as one of
// the fields by which it finds a lead.
func (d *draft) byDisplayName(g *columnGuess) {
	f := d.known(g, LeadField)
	if f == nil || d.known(g, OpportunityField) != nil {
		return
	}
	roles := map[string]role{"EmailAddress": roleEmail, "Phone": rolePhone, "Mobile": roleMobile, "ProspectID": roleLeadID}
	if r, ok := roles[f.Schema]; ok {
		g.role, g.why = r, fmt.Sprintf("the account's lead field %q", f.Display)
	}
}

// number is the row of the sample's i-th as a spreadsheet counts.
func (d *draft) number(i int) int {
	if i < len(d.o.Numbers) {
		return d.o.Numbers[i]
	}
	return i + 2
}

func (d *draft) note(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	if !slices.Contains(d.notes, s) {
		d.notes = append(d.notes, s)
	}
}

// take gives the first unused column of a role and marks it used.
func (d *draft) take(roles ...role) *columnGuess {
	if g := d.peek(roles...); g != nil {
		d.used[g.index] = true
		return g
	}
	return nil
}

// takeName takes the column of a person's name. Beside a column that says it is
// a person's, the customer's name is often that of a company.
func (d *draft) takeName() *columnGuess {
	for _, g := range d.columns {
		if g.role == roleName && !d.used[g.index] && len(g.texts) > 0 && g.says("contact", "person") {
			d.used[g.index] = true
			return g
		}
	}
	return d.take(roleName)
}

// peek gives the first unused column of a role, full columns first.
func (d *draft) peek(roles ...role) *columnGuess {
	for _, r := range roles {
		var found *columnGuess
		for _, g := range d.columns {
			if g.role == r && !d.used[g.index] && (found == nil || len(found.texts) == 0 && len(g.texts) > 0) {
				found = g
			}
		}
		if found != nil {
			return found
		}
	}
	return nil
}

// line writes a line with its comment beside it, or above it when it is long.
func (d *draft) line(text, comment string) {
	const beside = 52
	width := len([]rune(text))
	if comment != "" && width > beside {
		d.b.WriteString(text[:len(text)-len(strings.TrimLeft(text, " "))])
		d.b.WriteString("# " + commentText(comment) + "\n")
		comment = ""
	}
	d.b.WriteString(text)
	if comment != "" {
		d.b.WriteString(strings.Repeat(" ", beside-width) + "  # " + commentText(comment))
	}
	d.b.WriteByte('\n')
}

// commentText keeps a comment on its line.
func commentText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == '\u0085' || r == '\u2028' || r == '\u2029' || r == '\u007f' || r == '\ufeff' {
			return ' '
		}
		return r
	}, s)
}

func (d *draft) write() {
	if d.o.Schema != "" {
		d.line("# yaml-language-server: $schema="+d.o.Schema, "")
	}
	d.line("# A draft for "+commentText(d.file)+". Check every line; places marked "+fillIn+" need you.", "")
	d.line("version: 1", "")
	d.line("target: "+string(d.o.Target), TargetWords())
	d.timezone()
	d.key()
	d.input()
	specOf(d.o.Target).draft(d)
	d.rest()
}

func (d *draft) timezone() {
	needed := false
	for _, g := range d.columns {
		needed = needed || g.dates != nil
	}
	switch {
	case d.o.Timezone != "":
		d.line("timezone: "+quotedYAML(d.o.Timezone), "the zone of the timestamps in the file: check it")
	case !needed:
	case d.indian():
		d.line("timezone: Asia/Kolkata", "a guess, because the phone numbers are Indian: check it")
		d.note("timezone: Asia/Kolkata is a guess; check it")
	default:
		d.line("timezone: "+fillIn, "the zone of the timestamps in the file, such as Asia/Kolkata")
		d.note("timezone: fill in the zone of the file's timestamps, such as Asia/Kolkata")
	}
}

func (d *draft) indian() bool {
	for _, g := range d.columns {
		if (g.role == rolePhone || g.role == roleMobile) && g.phoneOK && g.region == "IN" {
			return true
		}
	}
	return false
}

func (d *draft) key() {
	if g := d.peek(roleKey); g != nil {
		d.line("key: "+quotedYAML(g.header), g.why)
		return
	}
	d.line("# key: "+fillIn, "the column that names a row for good, if there is one: it keeps a row from being sent twice when it was edited")
	d.note("no column names a row for good; without a key, an edited row counts as a new one")
}

func (d *draft) input() {
	var parts []string
	if d.o.Sheet != "" {
		parts = append(parts, "sheet: "+quotedYAML(d.o.Sheet))
	}
	if d.o.HeaderRow > 0 {
		parts = append(parts, "header_row: "+strconv.Itoa(d.o.HeaderRow))
	}
	switch d.o.Delimiter {
	case "":
	case "\t":
		parts = append(parts, "delimiter: tab")
	default:
		parts = append(parts, "delimiter: "+quotedYAML(d.o.Delimiter))
	}
	if d.o.Encoding != "" {
		parts = append(parts, "encoding: "+quotedYAML(d.o.Encoding))
	}
	if len(parts) > 0 {
		d.line("input: {"+strings.Join(parts, ", ")+"}", "")
	}
}

// setting writes a column with further settings, or the short form.
func setting(column string, more ...string) string {
	if len(more) == 0 {
		return quotedYAML(column)
	}
	return "{column: " + quotedYAML(column) + ", " + strings.Join(more, ", ") + "}"
}

func (d *draft) capture() {
	email, phone, id := d.peek(roleEmail), d.peek(rolePhone, roleMobile), d.peek(roleLeadID)
	switch {
	case id != nil:
		d.line("search_by: ProspectId", "the file has the lead's id")
	case email != nil:
		d.line("search_by: EmailAddress", "by which the account finds the lead; a lead that it does not find is created")
	case phone != nil:
		d.line("search_by: Phone", "by which the account finds the lead; a lead that it does not find is created")
	default:
		d.line("search_by: EmailAddress", "by which the account finds the lead; a lead that it does not find is created")
	}
	d.line("# lead_must_exist: true", "refuse rows whose lead is not in the account, so that a typo makes no new lead")
	d.line("", "")
	d.line("LeadDetails:", "")
	if id != nil {
		d.used[id.index] = true
		d.line("  ProspectID: "+quotedYAML(id.header), id.why)
	}
	if email != nil {
		d.used[email.index] = true
		d.line("  EmailAddress: "+setting(email.header, "type: email"), email.why)
	} else if phone == nil && id == nil {
		d.line("  EmailAddress: {column: "+fillIn+", type: email}", "no column looks like an e-mail address or a phone number")
		d.note("LeadDetails: fill in the column by which the account finds the lead")
	}
	d.leadAttributes()
	d.line("", "")
	d.line("Opportunity:", "")
	if d.o.EventCode > 0 {
		d.line("  OpportunityEventCode: "+strconv.Itoa(d.o.EventCode), "")
	} else {
		d.line("  OpportunityEventCode: "+fillIn, "the code of the opportunity type: Settings > Opportunities > Opportunity Types")
		d.note("Opportunity.OpportunityEventCode: fill in the code of the opportunity type (Settings > Opportunities > Opportunity Types)")
	}
	if g := d.take(roleNote); g != nil {
		d.line("  OpportunityNote: "+quotedYAML(g.header), g.why)
	}
	if g := d.take(roleCreated); g != nil {
		d.line("  OpportunityDateTime: "+d.date(g, "datetime"), d.dateComment(g))
	}
	d.opportunityFields()
}

func (d *draft) leadAttributes() {
	first := d.take(rolePhone)
	if first == nil {
		first = d.take(roleMobile)
	}
	if first != nil {
		d.line("  Phone: "+d.phone(first), d.phoneComment(first))
	}
	if g := d.take(roleMobile, rolePhone); g != nil {
		d.line("  Mobile: "+d.phone(g), d.phoneComment(g))
	}
	// What the account calls a field says more than our words for it.
	taken := []string{"EmailAddress", "Phone", "Mobile", "ProspectID"}
	for _, g := range d.columns {
		f := d.known(g, LeadField)
		if f == nil || d.used[g.index] || !isSchemaName(f.Schema) || slices.Contains(taken, f.Schema) || d.known(g, OpportunityField) != nil {
			continue
		}
		if !strings.HasPrefix(f.Schema, "mx_") && !slices.Contains(leadAttributes, f.Schema) {
			continue
		}
		d.used[g.index] = true
		taken = append(taken, f.Schema)
		d.line("  "+f.Schema+": "+d.typed(g), fmt.Sprintf("the account's lead field %q", f.Display))
	}
	if d.peek(roleFirstName) == nil && !slices.Contains(taken, "FirstName") {
		if g := d.takeName(); g != nil {
			d.line("  FirstName: "+quotedYAML(g.header), g.why+"; a full name in one column goes here as a whole")
		}
	}
	for _, r := range []role{roleFirstName, roleLastName, roleCompany, roleJobTitle, roleSource, roleStreet, roleCity, roleState, roleZip, roleCountry} {
		if slices.Contains(taken, string(r)) {
			continue
		}
		if g := d.take(r); g != nil {
			d.line("  "+string(r)+": "+quotedYAML(g.header), g.why)
		}
	}
}

func (d *draft) phone(g *columnGuess) string {
	switch {
	case g.phoneOK && g.region == "":
		return setting(g.header, "type: phone")
	case g.phoneOK:
		return setting(g.header, "type: phone", "region: "+g.region)
	}
	return setting(g.header, "type: phone", "region: IN")
}

func (d *draft) phoneComment(g *columnGuess) string {
	switch {
	case g.phoneOK && g.region == "":
		return g.why + "; every number has its country code"
	case g.phoneOK:
		return g.why + "; the numbers fit " + g.region + ": check the region"
	}
	return g.why + "; region is the country of numbers without a country code: check it"
}

// date writes a field of dates.
func (d *draft) date(g *columnGuess, typ string) string {
	more := []string{"type: " + typ}
	switch {
	case g.dates == nil || len(g.dates.formats) == 0:
	case len(g.dates.formats) == 1:
		more = append(more, "format: "+flowText(g.dates.formats[0]))
	default:
		var formats []string
		for _, f := range g.dates.formats {
			formats = append(formats, flowText(f))
		}
		more = append(more, "format: ["+strings.Join(formats, ", ")+"]")
	}
	return setting(g.header, more...)
}

// flowText writes a pattern between brackets, where a colon inside a word is harmless.
func flowText(s string) string {
	if strings.ContainsAny(s, ",[]{}'\"#") || strings.Contains(s, ": ") {
		return forceQuotes(s)
	}
	return s
}

func (d *draft) dateComment(g *columnGuess) string {
	switch {
	case g.dates == nil:
		return g.why
	case g.dates.ambiguous:
		d.note("column %q: every date of the sample would also fit %s; check the order of day and month", g.header, strings.Join(g.dates.other, ", "))
		return "AMBIGUOUS: every date of the sample would also fit " + strings.Join(g.dates.other, ", ") + ": check"
	case len(g.dates.formats) == 0:
		return "the spreadsheet's own dates need no format"
	}
	return g.why + ", read from the sample"
}

// typed writes a column with the type that its cells have.
func (d *draft) typed(g *columnGuess) string {
	switch {
	case g.dates != nil && g.dates.withTime:
		return d.date(g, "datetime")
	case g.dates != nil:
		return d.date(g, "date")
	case g.number != nil && (g.role == roleAmount || g.number.money):
		more := []string{"type: number"}
		if g.number.decimal == ',' {
			more = append(more, `decimal: ","`)
		}
		if g.number.words {
			more = append(more, "words: true")
		}
		return setting(g.header, more...)
	}
	return quotedYAML(g.header)
}

// comment says why a column is taken for what it is, and what is doubtful.
func (g *columnGuess) comment() string {
	switch {
	case g.doubt == "":
		return g.why
	case g.number != nil:
		return "AMBIGUOUS: " + g.doubt
	}
	return "NOT MAPPED: " + g.doubt
}

// known finds the account's field that has the column's name.
func (d *draft) known(g *columnGuess, kind FieldKind) *DraftField {
	for i := range d.o.Fields {
		f := &d.o.Fields[i]
		if f.Kind == kind && f.Schema != "" && (fault.Fold(f.Display) == fault.Fold(g.header) || fault.Fold(f.Schema) == fault.Fold(g.header)) {
			return f
		}
	}
	return nil
}

func (d *draft) opportunityFields() {
	d.line("  Fields:", "schema names are the account's own: leadload init --online knows them")
	if g := d.take(roleStatus); g != nil {
		d.line("    Status: "+statusField(g), g.why+"; Open, Won or Lost, the stage itself goes into a custom field")
	} else {
		d.line("    Status: {value: Open}", "no column looks like a status")
	}
	if g := d.take(roleOwnerEmail); g != nil {
		d.line("    Owner: "+quotedYAML(g.header), g.why+": check that the account takes them here")
	}
	for _, g := range d.columns {
		f := d.known(g, OpportunityField)
		if f == nil || d.used[g.index] || !isSchemaName(f.Schema) || slices.Contains(d.schemas, f.Schema) || f.Schema == "Status" || f.Schema == "Owner" {
			continue
		}
		if findKey(opportunityKeys, f.Schema) != nil {
			continue
		}
		d.used[g.index] = true
		d.schemas = append(d.schemas, f.Schema)
		d.line("    "+f.Schema+": "+d.typed(g), fmt.Sprintf("the account's field %q", f.Display))
	}
	d.suggestName()
	d.suggest("    ")
	d.otherFields("    ", OpportunityField)
}

// suggestName shows how the opportunity's name is made, which most accounts
// ask for in mx_Custom_1 (field report).
func (d *draft) suggestName() {
	if slices.Contains(d.schemas, "mx_Custom_1") {
		return
	}
	var columns []string
	for _, r := range []role{roleName, roleFirstName, roleLastName, roleCompany, roleProduct, roleKey} {
		for _, g := range d.columns {
			if g.role == r && len(columns) < 2 {
				columns = append(columns, quotedYAML(g.header))
			}
		}
	}
	if len(columns) > 0 {
		d.line("    # mx_Custom_1: {join: ["+strings.Join(columns, ", ")+"], separator: ' - '}", "most accounts ask for the opportunity's name here: take the # away if yours does")
	}
}

// statusWords bounds the words that a draft lists for the status.
const statusWords = 40

// statusField translates the words that are known; others become Open.
func statusField(g *columnGuess) string {
	var pairs []string
	words := different(append(slices.Clone(g.texts), g.more...))
	for _, t := range words {
		if len(pairs) == statusWords {
			break
		}
		if _, same := status(t); same {
			pairs = append(pairs, quotedYAML(t)+": "+orStatus(t))
			continue
		}
		pairs = append(pairs, quotedYAML(t)+": "+statusWord(t))
	}
	plain := true
	for _, t := range words {
		if _, same := status(t); !same {
			plain = false
		}
	}
	if plain || len(pairs) == 0 {
		return setting(g.header, "default: Open")
	}
	// A default beside values would also stand for every word that is not listed.
	return setting(g.header, "values: {"+strings.Join(pairs, ", ")+"}")
}

func orStatus(t string) string {
	word, _ := status(t)
	return word
}

// statusWord guesses what a stage means.
func statusWord(t string) string {
	s := strings.ToLower(t)
	for _, w := range []string{"lost", "cancel", "reject", "dropped", "declin", "dead", "not interested", "junk", "closed - l", "unsuccess"} {
		if strings.Contains(s, w) {
			return "Lost"
		}
	}
	for _, w := range []string{"won", "deliver", "success", "complete", "sold", "disburs", "enrol", "paid", "converted", "booked", "issued", "order received", "order confirmed", "po received"} {
		if strings.Contains(s, w) {
			return "Won"
		}
	}
	return "Open"
}

func (d *draft) sales() {
	id, email, phone := d.peek(roleLeadID), d.peek(roleEmail), d.peek(rolePhone, roleMobile)
	switch {
	case id != nil:
	case email != nil:
		d.used[email.index] = true
		d.line("lead: {find_by: EmailAddress, column: "+quotedYAML(email.header)+"}", email.why)
	case phone != nil:
		d.used[phone.index] = true
		d.line("lead: "+strings.Replace(d.phone(phone), "{", "{find_by: Phone, ", 1), d.phoneComment(phone))
	default:
		d.line("lead: {find_by: EmailAddress, column: "+fillIn+"}", "no column looks like an e-mail address or a phone number")
		d.note("lead: fill in the column by which the lead is found")
	}
	d.line("", "")
	d.line("SalesActivity:", "")
	if id != nil {
		d.used[id.index] = true
		d.line("  ProspectId: "+quotedYAML(id.header), id.why)
	}
	if g := d.take(roleSKU, roleProduct); g != nil {
		d.line("  ProductSku: "+quotedYAML(g.header), g.why+"; it must hold the account's SKUs")
	} else {
		d.line("  # ProductSku: "+fillIn, "no column looks like a product")
	}
	if g := d.take(roleStatus); g != nil {
		d.line("  Status: "+statusField(g), g.why)
	} else {
		d.line("  Status: {value: Open}", "no column looks like a status")
	}
	if g := d.take(roleAmount); g != nil {
		d.line("  Revenue: "+d.typed(g), g.comment())
	}
	if g := d.take(roleOwnerEmail); g != nil {
		d.line("  SalesOwnerEmail: "+quotedYAML(g.header), g.why)
	}
	if g := d.take(roleCreated, roleDate); g != nil {
		d.line("  SalesDate: "+d.date(g, "datetime"), d.dateComment(g))
	}
	for _, g := range d.columns {
		f := d.known(g, ActivityField)
		if f == nil || d.used[g.index] || !isSalesCustom(f.Schema) || slices.Contains(d.schemas, f.Schema) {
			continue
		}
		d.used[g.index] = true
		d.schemas = append(d.schemas, f.Schema)
		d.line("  "+f.Schema+": "+d.typed(g), fmt.Sprintf("the account's field %q", f.Display))
	}
	d.suggest("  ")
	d.otherFields("  ", ActivityField)
}

// otherFields lists the account's own fields that no column has taken, so that
// a person finds the schema names where they are to be written.
func (d *draft) otherFields(indent string, kind FieldKind) {
	const wide = 110
	row := ""
	flush := func() {
		if row != "" {
			d.line(indent+"#   "+commentText(row), "")
		}
		row = ""
	}
	first := true
	for _, f := range d.o.Fields {
		if f.Kind != kind || !strings.HasPrefix(f.Schema, "mx_Custom_") || slices.Contains(d.schemas, f.Schema) {
			continue
		}
		if first {
			d.line(indent+"# the account's fields that no column has yet:", "")
			first = false
		}
		one := f.Schema + " " + strconv.Quote(f.Display)
		if row != "" && len([]rune(row))+len([]rune(one)) > wide {
			flush()
		}
		if row != "" {
			row += ", "
		}
		row += one
	}
	flush()
}

// suggest lists the columns left over as lines to be taken up.
func (d *draft) suggest(indent string) {
	first := true
	for _, g := range d.columns {
		if d.used[g.index] {
			continue
		}
		if first {
			d.line(indent+"# columns without a place yet: give them the account's schema name and take the # away", "")
			first = false
		}
		comment := g.comment()
		if g.role == roleKey {
			comment = "sent in a field, the key also names the record in the account"
		} else if g.dates != nil {
			comment = d.dateComment(g)
		}
		d.line(indent+"# mx_Custom_N: "+d.typed(g), comment)
	}
}

// rest tells how many columns a person still has to look at.
func (d *draft) rest() {
	var left []string
	key := d.peek(roleKey)
	for _, g := range d.columns {
		if !d.used[g.index] && g != key {
			left = append(left, g.header)
		}
	}
	if len(left) > 0 {
		d.note("not mapped yet: %s", strings.Join(left, ", "))
	}
}
