package reports

import (
	"github.com/xuri/excelize/v2"

	"leadload/loader/ledger"
)

// look is how a result appears: dark words on a light ground of the same
// colour, and a strong one for the chart. The word itself is always there, so
// that nothing is told by colour alone.
type look struct{ ground, ink, bar string }

var looks = [ledger.NumResults]look{
	ledger.ResultLoaded:    {"C6EFCE", "00521B", "2E8B57"},
	ledger.ResultUpdated:   {"CDEAF0", "0B4A57", "1F9AB0"},
	ledger.ResultAlready:   {"E2F0D9", "2F5018", "8CBF87"},
	ledger.ResultDuplicate: {"DDEBF7", "1B456E", "4A86C5"},
	ledger.ResultPending:   {"FFF2CC", "6B5200", "F0B429"},
	ledger.ResultRejected:  {"FFC7CE", "8A0006", "C0392B"},
	ledger.ResultInvalid:   {"FBE0CF", "7A3508", "E67E22"},
	ledger.ResultInDoubt:   {"E4DFEC", "403151", "7D5BA6"},
	ledger.ResultNotSent:   {"EDEDED", "404040", "7F7F7F"},
	ledger.ResultSkipped:   {"F2F2F2", "505050", "BFBFBF"},
	ledger.ResultRepeated:  {"FFE9A8", "6B4A00", "A8842C"},
	ledger.ResultChanged:   {"FFD9A0", "6B3F00", "D98E04"},
	ledger.ResultConflict:  {"F8CBAD", "6E2600", "C55A11"},
	ledger.ResultWouldSend: {"DDEBF7", "1B456E", "4A86C5"},

	ledger.ResultWouldUpdate: {"CDEAF0", "0B4A57", "1F9AB0"},
}

// shownOrder is every result in the order in which people read about them.
var shownOrder = []ledger.Result{
	ledger.ResultWouldSend, ledger.ResultWouldUpdate,
	ledger.ResultLoaded, ledger.ResultUpdated, ledger.ResultAlready, ledger.ResultDuplicate, ledger.ResultPending,
	ledger.ResultRejected, ledger.ResultInvalid, ledger.ResultChanged, ledger.ResultConflict, ledger.ResultInDoubt, ledger.ResultRepeated,
	ledger.ResultNotSent, ledger.ResultSkipped,
}

// maxFormats bounds the number formats taken over from an input; Excel itself
// allows some two hundred.
const maxFormats = 150

// defaultDateFormat shows a date whose own format cannot be taken over.
const defaultDateFormat = "yyyy-mm-dd hh:mm:ss"

// asText is Excel's number format "Text".
const asText = 49

// font is the workbook's one typeface in a colour. Without a family some
// programs take a serif.
func font(colour string, bold bool) *excelize.Font {
	return &excelize.Font{Family: "Calibri", Size: 11, Color: colour, Bold: bold}
}

// styles are the workbook's cell styles by what they serve.
type styles struct {
	f       *excelize.File
	err     error
	text    int // stays text when somebody edits it
	wrapped int // text on several lines
	number  int // whole
	plain   int // a number as it is
	fault   int // text that is at fault
	header  int // of the result columns
	own     int // header of the input's own columns
	results [ledger.NumResults]int
	dates   map[string]int // by number format
	fills   map[int]int    // a style, filled as at fault
}

// newStyles makes the styles of the sheets with rows. All cells with text have
// the format "Text": what is typed over 00123 or 2/3 there stays as typed, so
// that a corrected sheet loads as it reads.
func newStyles(f *excelize.File) (*styles, error) {
	s := &styles{f: f, dates: map[string]int{}, fills: map[int]int{}}
	s.text = s.add(&excelize.Style{NumFmt: asText, Alignment: &excelize.Alignment{Vertical: "top"}})
	s.wrapped = s.add(&excelize.Style{NumFmt: asText, Alignment: &excelize.Alignment{Vertical: "top", WrapText: true}})
	s.number = s.add(&excelize.Style{NumFmt: 1, Alignment: &excelize.Alignment{Vertical: "top", Horizontal: "left"}})
	s.plain = s.add(&excelize.Style{Alignment: &excelize.Alignment{Vertical: "top", Horizontal: "left"}})
	s.fault = s.add(&excelize.Style{NumFmt: asText, Fill: solid(faultGround), Border: faultBorder, Alignment: &excelize.Alignment{Vertical: "top"}})
	s.header = s.add(headerStyle("1F3864", "FFFFFF"))
	s.own = s.add(headerStyle("D6DCE5", "1F3864"))
	for _, r := range shownOrder {
		l := looks[r]
		s.results[r] = s.add(&excelize.Style{
			NumFmt: asText, Fill: solid(l.ground), Font: font(l.ink, r.NeedsPerson()),
			Alignment: &excelize.Alignment{Vertical: "top"},
		})
	}
	return s, s.err
}

func headerStyle(ground, ink string) *excelize.Style {
	return &excelize.Style{
		NumFmt: asText, Fill: solid(ground), Font: font(ink, true),
		Alignment: &excelize.Alignment{Vertical: "center", WrapText: true},
		Border:    []excelize.Border{{Type: "bottom", Color: "1F3864", Style: 1}},
	}
}

// faultGround and faultBorder mark the cell that is at fault. The border shows
// it where colours are not printed.
const faultGround = "FFD966"

var faultBorder = []excelize.Border{{Type: "left", Color: "C00000", Style: 1}, {Type: "right", Color: "C00000", Style: 1},
	{Type: "top", Color: "C00000", Style: 1}, {Type: "bottom", Color: "C00000", Style: 1}}

// filled is a style marked as at fault.
func (s *styles) filled(id int) int {
	if marked, ok := s.fills[id]; ok {
		return marked
	}
	marked := s.fault
	if st, err := s.f.GetStyle(id); err == nil {
		st.Fill, st.Border = solid(faultGround), faultBorder
		marked = s.add(st)
	}
	s.fills[id] = marked
	return marked
}

func solid(colour string) excelize.Fill {
	return excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{colour}}
}

// add registers a style; the first error is kept.
func (s *styles) add(st *excelize.Style) int {
	id, err := s.f.NewStyle(st)
	if err != nil && s.err == nil {
		s.err = err
	}
	return id
}

// date is the style of a date with the input's own number format.
func (s *styles) date(format string) int {
	if id, ok := s.dates[format]; ok {
		return id
	}
	use := format
	if use == "" || len(s.dates) >= maxFormats {
		use = defaultDateFormat
	}
	id, err := s.f.NewStyle(&excelize.Style{CustomNumFmt: &use, Alignment: &excelize.Alignment{Vertical: "top", Horizontal: "left"}})
	if err != nil {
		id = s.plain
	}
	if len(s.dates) < 4*maxFormats { // a file with endless formats shall not grow the table
		s.dates[format] = id
	}
	return id
}
