#!/usr/bin/env bash
# A CSV with a note of two lines, read in Perl by the loop that everybody writes.
#
# Versions   Text::CSV_XS 1.49 and Text::CSV 2.02 (Debian 12), new without options.
# Guess      A line break in quotes is plain CSV, so all five rows come, or the program
#            ends with an error.
# Behaviour  The loop ends before that row, as at the end of the file: two rows, exit 0,
#            nothing on stderr. Line breaks in cells are off until "binary" is set, the
#            error is kept in the object, and getline returns undef for it as for the end.
#            With binary => 1 five rows come, with auto_diag => 2 the program dies.
# Why it matters   Everything behind the first note of two lines is missing, and the first
#            file that has one may come after years.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
apt-get download -qq libtext-csv-xs-perl=1.49-1+deb12u1 libtext-csv-perl=2.02-2 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
PERL5LIB=$(echo "$here"/usr/lib/*/perl5/5.*):$here/usr/share/perl5
export PERL5LIB
printf 'id,note\n1,called\n2,"asked for a price\ncall again"\n3,sold\n4,paid\n' >notes.csv
cat >read.pl <<'PERL'
my ($class, %options) = @ARGV;
eval "require $class" or die $@;
my $csv = $class->new({%options});
open my $file, '<', 'notes.csv' or die $!;
my $rows = 0;
while (my $row = $csv->getline($file)) { $rows++ }
print "$rows rows";
PERL
{
  for options in '' 'binary 1' 'auto_diag 2'; do
    for class in Text::CSV_XS Text::CSV_PP; do
      rc=0
      # shellcheck disable=SC2086
      /usr/bin/perl read.pl $class $options >out 2>err || rc=$?
      echo "$class ${options:-without options}: $(cat out), exit $([ $rc = 0 ] && echo 0 || echo 'with an error'), $([ -s err ] && echo 'a message' || echo 'no message')"
    done
  done
} >seen
cat >expected <<'OUT'
Text::CSV_XS without options: 2 rows, exit 0, no message
Text::CSV_PP without options: 2 rows, exit 0, no message
Text::CSV_XS binary 1: 5 rows, exit 0, no message
Text::CSV_PP binary 1: 5 rows, exit 0, no message
Text::CSV_XS auto_diag 2: , exit with an error, a message
Text::CSV_PP auto_diag 2: , exit with an error, a message
OUT
diff expected seen && cat seen
