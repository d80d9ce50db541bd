package converter

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Problem is the reason for which a cell has no value.
type Problem struct {
	Code string // stable, one of Codes, such as "datetime.format"
	Msg  string // what is wrong with which text: lower case, no full stop
	Hint string // what to do about it
}

// Error gives the message without the hint.
func (p *Problem) Error() string { return p.Msg }

// The codes are part of results files and of users' scripts: they never change.
const (
	codeEmpty = "cell.empty"
	codeFault = "cell.fault"
	codeKind  = "cell.kind"

	codeControl    = "text.control"
	codeLost       = "text.lost"
	codeScientific = "text.scientific"
	codeLong       = "text.long"
	codePrecision  = "number.precision"
	codeFloat      = "text.float"
	codeNothing    = "text.null"
	codeValue      = "value.unknown"

	codeNumber     = "number.format"
	codeNumberSci  = "number.scientific"
	codeGrouping   = "number.grouping"
	codePercent    = "number.percent"
	codeNumberLong = "number.long"
	codeInteger    = "integer.fraction"

	codeFormat   = "datetime.format"
	codeCalendar = "datetime.calendar"
	codeWeekday  = "datetime.weekday"
	codeYear     = "datetime.year"
	codeGap      = "datetime.gap"
	codeOverlap  = "datetime.overlap"
	codeSerial   = "datetime.serial"
	codeTimeOnly = "datetime.time_only"
	codeAsNumber = "datetime.number"
	codeEpoch    = "datetime.epoch"
	codeDateTime = "date.time"
	codeDateZone = "date.offset"

	codeEmail  = "email.syntax"
	codeEmails = "email.several"

	codePhone     = "phone.invalid"
	codePhoneForm = "phone.format"
	codePhoneSci  = "phone.scientific"
	codePhones    = "phone.several"
	codeExtension = "phone.extension"
	codeRegion    = "phone.region"

	codeBoolean = "boolean.format"
)

// Codes are all values of Problem.Code, so that a catalogue of errors can be
// checked against them.
var Codes = []string{
	codeEmpty, codeFault, codeKind,
	codeControl, codeLost, codeScientific, codeFloat, codeNothing, codeLong, codeValue,
	codeNumber, codeNumberSci, codeGrouping, codePercent, codeNumberLong, codePrecision, codeInteger,
	codeFormat, codeCalendar, codeWeekday, codeYear, codeGap, codeOverlap, codeSerial,
	codeTimeOnly, codeAsNumber, codeEpoch, codeDateTime, codeDateZone,
	codeEmail, codeEmails,
	codePhone, codePhoneForm, codePhoneSci, codePhones, codeExtension, codeRegion,
	codeBoolean,
}

func problem(code, hint, format string, args ...any) *Problem {
	return &Problem{Code: code, Msg: fmt.Sprintf(format, args...), Hint: hint}
}

// quoteLimit is how many characters of a cell a message repeats.
const quoteLimit = 60

// quote gives a cell's text as a message shows it: quoted, and bounded,
// because a cell may hold a whole letter.
func quote(s string) string {
	if utf8.RuneCountInString(s) <= quoteLimit {
		return strconv.Quote(s)
	}
	n := 0
	for i := range s {
		if n == quoteLimit {
			return strconv.Quote(s[:i]) + "…"
		}
		n++
	}
	return strconv.Quote(s)
}
