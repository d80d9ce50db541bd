"""Writes xlsxwriter.xlsx and openpyxl.xlsx: python3 write.py OUTDIR"""
import datetime, sys
import openpyxl, xlsxwriter

out = sys.argv[1] + "/"
head = ["Deal ID", "Name", "Amount", "Created", "Paid", "Sum"]
rows = [
    ["00123", "Asha Rao", 1234.5, datetime.datetime(2025, 12, 31, 23, 30), True],
    ["D-2", "आशा 😀 <&\"'>", -0.5, datetime.datetime(2025, 1, 2, 9, 0), False],
    ["=1+1", " two\nlines ", 919876543210, datetime.datetime(2024, 2, 29), True],
]
book = xlsxwriter.Workbook(out + "xlsxwriter.xlsx")
sheet, fmt = book.add_worksheet("Deals"), book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
for c, h in enumerate(head):
    sheet.write_string(0, c, h)
for i, r in enumerate(rows, 1):
    sheet.write_string(i, 0, r[0]); sheet.write_string(i, 1, r[1]); sheet.write_number(i, 2, r[2])
    sheet.write_datetime(i, 3, r[3], fmt); sheet.write_boolean(i, 4, r[4]); sheet.write_formula(i, 5, "=C%d*2" % (i + 1))
book.close()
book = openpyxl.Workbook()
sheet = book.active
sheet.title = "Deals"
sheet.append(head)
for i, r in enumerate(rows, 2):
    sheet.append(r + ["=C%d*2" % i])
    sheet.cell(i, 1).data_type = "s"
    sheet.cell(i, 4).number_format = "dd/mm/yyyy hh:mm"
book.save(out + "openpyxl.xlsx")
