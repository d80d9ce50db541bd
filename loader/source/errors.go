package source

import (
	"errors"

	"leadload/internal/fault"
)

// Error is a fault of an input file with its place. Its code is one of Codes.
type Error = fault.Fault

// The codes of faults that end the reading of a file.
const (
	codeMissing     = "file.missing"       // there is no such file
	codeUnreadable  = "file.unreadable"    // the system does not let us read it
	codeFolder      = "file.folder"        // a folder stands where a file is meant
	codeEmpty       = "file.empty"         // no byte, or no row with any text
	codeDamaged     = "file.damaged"       // the archive or its XML is broken
	codeEncrypted   = "file.encrypted"     // a workbook behind a password
	codeXLS         = "file.xls"           // Excel 97–2003
	codeXLSB        = "file.xlsb"          // Excel's binary workbook
	codeODS         = "file.ods"           // OpenDocument
	codeHTML        = "file.html"          // a web page or XML named like a table
	codePDF         = "file.pdf"           // a PDF
	codeNotWorkbook = "file.not-workbook"  // a zip archive that is no workbook
	codeBinary      = "file.binary"        // neither text nor a workbook
	codeCompressed  = "file.compressed"    // an archive of another kind
	codeTooLarge    = "file.too-large"     // more than Options.MaxBytes when unpacked
	codeBomb        = "file.bomb"          // unpacks to absurdly more than it holds
	codeUnsupported = "file.unsupported"   // a valid file that uses something we do not read
	codeEncoding    = "encoding.unknown"   // Options.Encoding names no encoding
	codeHeaderBytes = "encoding.header"    // the header is not valid in the file's encoding
	codeDelimiter   = "delimiter.unknown"  // Options.Delimiter is none of those we read
	codeSheet       = "sheet.unknown"      // there is no such sheet
	codeSheetEmpty  = "sheet.empty"        // the sheet has no row with any text
	codeSheetKind   = "sheet.no-table"     // the sheet is a chart or a macro sheet
	codeHeaderRow   = "header.row"         // there is no such row, or it has no text
	codeHeaderQuote = "header.unreadable"  // the header row itself has a fault
	codeQuote       = "quote.unclosed"     // a quoted cell never ends
	codeRowSize     = "row.too-large"      // one row is larger than any row can be
	codeRowOrder    = "row.order"          // XLSX: rows out of order, or twice
	codeCellOrder   = "cell.order"         // XLSX: cells out of order, or twice
	codeSharedText  = "cell.shared-string" // XLSX: a cell names a text that is not there
	codeMergedSheet = "sheet.merged"       // XLSX: merged cells in a sheet that is too large to fill them in
	codeFileRead    = "file.read"          // the system stopped reading midway
	codeTemp        = "file.temp"          // standard input could not be kept
)

// The codes of faults that make one row unusable.
const (
	codeTooShort   = "row.too-short"    // fewer cells than the header
	codeTooLong    = "row.too-long"     // more cells than the header
	codeAfterQuote = "cell.after-quote" // text between a closing quote and the next delimiter
	codeBytes      = "cell.encoding"    // bytes that are not valid in the file's encoding
	codeNUL        = "cell.nul"         // a NUL byte
	codeCellValue  = "cell.unreadable"  // XLSX: the stored value does not fit the cell's type
	codeOrigin     = "row.origin"       // results file: the "Row" column holds no row number
	codeMerged     = "cell.merged"      // XLSX: merged with a cell at its left
	codeCut        = "cell.cut"         // results file: the end of a text is missing
	codeUnreadRow  = "row.unreadable"   // results file: the row of the first file could not be read
)

// Codes are all codes that an Error may carry, each once.
var Codes = []fault.Code{
	codeMissing, codeUnreadable, codeFolder, codeEmpty, codeDamaged, codeEncrypted, codeXLS, codeXLSB, codeODS,
	codeHTML, codePDF, codeNotWorkbook, codeBinary, codeCompressed, codeTooLarge, codeBomb, codeUnsupported,
	codeEncoding, codeHeaderBytes, codeDelimiter, codeSheet, codeSheetEmpty, codeSheetKind, codeHeaderRow,
	codeHeaderQuote, codeQuote, codeRowSize, codeRowOrder, codeCellOrder, codeSharedText, codeFileRead, codeTemp,
	codeTooShort, codeTooLong, codeAfterQuote, codeBytes, codeNUL, codeCellValue, codeOrigin,
	codeMerged, codeMergedSheet, codeCut, codeUnreadRow,
}

// place fills in what only the file knows.
func (f *File) place(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Code: codeFileRead, Msg: "the file cannot be read", Err: err,
			Hint: "check the disk or the network share that the file is on, or copy the file and try again"}
	}
	if e.File == "" {
		e.File = f.name
	}
	if e.Sheet == "" {
		e.Sheet = f.info.Sheet
	}
	return e
}
