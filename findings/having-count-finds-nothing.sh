#!/usr/bin/env bash
# A search for phones that occur more than once, in SQLite, asked from PHP and Perl.
#
# Versions   PHP 8.2.36 with PDO, DBD::SQLite 1.72 for Perl (Debian 12), SQLite 3.40;
#            Python's own sqlite3 beside them.
# Guess      HAVING count(*) > ? with the number 1 finds the phone that is there twice.
# Behaviour  In PHP and Perl it finds nothing: both hand the number over as text, unless
#            a type is named for it. A count has no column type that would turn the text
#            into a number, and in SQLite every number is less than every text. So > finds
#            nothing, and < and <> find everything. A column's own values compare well.
#            Python hands over a number. With the number written into the SQL all agree.
# Why it matters   The check for duplicates says there are none, with no error.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
apt-get download -qq php8.2-cli=8.2.36-1~deb12u1 php8.2-common=8.2.36-1~deb12u1 php8.2-sqlite3=8.2.36-1~deb12u1 \
  libargon2-1 libsodium23 libdbi-perl=1.643-4+deb12u3 libdbd-sqlite3-perl=1.72-1 libsqlite3-0 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
libraries=$here/usr/lib/$(uname -m)-linux-gnu
cat >ask.php <<'PHP'
<?php
$db = new PDO('sqlite:calls');
foreach (['SELECT phone FROM calls GROUP BY phone HAVING count(*) > ?', 'SELECT phone FROM calls GROUP BY phone HAVING count(*) < ?', 'SELECT phone FROM calls WHERE minutes > ?'] as $sql) {
    $query = $db->prepare($sql);
    $query->execute([1]);
    echo 'PHP    ', substr($sql, -12), ' ', count($query->fetchAll()), "\n";
}
PHP
cat >ask.pl <<'PERL'
use DBI;
my $db = DBI->connect('dbi:SQLite:dbname=calls', '', '', { RaiseError => 1 });
for my $sql ('SELECT phone FROM calls GROUP BY phone HAVING count(*) > ?', 'SELECT phone FROM calls GROUP BY phone HAVING count(*) < ?', 'SELECT phone FROM calls WHERE minutes > ?') {
    print 'Perl   ', substr($sql, -12), ' ', scalar @{ $db->selectall_arrayref($sql, undef, 1) }, "\n";
}
PERL
cat >ask.py <<'PY'
import sqlite3
db = sqlite3.connect('calls')
db.executescript('''CREATE TABLE calls (phone TEXT, minutes INTEGER);
INSERT INTO calls VALUES ('+91-9876543210', 2), ('+91-9876543210', 1), ('+91-9876543211', 5);''')
for sql in ('SELECT phone FROM calls GROUP BY phone HAVING count(*) > ?', 'SELECT phone FROM calls GROUP BY phone HAVING count(*) < ?', 'SELECT phone FROM calls WHERE minutes > ?'):
    print('Python', sql[-12:], len(db.execute(sql, (1,)).fetchall()))
PY
{
  python3 ask.py
  LD_LIBRARY_PATH=$libraries usr/bin/php8.2 -n -d extension_dir="$(echo "$here"/usr/lib/php/2*)" -d extension=pdo.so -d extension=pdo_sqlite.so ask.php
  PERL5LIB=$(echo "$libraries"/perl5/5.*) /usr/bin/perl ask.pl
} >seen
cat >expected <<'OUT'
Python count(*) > ? 1
Python count(*) < ? 0
Python  minutes > ? 2
PHP    count(*) > ? 0
PHP    count(*) < ? 2
PHP     minutes > ? 2
Perl   count(*) > ? 0
Perl   count(*) < ? 2
Perl    minutes > ? 2
OUT
diff expected seen && cat seen
