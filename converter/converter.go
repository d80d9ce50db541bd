// Package converter turns the text of a cell into the value that the
// LeadSquared API takes: UTC timestamps, plain numbers, phones, options.
//
// Its functions are pure: they read no clock, no file and no environment
// (LoadZone alone reads the zone database), and they either give exactly what
// was meant or a *Problem that says why not. Nothing is guessed: a local time
// that does not exist, a phone that Excel rounded, a number whose commas may be
// decimals and a date that is only half a date are all problems.
//
// A Spec is compiled once for each field; Clean comes before Convert:
//
//	c, err := converter.New(converter.Spec{Type: converter.DateTime, Formats: []string{"dd/MM/yyyy HH:mm"}, Location: kolkata})
//	cell, err := converter.Clean(converter.Cell{Kind: converter.TextCell, Text: " 31/12/2025 23:30 "})
//	v, err := c.Convert(cell, nil)  // "2025-12-31 18:00:00"
package converter

import (
	"fmt"
	"strings"
	"time"
)

// Kind is what a cell holds, as the file says.
type Kind uint8

// The kinds of cell. A CSV file has EmptyCell, TextCell and FaultCell alone.
const (
	EmptyCell  Kind = iota // nothing was written
	TextCell               // Text is the text as written; line breaks inside it are LF
	NumberCell             // Text is the number in plain digits, a point before decimals, no exponent: the shortest decimal of the stored double; whole numbers exactly as stored
	BoolCell               // Text is TRUE or FALSE
	DateCell               // a number shown as date or time: Text is the serial in plain digits in the 1900 system, Format the number format
	FaultCell              // the cell holds an error (#N/A), unreadable bytes or a formula never calculated: Text names it
)

var kindNames = [...]string{"empty", "text", "number", "bool", "date", "fault"}

// String returns the kind's name in lower case.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Cell is one cell of a row.
type Cell struct {
	Text string
	// Format is the number format's code: of a DateCell, such as "dd/mm/yyyy
	// hh:mm", and of a NumberCell that it makes an identifier of, such as 00000.
	Format string
	Kind   Kind
}

// Type is what a field's value is.
type Type uint8

// The types that a mapping may name. What each of them accepts stands at its
// constant; all refuse a FaultCell and the texts with which a spreadsheet
// shows one (#N/A, #REF!, …). Digits may be those of any script, but for Text.
const (
	// Text takes texts as written, leading zeros and all; the digits of a
	// number, TRUE or FALSE, and a date cell as its wall clock: yyyy-MM-dd,
	// yyyy-MM-dd HH:mm:ss, or HH:mm:ss for a time alone. Refused: a text that is
	// a number in scientific notation (9.19877E+12), whose digits are lost, a
	// program's float for a whole number (560001.0), and a whole number cell of
	// more digits than a spreadsheet keeps.
	Text Type = iota
	// Number takes 1234.5, 1,234.50, 1,20,000.50, 1 234.5, 1'234.5 (with Decimal
	// ',' 1.234,50), a currency sign or code at either end, a leading plus or
	// minus, a trailing minus, parentheses for a negative and the Indian 500/-.
	// A percent sign means what Percent says, words of amounts what Words says.
	// Digits and decimals stay as written. A number cell always has a point; decimals beyond the 15
	// significant digits that a spreadsheet shows are its rounding noise and
	// are rounded off. Scientific notation is refused.
	Number
	// Integer takes what Number takes if no decimal but zeros follow: 3.00 is 3.
	Integer
	// DateTime takes texts in one of Formats, ISO 8601 where there are none, and
	// date cells always. See Spec.Formats.
	DateTime
	// Date takes the same for a day without a time; no zone ever shifts it.
	// A time of day other than midnight is refused unless a pattern names its
	// hours, and with an offset always, because the day then depends on a zone.
	Date
	// Email takes one address of the form name@example.com, as written.
	Email
	// Phone takes one number in any usual writing, with its country code or as
	// it is dialled inside Region. Refused: extensions, several numbers, letters,
	// scientific notation, a minus in front (Excel computes +91-9876543210 as
	// a formula), and whatever is no valid number of its country.
	Phone
	// Boolean takes true, false, yes, no, y, n, 1 and 0 in any case, and
	// boolean cells.
	Boolean
)

var typeNames = [...]string{"text", "number", "integer", "datetime", "date", "email", "phone", "boolean"}

// String gives the word that a mapping uses for the type.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// DST says what a local time that comes twice means.
type DST uint8

// The choices for a local time that comes twice when clocks go back.
const (
	RejectDST DST = iota
	Earlier
	Later
)

// Option is one entry of a field's list of values.
type Option struct{ From, To string }

// Spec describes one field's conversion.
type Spec struct {
	Type Type

	// Formats are patterns for DateTime and Date, tried in order. The letters are
	// the vendor's: yyyy yy · MM M MMM MMMM · dd d · EEE EEEE · HH H hh h · mm m ·
	// ss s · SSS · a · Z, 'quoted text', and any sign as itself. MM, dd, HH and hh
	// take one or two digits before a sign or at the end and exactly two before
	// another digit. mm and ss take two, the single letters one or two. yy is
	// 2000–2029 for 00–29 and 1969–1999 for 69–99; between the two the common
	// rules disagree, so that such a year is a problem. Names of months
	// and days are English, short or full, in any case. A space takes
	// one or more spaces. SSS is read and dropped: the API holds whole seconds.
	// Z takes Z, UTC, GMT, +05:30, +0530 and +05, and wins over the zone.
	//
	// Four words stand for a form of their own: "iso" (2025-12-31,
	// 2025-12-31T23:30[:15[.123]] or with a space, and 20251231T233015, each with
	// or without an offset), "epoch" and "epoch-ms" (seconds and milliseconds since
	// 1970 in UTC) and "excel" (a serial as text, such as 46000.5).
	//
	// No formats means "iso". Date cells are always taken; number cells
	// only by patterns of digits alone and by the words, iso apart.
	Formats []string

	// Location is the zone of local times for DateTime; nil is an error.
	Location *time.Location
	DST      DST
	Decimal  byte     // Number, Integer: '.' or ','; 0 is '.'
	Region   string   // Phone: the country of numbers without a country code, such as "IN"
	Values   []Option // Text: text to text, matched without regard to case and spaces

	MaxLength int    // in characters; 0 is no limit
	Truncate  bool   // Text: cut at MaxLength instead of refusing
	Case      string // Text, Email: "", "upper", "lower", "title"

	// Identifies marks a Text that names something for good: every writing of
	// scientific notation is refused then, 7.0 for a 7, and words for nothing.
	Identifies bool

	Percent Percent // Number, Integer: what a percent sign means
	// Words: Number, Integer: lakh and crore multiply, and Dr and Cr behind an
	// amount say debit and credit and leave it as it is. 1.2 Cr is crore,
	// 1,200.00 Cr a credit; what may be either is refused.
	Words bool
}

// Percent says what a percent sign in a number means.
type Percent uint8

// The choices for a percent sign.
const (
	RejectPercent   Percent = iota // it is a problem
	PercentFraction                // 12.5% is 0.125
	PercentPoints                  // 12.5% is 12.5
)

// Converter converts the cells of one field. It is safe for concurrent use.
type Converter struct {
	spec   Spec
	dates  dateReader
	phones *phoneReader
	values *valueList
}

// New compiles a Spec; the error says which part of it cannot be.
func New(s Spec) (*Converter, error) {
	c := &Converter{spec: s}
	if int(s.Type) >= len(typeNames) {
		return nil, fmt.Errorf("unknown %v", s.Type)
	}
	if s.Decimal == 0 {
		c.spec.Decimal = '.'
	} else if s.Decimal != '.' && s.Decimal != ',' {
		return nil, fmt.Errorf("the decimal sign %q must be a point or a comma", string(rune(s.Decimal)))
	}
	if s.DST > Later {
		return nil, fmt.Errorf("unknown choice %d for local times that come twice", s.DST)
	}
	isDate := s.Type == DateTime || s.Type == Date
	if len(s.Formats) > 0 && !isDate {
		return nil, fmt.Errorf("a format is for datetime and date, not for %v", s.Type)
	}
	if isDate {
		if s.Type == DateTime && s.Location == nil {
			return nil, fmt.Errorf("a datetime needs a time zone, such as Asia/Kolkata")
		}
		if err := c.dates.compile(&c.spec); err != nil {
			return nil, err
		}
	}
	if s.Type == Phone {
		r, err := newPhoneReader(s.Region)
		if err != nil {
			return nil, err
		}
		c.phones = r
	}
	switch s.Case {
	case "", "upper", "lower", "title":
	default:
		return nil, fmt.Errorf("unknown case %q: use upper, lower or title", s.Case)
	}
	if s.Case != "" && s.Type != Text && (s.Type != Email || s.Case != "lower") {
		return nil, fmt.Errorf("case %q is for text (and lower for email), not for %v", s.Case, s.Type)
	}
	if s.MaxLength < 0 {
		return nil, fmt.Errorf("a maximum length of %d cannot be", s.MaxLength)
	}
	if s.Truncate && s.Type != Text {
		return nil, fmt.Errorf("truncate is for text: a %v cut short is another %v", s.Type, s.Type)
	}
	if s.Truncate && s.MaxLength == 0 {
		return nil, fmt.Errorf("truncate needs a maximum length")
	}
	if len(s.Values) > 0 {
		if s.Type != Text {
			return nil, fmt.Errorf("a list of values is for text, not for %v", s.Type)
		}
		v, err := newValueList(s.Values)
		if err != nil {
			return nil, err
		}
		c.values = v
	}
	return c, nil
}

// Convert gives the API's value of a cell that Clean found not empty. loc,
// where not nil, stands in for Spec.Location (a zone taken from a column).
// The error is a *Problem. The value may share its memory with cell.Text.
func (c *Converter) Convert(cell Cell, loc *time.Location) (string, error) {
	return c.convert(cell, loc, false, nil)
}

// ConvertSeen is Convert, and takes the cell into what e has seen.
func (c *Converter) ConvertSeen(cell Cell, loc *time.Location, e *Evidence) (string, error) {
	return c.convert(cell, loc, false, e)
}

// CheckSeen returns the error that ConvertSeen would return, and does not make
// the value, which is half of the work where it is written anew (timestamps, phones).
func (c *Converter) CheckSeen(cell Cell, loc *time.Location, e *Evidence) error {
	_, err := c.convert(cell, loc, c.spec.MaxLength == 0, e)
	return err
}

// convert leaves out, where dry, a value that would have to be written. What
// the cell tells about its column goes to e, which may be nil.
func (c *Converter) convert(cell Cell, loc *time.Location, dry bool, e *Evidence) (string, error) {
	var v string
	var p *Problem
	switch {
	case cell.Kind == FaultCell || cell.Text != "" && cell.Text[0] == '#' && isFault(cell.Text):
		p = problem(codeFault, "repair the formula in the spreadsheet, or replace it by its value",
			"the cell holds the error %s", quote(cell.Text))
	case cell.Kind == EmptyCell || cell.Text == "":
		p = problem(codeEmpty, "fill the cell in, or give the field a default", "the cell is empty")
	default:
		switch c.spec.Type {
		case Number, Integer, DateTime, Date, Phone:
			cell.Text = asciiDigits(cell.Text)
		}
		switch c.spec.Type {
		case Text:
			v, p = c.text(cell, e)
		case Number:
			v, p = c.number(cell, e)
		case Integer:
			v, p = c.integer(cell, e)
		case DateTime:
			v, p = c.dates.datetime(cell, loc, dry, e)
		case Date:
			v, p = c.dates.date(cell, e)
		case Email:
			v, p = c.email(cell)
		case Phone:
			v, p = c.phones.convert(cell, dry)
		case Boolean:
			v, p = boolean(cell)
		}
	}
	if p == nil && c.spec.MaxLength > 0 && len(v) > c.spec.MaxLength {
		v, p = c.limit(v)
	}
	if p != nil {
		return "", p
	}
	return v, nil
}

// isFault knows the texts with which spreadsheets show an error, as they end
// up in a CSV file.
func isFault(s string) bool {
	switch strings.ToUpper(s) {
	case "#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA", "#ERROR!":
		return true
	}
	// A column too narrow for its number is saved as a row of hash signs.
	return len(s) >= 4 && strings.Trim(s, "#") == ""
}
