package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"leadload/converter"
)

// What a column seems to be, for the draft of a mapping.

type role string

const (
	roleNone       role = ""
	roleKey        role = "key"
	roleEmail      role = "EmailAddress"
	rolePhone      role = "Phone"
	roleMobile     role = "Mobile"
	roleLeadID     role = "ProspectID"
	roleName       role = "name"
	roleFirstName  role = "FirstName"
	roleLastName   role = "LastName"
	roleCompany    role = "Company"
	roleJobTitle   role = "JobTitle"
	roleSource     role = "Source"
	roleCity       role = "mx_City"
	roleState      role = "mx_State"
	roleCountry    role = "mx_Country"
	roleZip        role = "mx_Zip"
	roleStreet     role = "mx_Street1"
	roleOwnerEmail role = "owner email"
	roleOwner      role = "owner"
	roleProduct    role = "product"
	roleSKU        role = "sku"
	roleStatus     role = "status"
	roleNote       role = "note"
	roleAmount     role = "amount"
	roleCreated    role = "created"
	roleDate       role = "date"
)

// columnGuess is a column with what is known about it.
type columnGuess struct {
	index   int
	header  string
	words   []string
	texts   []string // what its cells hold, cleaned, without the empty ones
	places  []int    // the row of the sample that each text stands in
	cells   []converter.Cell
	more    []string // status words that come behind the sample
	doubt   string   // why its cells may not mean what they seem to
	rows    int      // of the sample, empty cells too
	role    role
	why     string
	dates   *dateGuess
	number  *numberGuess
	region  string
	phoneOK bool
}

type dateGuess struct {
	formats   []string // none: the spreadsheet's own dates
	withTime  bool
	ambiguous bool     // day and month may be the other way round
	other     []string // the formats then
	found     []int    // formats as positions in dateCandidates
}

type numberGuess struct {
	decimal byte
	money   bool
	words   bool // some amounts are in lakh or crore, which words: true reads
}

// words splits a header into words in lower case: "DealID", "deal_id" and
// "Deal ID" are the same two words.
func words(header string) []string {
	var out []string
	var b []rune
	flush := func() {
		if len(b) > 0 {
			out = append(out, strings.ToLower(string(b)))
			b = b[:0]
		}
	}
	runes := []rune(header)
	for i, r := range runes {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			flush()
			continue
		}
		if unicode.IsUpper(r) && i > 0 && unicode.IsLower(runes[i-1]) {
			flush()
		}
		b = append(b, r)
	}
	flush()
	return out
}

func (g *columnGuess) says(any ...string) bool {
	all := " " + strings.Join(g.words, " ") + " "
	for _, w := range any {
		if strings.Contains(all, " "+w+" ") {
			return true
		}
	}
	return false
}

// look gathers what a column's cells tell.
func look(index int, header string, sample [][]converter.Cell) *columnGuess {
	g := &columnGuess{index: index, header: header, words: words(header), rows: len(sample)}
	for i, row := range sample {
		if index >= len(row) {
			continue
		}
		cell, err := converter.Clean(row[index])
		if err != nil || cell.Text == "" || cell.Kind == converter.FaultCell {
			continue
		}
		g.cells = append(g.cells, cell)
		g.texts = append(g.texts, cell.Text)
		g.places = append(g.places, i)
	}
	g.dates = guessDates(g.cells)
	if g.dates == nil {
		g.number = guessNumbers(g.cells, g.says(moneyWords...))
	}
	g.region, g.phoneOK = guessPhones(g.cells)
	g.doubt = g.weigh()
	return g
}

// weigh looks for what makes a column of numbers or days doubtful as a whole.
func (g *columnGuess) weigh() string {
	var e converter.Evidence
	see := func(s converter.Spec) {
		c, err := converter.New(s)
		if err != nil {
			return
		}
		for _, cell := range g.cells {
			c.ConvertSeen(cell, nil, &e) // cells that do not fit say nothing
		}
	}
	if g.number != nil {
		see(converter.Spec{Type: converter.Number, Decimal: g.number.decimal})
		return e.Thousands()
	}
	texts := slices.DeleteFunc(slices.Clone(g.cells), func(c converter.Cell) bool { return c.Kind != converter.TextCell })
	if len(texts) == len(g.cells) {
		return ""
	}
	if days := guessDates(texts); days != nil && len(days.formats) > 0 {
		see(converter.Spec{Type: converter.DateTime, Formats: days.formats, Location: time.UTC})
	}
	return e.MixedDays()
}

// most reports that nearly all cells fit: a sample has its own faults.
func most(fits, all int) bool { return all > 0 && fits*10 >= all*9 }

func share(cells []converter.Cell, fits func(converter.Cell) bool) int {
	n := 0
	for _, c := range cells {
		if fits(c) {
			n++
		}
	}
	return n
}

func (g *columnGuess) areEmails() bool {
	conv, err := converter.New(converter.Spec{Type: converter.Email})
	return err == nil && most(share(g.cells, converts(conv)), len(g.cells))
}

func converts(conv *converter.Converter) func(converter.Cell) bool {
	return func(c converter.Cell) bool {
		_, err := conv.Convert(c, nil)
		return err == nil
	}
}

// guessPhones finds the country whose numbers a column holds.
func guessPhones(cells []converter.Cell) (region string, ok bool) {
	cells = cells[:min(len(cells), 40)] // a phone costs 30 µs a country
	if !most(share(cells, mayBePhone), len(cells)) {
		return "", false
	}
	for _, region := range []string{"", "IN", "US", "GB", "AE", "SG", "AU", "MY", "PH", "ID", "ZA", "NG", "KE", "BR", "DE", "FR"} {
		conv, err := converter.New(converter.Spec{Type: converter.Phone, Region: region})
		if err == nil && most(share(cells, converts(conv)), len(cells)) {
			return region, true
		}
	}
	return "", false
}

// mayBePhone spares the others the long way through every country's rules.
func mayBePhone(c converter.Cell) bool {
	digits := 0
	for _, r := range c.Text {
		if unicode.IsDigit(r) {
			digits++
		}
	}
	return digits >= 7 && digits <= 16 && len(c.Text) <= 40
}

// dateCandidates are the patterns that files use most, each with the one that
// reads day and month the other way round.
var dateCandidates = []struct{ format, swapped string }{
	{"yyyy-MM-dd HH:mm:ss", ""}, {"yyyy-MM-dd HH:mm", ""}, {"yyyy-MM-dd", ""},
	{"dd/MM/yyyy HH:mm:ss", "MM/dd/yyyy HH:mm:ss"}, {"dd/MM/yyyy HH:mm", "MM/dd/yyyy HH:mm"}, {"dd/MM/yyyy hh:mm a", "MM/dd/yyyy hh:mm a"},
	{"dd/MM/yyyy hh:mm:ss a", "MM/dd/yyyy hh:mm:ss a"}, {"dd/MM/yyyy", "MM/dd/yyyy"},
	{"MM/dd/yyyy HH:mm:ss", "dd/MM/yyyy HH:mm:ss"}, {"MM/dd/yyyy HH:mm", "dd/MM/yyyy HH:mm"}, {"MM/dd/yyyy hh:mm a", "dd/MM/yyyy hh:mm a"},
	{"MM/dd/yyyy hh:mm:ss a", "dd/MM/yyyy hh:mm:ss a"}, {"MM/dd/yyyy", "dd/MM/yyyy"},
	{"dd-MM-yyyy HH:mm:ss", "MM-dd-yyyy HH:mm:ss"}, {"dd-MM-yyyy HH:mm", "MM-dd-yyyy HH:mm"}, {"dd-MM-yyyy", "MM-dd-yyyy"},
	{"MM-dd-yyyy HH:mm:ss", "dd-MM-yyyy HH:mm:ss"}, {"MM-dd-yyyy HH:mm", "dd-MM-yyyy HH:mm"}, {"MM-dd-yyyy", "dd-MM-yyyy"},
	{"dd.MM.yyyy HH:mm:ss", ""}, {"dd.MM.yyyy HH:mm", ""}, {"dd.MM.yyyy", ""},
	{"dd-MMM-yyyy HH:mm:ss", ""}, {"dd-MMM-yyyy HH:mm", ""}, {"dd-MMM-yyyy", ""}, {"dd MMM yyyy HH:mm", ""}, {"dd MMM yyyy", ""},
	{"dd-MMM-yyyy hh:mm:ss a", ""}, {"dd-MMM-yyyy hh:mm a", ""}, {"dd MMM yyyy hh:mm a", ""}, {"dd MMM yyyy HH:mm:ss", ""},
	{"dd-MMM-yy hh:mm:ss a", ""}, {"dd-MMM-yy hh:mm a", ""}, {"dd-MMM-yy HH:mm:ss", ""}, {"dd-MMM-yy HH:mm", ""}, {"dd MMM yy hh:mm a", ""}, {"dd MMM yy HH:mm", ""}, {"dd MMM yy", ""},
	{"dd-MMM-yy", ""}, {"dd MMMM yyyy", ""}, {"MMM d, yyyy h:mm a", ""}, {"MMMM d, yyyy h:mm a", ""},
	{"dd-MM-yyyy hh:mm a", "MM-dd-yyyy hh:mm a"}, {"MM-dd-yyyy hh:mm a", "dd-MM-yyyy hh:mm a"}, {"dd-MM-yy HH:mm", "MM-dd-yy HH:mm"}, {"dd-MM-yy", "MM-dd-yy"}, {"dd/MM/yy hh:mm a", "MM/dd/yy hh:mm a"}, {"MM/dd/yy hh:mm a", "dd/MM/yy hh:mm a"}, {"d/M/yy h:mm a", "M/d/yy h:mm a"}, {"M/d/yy h:mm a", "d/M/yy h:mm a"}, {"d/M/yyyy h:mm a", "M/d/yyyy h:mm a"}, {"M/d/yyyy h:mm a", "d/M/yyyy h:mm a"}, {"MMM d, yyyy", ""}, {"MMMM d, yyyy", ""}, {"d MMM yyyy, h:mm a", ""},
	{"dd/MM/yy HH:mm", "MM/dd/yy HH:mm"}, {"dd/MM/yy", "MM/dd/yy"}, {"MM/dd/yy", "dd/MM/yy"}, {"d/M/yyyy", "M/d/yyyy"}, {"d/M/yyyy H:mm", "M/d/yyyy H:mm"},
	{"M/d/yyyy", "d/M/yyyy"}, {"M/d/yyyy H:mm", "d/M/yyyy H:mm"}, {"yyyy/MM/dd HH:mm:ss", ""}, {"yyyy/MM/dd", ""}, {"yyyyMMdd", ""}, {"iso", ""},
}

// dateProbe is how many cells choose a pattern; all are then read by it.
const dateProbe = 40

// guessDates finds the fewest patterns that read all cells, or nil.
func guessDates(cells []converter.Cell) *dateGuess {
	if len(cells) == 0 {
		return nil
	}
	if most(share(cells, func(c converter.Cell) bool { return c.Kind == converter.DateCell }), len(cells)) {
		g := &dateGuess{}
		for _, c := range cells {
			if strings.ContainsRune(c.Text, '.') {
				g.withTime = true
			}
		}
		return g
	}
	if !most(share(cells, mayBeDate), len(cells)) {
		return nil
	}
	left := cells
	g := &dateGuess{}
	for len(g.formats) < 3 && len(left) > 0 {
		best, bestFits := -1, 0
		probe := left[:min(len(left), dateProbe)]
		for i := range dateCandidates {
			// A family already begun is kept: dd/MM does not stand beside MM/dd.
			if fits := share(probe, readsDate(i)); fits > bestFits && g.sameOrder(dateCandidates[i].format) {
				best, bestFits = i, fits
			}
		}
		if best < 0 {
			break
		}
		before := len(left)
		left = slices.DeleteFunc(slices.Clone(left), readsDate(best))
		if (before-len(left))*20 < len(cells) {
			break
		}
		c := dateCandidates[best]
		g.formats = append(g.formats, c.format)
		g.found = append(g.found, best)
		if c.swapped != "" {
			g.other = append(g.other, c.swapped)
		}
		if strings.ContainsAny(c.format, "Hh") || c.format == "iso" {
			g.withTime = true
		}
	}
	if len(g.formats) == 0 || !most(len(cells)-len(left), len(cells)) {
		return nil
	}
	if len(g.formats) == 1 && g.formats[0] == "yyyyMMdd" && len(cells) < 5 {
		return nil // eight digits are more often a number
	}
	g.ambiguous = len(g.other) > 0 && !g.decided(cells)
	return g
}

// decided reports whether the cell fits only one order of day and month.
func (g *dateGuess) decided(cells []converter.Cell) bool {
	for _, i := range g.found {
		conv := dateConverters()[i]
		for _, c := range cells {
			if _, decided := conv.AmbiguousDayMonth(c.Text); decided {
				return true
			}
		}
	}
	return false
}

// mayBeDate spares other texts the way through every pattern.
func mayBeDate(c converter.Cell) bool {
	if c.Kind != converter.TextCell || len(c.Text) < 6 || len(c.Text) > 40 {
		return false
	}
	digits := 0
	for i := 0; i < len(c.Text); i++ {
		if c.Text[i]-'0' <= 9 {
			digits++
		}
	}
	return digits >= 3 && digits*4 >= len(c.Text)
}

// sameOrder reports that a further pattern has day and month in the same
// order as those found.
func (g *dateGuess) sameOrder(format string) bool {
	for _, f := range g.formats {
		if dayFirst(f) != dayFirst(format) && !strings.Contains(format, "MMM") && !strings.HasPrefix(format, "yyyy") && format != "iso" &&
			!strings.Contains(f, "MMM") && !strings.HasPrefix(f, "yyyy") && f != "iso" {
			return false
		}
		if _, err := converter.New(converter.Spec{Type: converter.DateTime, Formats: []string{f, format}, Location: time.UTC}); err != nil {
			return false
		}
	}
	return true
}

func dayFirst(format string) bool {
	return strings.IndexByte(format, 'd') < strings.IndexByte(format, 'M')
}

// dateConverters are the candidates compiled, once.
var dateConverters = sync.OnceValue(func() []*converter.Converter {
	out := make([]*converter.Converter, len(dateCandidates))
	for i, c := range dateCandidates {
		conv, err := converter.New(converter.Spec{Type: converter.DateTime, Formats: []string{c.format}, Location: time.UTC, DST: converter.Earlier})
		if err != nil {
			panic(fmt.Sprintf("mapping: the pattern %q of the draft is wrong: %v", c.format, err)) // a constant of this file
		}
		out[i] = conv
	}
	return out
})

func readsDate(candidate int) func(converter.Cell) bool {
	return converts(dateConverters()[candidate])
}

// guessNumbers reports a column of numbers that are meant as such. A column
// whose name says money may have a few odd cells, which are told.
func guessNumbers(cells []converter.Cell, named bool) *numberGuess {
	if len(cells) == 0 {
		return nil
	}
	for _, c := range cells {
		// A leading zero is lost in a number: it is an id or a post code.
		if len(c.Text) > 1 && c.Text[0] == '0' && !strings.ContainsAny(c.Text, ".,") {
			return nil
		}
	}
	for _, decimal := range []byte{'.', ','} {
		conv, err := converter.New(converter.Spec{Type: converter.Number, Decimal: decimal})
		if err != nil {
			continue
		}
		spoken, err := converter.New(converter.Spec{Type: converter.Number, Decimal: decimal, Words: true})
		if err != nil {
			continue
		}
		g := &numberGuess{decimal: decimal, words: slices.ContainsFunc(cells, func(c converter.Cell) bool { return isSpoken(c) && converts(spoken)(c) })}
		// words: true would also leave out Dr and Cr, which is for a person to decide.
		if g.words && !slices.ContainsFunc(cells, func(c converter.Cell) bool {
			return !isSpoken(c) && !converts(conv)(c) && converts(spoken)(c)
		}) {
			conv = spoken
		} else {
			g.words = false
		}
		if fits := share(cells, converts(conv)); most(fits, len(cells)) || named && fits*4 >= len(cells)*3 {
			for _, c := range cells {
				g.money = g.money || strings.ContainsAny(c.Text, "₹$€£,")
			}
			return g
		}
	}
	return nil
}

// isSpoken reports whether an amount is in words that have one meaning.
func isSpoken(c converter.Cell) bool {
	s := strings.ToLower(c.Text)
	return strings.Contains(s, "lakh") || strings.Contains(s, "lac") || strings.Contains(s, "crore")
}

// distinct returns the different texts of the sample.
func (g *columnGuess) distinct() []string { return different(g.texts) }

func different(texts []string) []string {
	var out []string
	for _, t := range texts {
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

// unique reports that every row has a text and no two have the same.
func (g *columnGuess) unique() bool {
	return len(g.texts) == g.rows && g.rows > 0 && len(g.distinct()) == len(g.texts)
}

// nearlyUnique reports a column that could be the key but for a few rows, such
// as a repeated line, a blank or a total.
func (g *columnGuess) nearlyUnique() bool {
	blank, repeated := g.exceptions()
	return g.rows >= 10 && len(blank)+len(repeated) <= max(2, g.rows/20)
}

// exceptions are the rows of the sample without a text of their own: those
// that have none, and those that repeat an earlier one's.
func (g *columnGuess) exceptions() (blank, repeated []int) {
	filled := map[int]bool{}
	seen := map[string]bool{}
	for i, t := range g.texts {
		filled[g.places[i]] = true
		if seen[t] {
			repeated = append(repeated, g.places[i])
		}
		seen[t] = true
	}
	for i := range g.rows {
		if !filled[i] {
			blank = append(blank, i)
		}
	}
	return blank, repeated
}

// oddities names the rows whose cells are not what the column is taken for.
func (g *columnGuess) oddities(number func(int) int) (notes []string) {
	say := func(rows []int, one, many string) {
		if len(rows) == 0 {
			return
		}
		var list []string
		for i, r := range rows {
			if i == toldRows {
				list = append(list, "…")
				break
			}
			list = append(list, strconv.Itoa(number(r)))
		}
		word := many
		if len(rows) == 1 {
			word = one
		}
		notes = append(notes, strings.ReplaceAll(word, "#", strings.Join(list, ", ")))
	}
	switch {
	case g.role == roleKey:
		blank, repeated := g.exceptions()
		say(repeated, "row # has the key of an earlier row and is refused until it has one of its own", "rows # have keys of earlier rows and are refused until they have their own")
		say(blank, "row # has no key and is refused until it has one", "rows # have no key and are refused until they have one")
	case g.role == roleStatus:
		blank, _ := g.exceptions()
		const cure = "; fill it in, or add default: Open, which then also stands for words that are not listed"
		say(blank, "row # has none and is refused"+cure, "rows # have none and are refused"+cure)
	case g.number != nil && (g.role == roleAmount || g.number.money):
		conv, err := converter.New(converter.Spec{Type: converter.Number, Decimal: g.number.decimal, Words: g.number.words})
		if err != nil {
			return nil
		}
		var odd []int
		example := ""
		for i, c := range g.cells {
			if _, err := conv.Convert(c, nil); err != nil {
				if example == "" {
					example = c.Text
				}
				odd = append(odd, g.places[i])
			}
		}
		say(odd, fmt.Sprintf("row #, %q, is not a number and is refused until it is", example), fmt.Sprintf("rows #, such as %q, are not numbers and are refused until they are", example))
	}
	return notes
}

// toldRows is how many rows a note names.
const toldRows = 10

// ownerWords tell a person of the account from a lead.
var ownerWords = []string{"owner", "rep", "agent", "executive", "assigned", "salesperson", "manager", "advisor", "counsellor", "counselor", "rm"}

// namedRoles are the roles that a column's name alone decides, in order.
var namedRoles = []struct {
	role  role
	words []string
}{
	{roleSKU, []string{"sku", "product id", "product code", "item code"}},
	{roleProduct, []string{"product", "item", "course", "plan", "scheme", "loan type", "policy", "model", "variant"}},
	{roleNote, []string{"remark", "remarks", "note", "notes", "comment", "comments", "description"}},
	{roleOwner, ownerWords},
	{roleFirstName, []string{"first name", "firstname", "given name", "forename"}},
	{roleLastName, []string{"last name", "lastname", "surname", "family name"}},
	{roleCompany, []string{"company", "organisation", "organization", "firm", "account", "employer"}},
	{roleJobTitle, []string{"job title", "designation", "title", "position"}},
	{roleCity, []string{"city", "town", "district"}},
	{roleState, []string{"state", "province", "region"}},
	{roleCountry, []string{"country"}},
	{roleZip, []string{"zip", "pin", "pincode", "pin code", "postcode", "post code", "postal code", "zip code"}},
	{roleStreet, []string{"address", "street"}},
	{roleSource, []string{"source", "lead source", "channel"}},
}

var (
	idWords     = []string{"id", "no", "number", "ref", "reference", "code", "key", "invoice"}
	mailWords   = []string{"email", "mail", "e mail", "emailaddress"}
	phoneWords  = []string{"phone", "telephone", "tel", "contact no", "contact number", "phone number", "ph no", "phonenumber"}
	mobileWords = []string{"mobile", "cell", "whatsapp", "whats app"}
	moneyWords  = []string{"amount", "value", "revenue", "price", "total", "premium", "sum", "budget", "deal size", "order value", "worth", "fee", "fees", "cost"}
	beginWords  = []string{"created", "create", "opened", "sold", "booked", "enquiry", "inquiry", "order", "opportunity", "enq", "inq"}
	nameWords   = []string{"name", "contact", "customer", "client", "lead", "prospect", "person"}
)

// guess decides what the column is.
func (g *columnGuess) guess() {
	g.role, g.why = g.decide()
}

func (g *columnGuess) decide() (role, string) {
	const byName = "by the column's name"
	owner := g.says(ownerWords...)
	emails := g.areEmails()
	switch {
	case owner && (emails || g.says(mailWords...)):
		return roleOwnerEmail, "the name says who sold, the cells are e-mail addresses"
	case emails:
		return roleEmail, "the cells are e-mail addresses"
	case g.says(mailWords...) && len(g.texts) == 0:
		return roleEmail, byName + "; its cells are empty in the sample"
	case g.says(mailWords...):
		return roleEmail, byName + "; some cells are no e-mail address"
	case g.says("prospect id", "prospectid", "lead id", "leadid") && g.dates == nil:
		return roleLeadID, byName
	case g.says(mobileWords...):
		return roleMobile, byName
	case g.says(phoneWords...):
		return rolePhone, byName
	case g.dates != nil && g.says(beginWords...):
		return roleCreated, "the cells are dates and the name says when it began"
	case g.dates != nil:
		return roleDate, "the cells are dates"
	case g.says("status", "stage", "outcome", "result") && len(g.distinct()) <= 20:
		return roleStatus, fmt.Sprintf("%s; it has %d different texts", byName, len(g.distinct()))
	case g.number != nil && g.says(moneyWords...):
		if g.number.words {
			return roleAmount, "the name says money; some numbers are in lakh or crore, which words: true reads"
		}
		return roleAmount, "the name says money and the cells are numbers"
	case g.says(idWords...) && g.unique():
		return roleKey, "every row of the sample has its own text there"
	case g.says(idWords...) && g.nearlyUnique():
		return roleKey, "nearly every row of the sample has its own text there; the others are refused until they have"
	}
	for _, r := range namedRoles {
		if g.says(r.words...) {
			return r.role, byName
		}
	}
	switch {
	case g.says(nameWords...):
		return roleName, byName
	case g.phoneOK && (g.number == nil || g.region == ""):
		return rolePhone, "the cells are phone numbers"
	}
	return roleNone, ""
}
