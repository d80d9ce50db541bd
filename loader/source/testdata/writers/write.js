// Writes NAME.xlsx with each of the writers below, all told the same table.
// TZ=UTC NODE_PATH=DIR/node_modules node write.js OUTDIR
const out = process.argv[2] + '/'
const head = ['Deal ID', 'Name', 'Amount', 'Created', 'Paid', 'Sum']
const rows = [
  ['00123', 'Asha Rao', 1234.5, new Date(Date.UTC(2025, 11, 31, 23, 30)), true],
  ['D-2', 'आशा 😀 <&"\'>', -0.5, new Date(Date.UTC(2025, 0, 2, 9, 0)), false],
  ['=1+1', ' two\nlines ', 919876543210, new Date(Date.UTC(2024, 1, 29, 0, 0)), true],
]
const format = 'dd/mm/yyyy hh:mm'
async function main() {
  for (const [name, module] of [['sheetjs-0.18.5', 'xlsx'], ['sheetjs-0.20.3', '@e965/xlsx']]) {
    const X = require(module)
    const sheet = X.utils.aoa_to_sheet([head, ...rows], {cellDates: true, dateNF: format})
    rows.forEach((r, i) => { sheet['F' + (i + 2)] = {t: 'n', f: `C${i + 2}*2`, v: r[2] * 2} })
    sheet['!ref'] = 'A1:F4'
    const book = X.utils.book_new()
    X.utils.book_append_sheet(book, sheet, 'Deals')
    X.writeFile(book, out + name + '.xlsx', {compression: true})
  }
  {
    const E = require('exceljs'), book = new E.Workbook(), sheet = book.addWorksheet('Deals')
    sheet.addRow(head)
    rows.forEach((r, i) => { sheet.addRow([...r, {formula: `C${i + 2}*2`}]).getCell(4).numFmt = format })
    await book.xlsx.writeFile(out + 'exceljs.xlsx')
  }
  {
    const E = require('excel4node'), book = new E.Workbook(), sheet = book.addWorksheet('Deals')
    head.forEach((h, c) => sheet.cell(1, c + 1).string(h))
    rows.forEach((r, i) => {
      sheet.cell(i + 2, 1).string(r[0]); sheet.cell(i + 2, 2).string(r[1]); sheet.cell(i + 2, 3).number(r[2])
      sheet.cell(i + 2, 4).date(r[3]).style({numberFormat: format}); sheet.cell(i + 2, 5).bool(r[4]); sheet.cell(i + 2, 6).formula(`C${i + 2}*2`)
    })
    require('fs').writeFileSync(out + 'excel4node.xlsx', await book.writeToBuffer())
  }
  {
    const P = require('xlsx-populate'), book = await P.fromBlankAsync(), sheet = book.sheet(0)
    sheet.name('Deals'); sheet.cell('A1').value([head])
    rows.forEach((r, i) => {
      sheet.cell(i + 2, 1).value([r.map((v, c) => c == 3 ? P.dateToNumber(v) : v)]); sheet.cell(i + 2, 4).style('numberFormat', format); sheet.cell(i + 2, 6).formula(`C${i + 2}*2`)
    })
    await book.toFileAsync(out + 'xlsx-populate.xlsx')
  }
  {
    const write = require('write-excel-file/node'), W = write.default || write
    const data = [head.map(value => ({value, type: String})), ...rows.map((r, i) => [{value: r[0], type: String}, {value: r[1], type: String}, {value: r[2], type: Number},
      {value: r[3], type: Date, format}, {value: r[4], type: Boolean}, {value: `=C${i + 2}*2`, type: 'Formula'}])]
    const w = W(data, {filePath: out + 'write-excel-file.xlsx', sheet: 'Deals'}); await (w && w.toFile ? w.toFile(out + 'write-excel-file.xlsx') : w)
  }
}
main().catch(e => { console.error(e); process.exit(1) })
