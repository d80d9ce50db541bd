package cli

import (
	"slices"
	"strings"

	"leadload/mapping"
)

// entry is an error that leadload can report: a stable code, one sentence,
// and what to do.
type entry struct{ Code, What, Do string }

// catalogue lists every code, in the order of a load: the command, its files,
// its rows, the account, the ledger, the results. Mapping faults are listed
// by package mapping, which has their sentences.
var catalogue = sortEntries(append(mappingEntries(), []entry{
	{"usage", "the command was typed in a way that leadload does not know", "type leadload COMMAND --help; nothing was sent"},
	{"interrupted", "Ctrl-C or a signal ended the run; calls in flight were finished and written down", "run the same command again: rows already loaded are not sent twice"},
	{"program", "an error inside leadload", "report it with the command that you typed; the ledger knows what was sent"},

	{"file.missing", "the file is not there", "check the spelling and the folder; names with blanks need quotes"},
	{"file.unreadable", "the system does not let leadload read the file", "check your rights to the file, and close it where it is open"},
	{"file.folder", "a folder stands where a file is meant", "name the file inside it"},
	{"file.empty", "the file is empty", "export it again"},
	{"file.no-rows", "the file has a header and no rows", "check that it is the right file and sheet, and header_row in the mapping"},
	{"file.damaged", "the archive or its XML is broken", "open it in Excel or LibreOffice and save it anew, or export it again"},
	{"file.encrypted", "the workbook is protected by a password", "save it without a password"},
	{"file.xls", "the file is an Excel 97-2003 workbook", "save it as .xlsx"},
	{"file.xlsb", "the file is a binary Excel workbook", "save it as .xlsx"},
	{"file.ods", "the file is an OpenDocument spreadsheet", "save it as .xlsx"},
	{"file.html", "the file is a web page or XML that is named like a table", "open it in a spreadsheet and save it as .xlsx"},
	{"file.pdf", "the file is a PDF", "ask for the table itself, as .xlsx or .csv"},
	{"file.not-workbook", "the file is a zip archive and no workbook", "unpack it and load the file inside"},
	{"file.binary", "the file is neither text nor a workbook", "check that it is the right file"},
	{"file.compressed", "the file is an archive of a kind that is not read", "unpack it, or pack it with gzip"},
	{"file.too-large", "the file unpacks to more than is allowed", "split it"},
	{"file.bomb", "the file unpacks to absurdly more than it holds", "save it anew from a spreadsheet; do not trust its sender"},
	{"file.unsupported", "the file uses something that is not read", "open it in a spreadsheet and save it as .xlsx"},
	{"file.read", "the system stopped reading midway", "check the disk or network share, and run the same command again"},
	{"file.temp", "standard input could not be kept for the second pass", "free some space in the folder for temporary files"},
	{"file.changed", "the file changed while it was being loaded", "run the same command again: rows already loaded are not sent twice"},
	{"encoding.unknown", "input.encoding names no encoding", "use a name such as utf-8, utf-16le or windows-1252"},
	{"encoding.header", "the header is not valid in the file's encoding", "set input.encoding in the mapping, often to windows-1252, or save the file as UTF-8"},
	{"file.columns", "the sheet or row that is read has few of the columns that the mapping names", "name the sheet with --sheet, or the row with input.header_row, as the message says"},
	{"delimiter.unknown", "input.delimiter is none of those that are read", "use a comma, a semicolon, a tab or a pipe"},
	{"sheet.unknown", "the workbook has no such sheet", "use one of the names listed, letter by letter"},
	{"sheet.empty", "the sheet has no row with any text", "name the right sheet with --sheet or input.sheet"},
	{"sheet.merged", "a large sheet has merged cells below its header, which are not filled in", "unmerge them and fill in each cell"},
	{"sheet.no-table", "the sheet is a chart or a macro sheet", "name the right sheet with --sheet or input.sheet"},
	{"header.row", "there is no such header row, or it is empty", "correct input.header_row in the mapping"},
	{"header.unreadable", "the header row has a fault", "look at the place shown"},
	{"quote.unclosed", "a quoted cell never ends, so the rest of the file cannot be told apart", "close the quote at the line shown"},

	{"row.too-large", "a row is larger than any row can be", "look for a missing quote at the place shown"},
	{"row.order", "rows of a workbook are out of order or there twice", "open it in a spreadsheet and save it anew"},
	{"cell.order", "cells of a workbook are out of order or there twice", "open it in a spreadsheet and save it anew"},
	{"cell.shared-string", "a cell names a text that the workbook does not hold", "open it in a spreadsheet and save it anew"},
	{"row.too-short", "a row has fewer cells than the header", "look for a missing delimiter in the row"},
	{"row.too-long", "a row has more cells than the header", "put a cell that holds the delimiter into quotes"},
	{"cell.after-quote", "there is text between a closing quote and the next delimiter", "double the quotes inside a quoted cell"},
	{"cell.encoding", "a cell has bytes that are not valid in the file's encoding", "set input.encoding in the mapping, often to windows-1252, or save the file as UTF-8"},
	{"cell.nul", "a cell holds a NUL byte", "export the file again"},
	{"cell.unreadable", "a cell's stored value does not fit its type", "type the value anew in the spreadsheet"},
	{"row.origin", "the Row column of a results file holds no row number", "put back the number of the row in the first file, or empty the cell"},
	{"cell.merged", "a cell is merged with one at its left, so that it has no value of its own", "unmerge the cells and fill in each one"},
	{"cell.cut", "a cell of a results workbook lacks the end of its text, which was too long for it", "put the whole text back from the first file, or shorten it"},
	{"row.unreadable", "a row of a results file keeps the mark of a fault of the first file", "check its cells against the first file, and take the mark away"},
	{"row.skipped", "skip_when of the mapping holds for the row", "nothing, if that is what was meant"},
	{"row.not-chosen", "the row is not among those named by --rows", "leave --rows out to load it"},
	{"row.repeated", "a second line has the key of an earlier one", "give the row a key of its own, or delete it if it says the same thing twice"},
	{"row.changed", "the row was loaded before with other values", "change the record in the account, or give the row a new key if it is a new record"},

	{"cell.empty", "a cell that needs a value is empty", "fill it in"},
	{"cell.fault", "a cell holds an error such as #N/A, or a formula that was never calculated", "mend the formula in the spreadsheet and save it anew"},
	{"cell.kind", "a cell is of a kind that the field cannot take", "format the cell as the message says"},
	{"text.control", "a text holds control characters", "type the text anew"},
	{"text.lost", "a text holds characters that were lost when the file was saved", "export the file again, as UTF-8"},
	{"text.scientific", "a spreadsheet has turned a long number into scientific notation", "format the column as text or as a number without decimals, and save the file anew from its source"},
	{"text.float", "a whole number is written as a program's float, such as 560001.0", "write it without .0 in the program that makes the file"},
	{"text.null", "the key holds a word that programs write for an empty cell, such as NULL", "fill the cell in"},
	{"text.long", "a text is longer than max_length", "shorten it, or set truncate: true in the mapping"},
	{"value.unknown", "a value is not among those listed for the field", "add it to values in the mapping, or give the field a default"},
	{"number.format", "a text is no number", "write digits, with a point before the decimals"},
	{"number.scientific", "a number is in scientific notation, so that digits may be lost", "format the column as a number in the spreadsheet and save it anew"},
	{"number.grouping", "the separators of a number do not group its digits", "check which of comma and point stands before the decimals, and set decimal in the mapping"},
	{"number.percent", "a number has a percent sign, and the mapping does not say what it means", "set percent: fraction (12% is sent as 0.12) or percent: points (12) in the mapping"},
	{"number.long", "a number has more digits than the account can keep", "check the cell; ids are texts, not numbers"},
	{"number.precision", "a spreadsheet can keep 15 digits, and this number has more", "format the column as text and take the value from its source"},
	{"integer.fraction", "a whole number is asked for and the cell has a fraction", "correct the cell, or set type: number"},
	{"datetime.format", "a text does not fit the field's patterns", "correct the cell, or add its pattern to format in the mapping"},
	{"datetime.calendar", "the calendar has no such day or time", "correct the day, or the format if day and month are the other way round"},
	{"datetime.weekday", "the weekday is not that of the date", "correct one of the two"},
	{"datetime.year", "the year cannot be meant", "write it with four digits"},
	{"datetime.gap", "the clocks skip this local time", "correct the time, or the time zone in the mapping"},
	{"datetime.overlap", "the clocks show this local time twice", "set dst: earlier or dst: later in the mapping"},
	{"datetime.serial", "a spreadsheet's date number lies outside the calendar", "correct the cell in the spreadsheet"},
	{"datetime.time_only", "the cell holds a time without a date", "write the date too"},
	{"datetime.number", "the cell holds a number and no date", "format the cell as a date in the spreadsheet, or set format: excel"},
	{"datetime.epoch", "the cell holds no number of seconds since 1970", "correct the cell, or the format in the mapping"},
	{"date.time", "a date is asked for and the cell has a time of day", "set type: datetime, or name the time in format"},
	{"date.offset", "a date is asked for and the cell has an offset from UTC", "set type: datetime"},
	{"email.syntax", "a text is no e-mail address", "write one address of the form name@example.com"},
	{"email.several", "a cell holds several e-mail addresses", "keep one"},
	{"phone.invalid", "no such phone number can exist in its country", "correct the number, or region in the mapping"},
	{"phone.format", "a text is no phone number", "write the digits, with + and the country code where it is another country"},
	{"phone.scientific", "a spreadsheet has turned a phone number into scientific notation", "format the column as a number without decimals or as text, and save the file anew from its source"},
	{"phone.several", "a cell holds several phone numbers", "keep one"},
	{"phone.extension", "a phone number has an extension, which the account cannot keep", "take the extension out"},
	{"phone.region", "a phone number has no country code and the mapping no region", "set region in the mapping, such as IN"},
	{"boolean.format", "a text is neither yes nor no", "write true or false"},

	{"account.missing", "the account file is not there", "check the path given with --account"},
	{"account.unreadable", "the account file cannot be read", "check your rights to the file"},
	{"account.readable", "the account file holds a key and can be read by others", "type chmod 600 FILE, or keep the keys in the environment"},
	{"account.setting", "a setting of the account is missing or wrong", "see the sample account file for the form"},
	{"account.async", "the async API needs its own host and key", "set async_host and async_key in the account file"},
	{"account.keys", "the account refused the keys (401)", "check both keys, that their user is active, and that the host is the one of the account's region"},
	{"account.host", "the account lives on another host, which it named", "write that host into the account file"},
	{"account.forbidden", "the account refused access (403)", "ask the account's administrator for the rights to the API, or for this machine's address to be allowed"},
	{"account.path", "the API was not found on this host (404)", "check host and async_host in the account file"},
	{"account.request", "the account did not take the request as it is formed", "report it: this is an error in leadload"},
	{"account.rejected", "the account refused the row", "read the account's own words beside the code, correct the row and load it again"},
	{"account.bad-request", "the account could not read the request (400)", "check names and values of the fields in the mapping"},
	{"account.too-large", "the row is larger than the account takes", "shorten its longest text"},
	{"account.limit", "the account's rate limit was exceeded; such a call is certainly not applied", "nothing: leadload slows down and sends the row again"},
	{"account.daily-limit", "the calls of the day are used up", "run the same command again tomorrow: rows already loaded are not sent twice"},
	{"account.partial", "the record was made, but the account left something out", "look at the record in the account"},
	{"account.duplicate", "the account's duplicate rule matched a record that was there", "nothing, when the two are the same"},
	{"account.pending", "the account has queued the row", "run leadload settle later to learn its id"},
	{"account.pages", "the account's records moved while they were read page by page", "run the same command again when fewer people work in the account"},
	{"account.busy", "another run holds the account", "wait for it to end, or add --wait-lock 30m"},
	{"account.unreachable", "the account did not answer for too long", "run the same command again later; --outage-limit says how long to wait"},
	{"account.MXMandatoryAttributeMissingException", "an attribute that the account demands is missing", "map the attribute that the message names, or fill it in"},
	{"account.MXInvalidInputException", "a value or a combination of values is not allowed", "read the message: it names the value"},
	{"account.MXInvalidActivityFieldsException", "a field of the opportunity is missing or wrong", "fill in or correct the field that the message names; leadload check --online shows all such fields before anything is sent"},
	{"account.MXDuplicateEntryException", "the account has an entry with this unique value", "correct the value, or change that entry in the account"},
	{"account.MXInvalidDataTypeException", "a value does not fit the data type of its field", "correct the value, or its type in the mapping"},
	{"account.MXInvalidEmailException", "the account does not take this e-mail address", "correct the address"},

	{"answer.server-error", "the account answered with an error that says nothing about the row", "run leadload settle: it looks before anything is sent again"},
	{"answer.gateway", "a gateway answered in the account's place (502, 503, 504)", "run leadload settle: it looks before anything is sent again"},
	{"answer.redirect", "the host answered with a redirect, which is not followed", "check host in the account file, and proxies on the way"},
	{"answer.html", "a web page came in the place of an answer", "run leadload settle: it looks before anything is sent again"},
	{"answer.empty", "the answer was empty", "run leadload settle: it looks before anything is sent again"},
	{"answer.cut", "the answer was cut off", "run leadload settle: it looks before anything is sent again"},
	{"answer.unreadable", "the answer could not be read", "run leadload settle: it looks before anything is sent again"},
	{"answer.unexpected", "the answer is not one that this call gives", "run leadload settle: it looks before anything is sent again"},
	{"answer.contradiction", "the answer says two things at once", "run leadload settle: it looks before anything is sent again"},
	{"answer.no-id", "the answer claims success and names no record", "run leadload settle: it looks before anything is sent again"},
	{"answer.incomplete", "a list of the account could not be read whole", "run leadload settle later"},
	{"answer.limit", "the answer speaks of a limit, but not in the account's own words", "nothing: calls are made more slowly, and the row is looked up before it is sent again"},
	{"network.refused", "nothing listens at the account's address", "check host in the account file and the network; nothing was sent"},
	{"network.dns", "the account's host name is not known", "check host in the account file and the network; nothing was sent"},
	{"network.timeout", "the account did not answer in time", "run leadload settle: it looks before anything is sent again"},
	{"network.tls", "no secure connection could be made", "check the clock of this machine and the proxy on the way; nothing was sent"},
	{"network.certificate", "the host's certificate is not that of the account", "check host in the account file, and the certificates of this machine"},
	{"network.unreachable", "the account's network cannot be reached", "check the network; nothing was sent"},
	{"network.cut", "the connection was cut after the request had begun to leave", "run leadload settle: it looks before anything is sent again"},
	{"network.stale", "a kept connection was closed before anything was sent", "nothing: the row is sent again"},
	{"network.cancelled", "the call was ended before it began", "run the same command again"},
	{"network.failed", "the network failed", "check the network and run the same command again"},
	{"call.setup", "a call could not be formed", "report it: this is an error in leadload"},
	{"call.invalid", "a call was not made, because the account would refuse it", "correct the value that the message names"},

	{"lead.missing", "no lead has the value by which it is to be found", "correct the value, or make the lead in the account first"},
	{"lead.many", "several leads have the value by which one is to be found", "merge them in the account, or write if_many: newest under lead: in the mapping"},
	{"lead.refused", "the account refused the look-up of the lead", "correct the value, or find the lead by another field"},
	{"lead.unread", "the look-up of the lead gave no answer", "run the same command again"},
	{"lead.uncreatable", "if_missing: create is set, but the account makes leads by e-mail or phone only", "make the lead in the account first, or find it by EmailAddress or Phone"},
	{"online.field", "the mapping names a field that the account does not have", "correct the schema name; the nearest one is shown"},
	{"online.read-only", "the mapping writes a field that the account lets nobody write", "take the field out of the mapping"},
	{"online.mandatory", "a field that the account asks for is not mapped, or empty in a row", "map it, fill it in, or give it a default in the mapping"},
	{"online.option", "a value is not among the options of the account's field", "correct the cell, or translate it with values in the mapping"},
	{"online.type", "a value does not fit the data type of the account's field", "set the type in the mapping, or correct the cell"},
	{"online.length", "a text is longer than the account's field takes", "shorten it, or set max_length and truncate in the mapping"},
	{"online.owner", "a value names no user, neither by e-mail address nor by id", "write the e-mail address of a user of the account"},
	{"online.sku", "the account has no product with the SKU", "correct the SKU, or make the product in the account first"},
	{"online.refused", "the account does not let its field list be read", "ask the account's administrator for the right to read it, or check without --online"},
	{"online.unread", "the account's field list could not be read", "run the same command again later, or check without --online"},

	{"doubt.cut-off", "the run was cut off while the row was being sent", "run the same command again, or leadload settle: the account is asked first"},
	{"doubt.several", "the account has several records that may be the row", "keep one of the candidates, and run leadload settle"},
	{"doubt.early", "the account has a record like the row, which seems older than its call", "look at the candidate: if it is this row, nothing is to be done"},
	{"doubt.similar", "the account has a record like the row that differs in some field", "look at the candidate: it may be this row, changed by an automation"},
	{"doubt.unread", "what the account has could not be read yet", "run leadload settle later"},
	{"doubt.not-there", "the account does not have the row", "nothing: it is sent again"},
	{"doubt.never-arrives", "the row was sent several times and never arrived", "check the connection and run the same command again"},

	{"run.strict", "a row is invalid and --strict is on; nothing was sent", "correct the rows of the sheet Failed, or leave --strict out"},
	{"run.declined", "the question before sending was not answered with y", "answer y, or add --yes"},
	{"run.max-errors", "as many rows were rejected as --max-errors allows", "when the mapping is wrong, correct it and run the same command again"},
	{"run.until", "the time given with --until has come", "run the same command again later"},
	{"run.waiting", "rows that wait for an earlier row of their lead could not be kept", "free some space in the folder for temporary files"},
	{"run.conservation", "rows and results do not add up: an error in leadload", "keep ledger and file, report it, and load nothing again before it is understood"},
	{"run.unsteady", "a row was mapped in two ways: an error in leadload", "report it with the mapping"},
	{"presence", "a check-in or check-out is not possible as asked", "type leadload check-in --help"},

	{"ledger.missing", "the ledger is not there", "name the right one with --ledger"},
	{"ledger.unreadable", "the ledger cannot be read or made", "check the path and your rights to it"},
	{"ledger.folder", "there is no folder for the ledger", "set HOME, or name a ledger with --ledger"},
	{"ledger.corrupt", "the ledger is damaged", "restore it from a backup, or rebuild it with leadload ledger import RESULTS.xlsx"},
	{"ledger.empty", "the ledger file is empty, so what it knew is lost", "restore it from a backup, or rebuild it with leadload ledger import RESULTS.xlsx"},
	{"ledger.newer", "the ledger was written by a newer leadload", "use the newer leadload"},
	{"ledger.foreign", "the file is a database of another program", "name leadload's own ledger with --ledger"},
	{"ledger.copy", "the ledger is a copy of one that is still there", "use the first one: two ledgers would not know of each other's rows"},
	{"ledger.readonly", "the ledger cannot be written, so no row can be sent safely", "give yourself write access, or name another with --ledger"},
	{"ledger.full", "the disk is full", "free some space and run the same command again; nothing was lost"},
	{"ledger.busy", "another process keeps the ledger locked", "wait for it to end and run the same command again"},
	{"ledger.fenced", "another run has taken over the account, so this one sends nothing more", "wait for the other run to end and run the same command again"},
	{"ledger.pruned", "the rows of the run were dropped by leadload ledger prune", "look into the run's results file; leadload runs shows its totals"},
	{"ledger.write", "the ledger could not be written", "mend the cause and run the same command again; nothing was lost"},
	{"log.failed", "the API log can no longer be written, so no further call is made", "free some space or name another file with --api-log, and run the same command again"},
	{"lock.folder", "the folder for locks cannot be used", "set XDG_STATE_HOME to a folder that you may write"},

	{"results.ending", "a results file is .xlsx or .csv", "give the file one of these endings"},
	{"results.folder", "the folder for the results file is missing or cannot be written", "make the folder, or name another with -o"},
	{"results.full", "there is no space for the results file", "free some space and type leadload report RUN; nothing was lost"},
	{"results.write", "the results file could not be written", "mend the cause and type leadload report RUN; nothing was lost"},
	{"results.rows", "the lines of a results file are not the rows of the run: an error in leadload", "keep ledger and file, and report it"},
	{"results.metrics", "the metrics file could not be written", "check its folder"},
}...))

func mappingEntries() []entry {
	var out []entry
	for _, code := range mapping.Codes {
		if what, do, ok := mapping.Explain(code); ok {
			out = append(out, entry{code, what, do})
		}
	}
	return out
}

func sortEntries(list []entry) []entry {
	slices.SortStableFunc(list, func(a, b entry) int { return strings.Compare(a.Code, b.Code) })
	return list
}

// lookUpCode finds a code; codes of exceptions that are not known share one entry.
func lookUpCode(code string) (entry, bool) {
	for _, e := range catalogue {
		if strings.EqualFold(e.Code, code) {
			return e, true
		}
	}
	if rest, ok := strings.CutPrefix(code, "account."); ok && strings.HasPrefix(rest, "MX") {
		return entry{code, "the account refused the row with an exception of its own, " + rest, "read the account's own words beside the code, correct the row and load it again"}, true
	}
	return entry{}, false
}
