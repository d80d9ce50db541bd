package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// mappingText uses what real mappings use: a key, e-mail, phone, joined
// columns, listed values, a number and a timestamp.
const mappingText = `version: 1
target: opportunity
timezone: Asia/Kolkata
key: Deal ID
search_by: EmailAddress
LeadDetails:
  EmailAddress: {column: Email, type: email, required: true}
  Phone: {column: Mobile, type: phone, region: IN}
  FirstName: Contact
  mx_City: City
Opportunity:
  OpportunityEventCode: 12000
  OpportunityNote: Remarks
  OpportunityDateTime: {column: Created at, type: datetime, format: dd/MM/yyyy HH:mm}
  Fields:
    mx_Custom_1: {join: [Contact, Product], separator: " - "}
    mx_Custom_2: Deal ID
    Status: {column: Stage, values: {New: Open, Won: Won, Lost: Lost}}
    mx_Custom_6: {column: Amount, type: number}
    mx_Custom_9: {value: migrated}
    mx_Custom_3: Source
    mx_Custom_4: Branch
ignore: [Extra 1, Extra 2, Extra 3]
`

const columns = 15

// writeCSV writes n rows of 15 columns. Leads come again after 300,000 rows.
func writeCSV(path string, n int) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	fmt.Fprintln(w, "Deal ID,Email,Mobile,Contact,City,Product,Stage,Amount,Created at,Remarks,Source,Branch,Extra 1,Extra 2,Extra 3")
	stages := [...]string{"New", "Won", "Lost"}
	for i := range n {
		fmt.Fprintf(w, "D-%07d,person%d@example.com,98%08d,Asha Rao,Bengaluru,Home Loan,%s,%d.50,%02d/%02d/2025 %02d:%02d,\"spoke, will call\",Website,Jayanagar,a,b,%d\n",
			i, i%300_000, i%100_000_000, stages[i%3], 1000+i%90_000, 1+i%28, 1+i%12, i%24, i%60, i)
	}
	return errors.Join(w.Flush(), f.Close())
}

// writeOtherCSV copies a file of writeCSV with other keys.
func writeOtherCSV(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, bytes.ReplaceAll(text, []byte("\nD-"), []byte("\nE-")), 0o600)
}

const (
	spreadsheetML = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	relationships = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	packageML     = "http://schemas.openxmlformats.org/package/2006/"
	contentPrefix = "application/vnd.openxmlformats-officedocument.spreadsheetml."
)

// bookParts are the parts of a workbook beside its sheet and its texts.
var bookParts = [][2]string{
	{"[Content_Types].xml", `<Types xmlns="` + packageML + `content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>` +
		`<Override PartName="/xl/workbook.xml" ContentType="` + contentPrefix + `sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="` + contentPrefix + `worksheet+xml"/>` +
		`<Override PartName="/xl/sharedStrings.xml" ContentType="` + contentPrefix + `sharedStrings+xml"/><Override PartName="/xl/styles.xml" ContentType="` + contentPrefix + `styles+xml"/></Types>`},
	{"_rels/.rels", `<Relationships xmlns="` + packageML + `relationships"><Relationship Id="rId1" Type="` + relationships + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
	{"xl/workbook.xml", `<workbook xmlns="` + spreadsheetML + `" xmlns:r="` + relationships + `"><sheets><sheet name="Deals" sheetId="1" r:id="rId1"/></sheets></workbook>`},
	{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="` + packageML + `relationships"><Relationship Id="rId1" Type="` + relationships + `/worksheet" Target="worksheets/sheet1.xml"/>` +
		`<Relationship Id="rId2" Type="` + relationships + `/styles" Target="styles.xml"/><Relationship Id="rId3" Type="` + relationships + `/sharedStrings" Target="sharedStrings.xml"/></Relationships>`},
	{"xl/styles.xml", `<styleSheet xmlns="` + spreadsheetML + `"><numFmts count="1"><numFmt numFmtId="164" formatCode="dd/mm/yyyy\ hh:mm"/></numFmts><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="164" applyNumberFormat="1"/></cellXfs></styleSheet>`},
}

// writeTexts writes n rows of 15 texts, every other one of its own, either as
// shared strings or in their cells.
func writeTexts(path string, n int, shared bool) error {
	// The first texts are the header's, which other cells repeat.
	text := func(i int) string {
		if i < columns {
			return fmt.Sprintf("Column %d", i)
		}
		return fmt.Sprintf("text %d of the table", i)
	}
	next := columns
	sheet := func(w *bufio.Writer) {
		io.WriteString(w, `<worksheet xmlns="`+spreadsheetML+`"><sheetData>`)
		for i := range n + 1 {
			fmt.Fprintf(w, `<row r="%d" spans="1:%d">`, i+1, columns)
			for c := range columns {
				which := c
				if i > 0 && (i+c)%2 == 0 {
					which = next
					next++
				}
				if shared {
					fmt.Fprintf(w, `<c r="%c%d" t="s"><v>%d</v></c>`, 'A'+c, i+1, which)
				} else {
					fmt.Fprintf(w, `<c r="%c%d" t="inlineStr"><is><t>%s</t></is></c>`, 'A'+c, i+1, text(which))
				}
			}
			io.WriteString(w, "</row>")
		}
		io.WriteString(w, "</sheetData></worksheet>")
	}
	strings := func(w *bufio.Writer) {
		io.WriteString(w, `<sst xmlns="`+spreadsheetML+`">`)
		for i := 0; shared && i < next; i++ {
			fmt.Fprintf(w, "<si><t>%s</t></si>", text(i))
		}
		io.WriteString(w, "</sst>")
	}
	return writeTable(path, sheet, strings)
}

// writeXLSX writes n rows of 15 columns as Excel does: texts shared (seven
// columns with a text of their own in every row, five with a few), a long number,
// an amount and a date.
func writeXLSX(path string, n int) error {
	sheet := func(w *bufio.Writer) {
		io.WriteString(w, `<worksheet xmlns="`+spreadsheetML+`"><sheetData>`)
		next := columns
		for i := range n + 1 {
			fmt.Fprintf(w, `<row r="%d" spans="1:%d">`, i+1, columns)
			for c := range columns {
				ref := fmt.Sprintf("%c%d", 'A'+c, i+1)
				switch {
				case i == 0:
					fmt.Fprintf(w, `<c r="%s" t="s"><v>%d</v></c>`, ref, c)
				case c == 3:
					fmt.Fprintf(w, `<c r="%s"><v>%d</v></c>`, ref, 919800000000+i)
				case c == 5:
					fmt.Fprintf(w, `<c r="%s" s="1"><v>%v</v></c>`, ref, 46000+float64(i%1440)/1440)
				case c == 6:
					fmt.Fprintf(w, `<c r="%s"><v>%d.5</v></c>`, ref, i)
				case c == 7 || c > 10:
					fmt.Fprintf(w, `<c r="%s" t="s"><v>%d</v></c>`, ref, c)
				default:
					fmt.Fprintf(w, `<c r="%s" t="s"><v>%d</v></c>`, ref, next)
					next++
				}
			}
			io.WriteString(w, "</row>")
		}
		io.WriteString(w, "</sheetData></worksheet>")
	}
	strings := func(w *bufio.Writer) {
		io.WriteString(w, `<sst xmlns="`+spreadsheetML+`">`)
		for c := range columns {
			fmt.Fprintf(w, "<si><t>Column %d</t></si>", c)
		}
		for i := range n {
			for c := range columns {
				if c != 3 && c != 5 && c != 6 && c != 7 && c <= 10 {
					fmt.Fprintf(w, "<si><t>text %d of column %d</t></si>", i+1, c)
				}
			}
		}
		io.WriteString(w, "</sst>")
	}
	return writeTable(path, sheet, strings)
}

// writeTable writes a workbook of one sheet, and then its shared strings.
func writeTable(path string, sheet, strings func(*bufio.Writer)) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	z := zip.NewWriter(f)
	var faults []error
	part := func(name string, write func(*bufio.Writer)) {
		w, err := z.Create(name)
		if err != nil {
			faults = append(faults, err)
			return
		}
		buf := bufio.NewWriterSize(w, 1<<20)
		write(buf)
		faults = append(faults, buf.Flush())
	}
	for _, p := range bookParts {
		part(p[0], func(w *bufio.Writer) { io.WriteString(w, p[1]) })
	}
	part("xl/worksheets/sheet1.xml", sheet)
	part("xl/sharedStrings.xml", strings)
	faults = append(faults, z.Close(), f.Close())
	return errors.Join(faults...)
}
