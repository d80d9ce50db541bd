# Writes excel-writer-xlsx.xlsx: perl write.pl OUTDIR
use strict; use warnings; use utf8;
use Excel::Writer::XLSX;
my $book = Excel::Writer::XLSX->new("$ARGV[0]/excel-writer-xlsx.xlsx");
my $sheet = $book->add_worksheet("Deals");
my $format = $book->add_format(num_format => "dd/mm/yyyy hh:mm");
my @head = ("Deal ID", "Name", "Amount", "Created", "Paid", "Sum");
$sheet->write_string(0, $_, $head[$_]) for 0 .. $#head;
my @rows = (
    ["00123", "Asha Rao", 1234.5, "2025-12-31T23:30", 1],
    ["D-2", "आशा 😀 <&\"'>", -0.5, "2025-01-02T09:00", 0],
    ["=1+1", " two\nlines ", 919876543210, "2024-02-29T00:00", 1],
);
for my $i (1 .. @rows) {
    my $r = $rows[$i - 1];
    $sheet->write_string($i, 0, $r->[0]); $sheet->write_string($i, 1, $r->[1]); $sheet->write_number($i, 2, $r->[2]);
    $sheet->write_date_time($i, 3, $r->[3], $format); $sheet->write_boolean($i, 4, $r->[4]); $sheet->write_formula($i, 5, "=C" . ($i + 1) . "*2");
}
$book->close();
