#!/usr/bin/env bash
# Two compressed days of a log, joined by cat, and read by libraries of five languages.
#
# Versions   Ruby 3.1, Perl 5.36 and Python 3.11 with their own zlib, PHP 8.2.36 (Debian);
#            fflate 0.8.3, pako 3.0.3 (npm), Node 20 and Go 1.26.
# Guess      A gzip file may have several members, and `cat a.gz b.gz` is a gzip file by
#            its definition: whatever zcat reads, a library reads too.
# Behaviour  Ruby's GzipReader and Zlib.gunzip, Perl's IO::Uncompress::Gunzip, PHP's
#            gzdecode and its zlib.inflate filter, and Python's zlib.decompress stop after
#            the first member. No error, no warning. fflate's gunzipSync even cuts that
#            one, since it takes the last member's length for the length of all.
#            Node, pako, Go, Python's gzip, PHP's gzfile and Ruby's zcat read all.
# Why it matters   The rows of the second day vanish. One language has both kinds of
#            readers, so that a test with another call of it sees nothing.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
apt-get download -qq php8.2-cli=8.2.36-1~deb12u1 libargon2-1 libsodium23 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
npm init -y >/dev/null
npm install --silent fflate@0.8.3 pako@3.0.3 >/dev/null
seq 1 300 | gzip -n >monday.gz
seq 301 400 | gzip -n >tuesday.gz
cat monday.gz tuesday.gz >log.gz
{
  echo "zcat $(zcat log.gz | wc -l)"
  ruby -rzlib -e 'file = ARGV[0]
    puts "Ruby GzipReader.open #{Zlib::GzipReader.open(file).each_line.count}"
    puts "Ruby Zlib.gunzip #{Zlib.gunzip(File.binread(file)).lines.size}"
    puts "Ruby GzipReader.zcat #{Zlib::GzipReader.zcat(File.open(file)).lines.size}"' log.gz
  perl -MIO::Uncompress::Gunzip -e '
    my ($reader, $n) = (IO::Uncompress::Gunzip->new($ARGV[0]), 0); $n++ while <$reader>;
    print "Perl IO::Uncompress::Gunzip $n\n";
    ($reader, $n) = (IO::Uncompress::Gunzip->new($ARGV[0], MultiStream => 1), 0); $n++ while <$reader>;
    print "Perl the same with MultiStream $n\n"' log.gz
  LD_LIBRARY_PATH=$here/usr/lib/$(uname -m)-linux-gnu usr/bin/php8.2 -n -r '
    $file = $argv[1];
    echo "PHP gzdecode ", substr_count(gzdecode(file_get_contents($file)), "\n"), "\n";
    $stream = fopen($file, "r"); stream_filter_append($stream, "zlib.inflate", STREAM_FILTER_READ, ["window" => 31]);
    echo "PHP zlib.inflate ", substr_count(stream_get_contents($stream), "\n"), "\n";
    echo "PHP gzfile ", count(gzfile($file)), "\n";' log.gz
  python3 -c '
import gzip, zlib
data = open("log.gz", "rb").read()
print("Python zlib.decompress", zlib.decompress(data, 31).count(b"\n"))
print("Python gzip.decompress", gzip.decompress(data).count(b"\n"))'
  node -e '
    const data = require("fs").readFileSync("log.gz");
    const lines = (b) => Buffer.from(b).toString().split("\n").length - 1;
    console.log("fflate gunzipSync", lines(require("fflate").gunzipSync(data)));
    console.log("pako ungzip", lines(require("pako").ungzip(data)));
    console.log("Node gunzipSync", lines(require("zlib").gunzipSync(data)));'
  cat >main.go <<'GO'
package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
)

func main() {
	file, err := os.Open("log.gz")
	if err != nil {
		panic(err)
	}
	reader, err := gzip.NewReader(file)
	if err != nil {
		panic(err)
	}
	all, err := io.ReadAll(reader)
	if err != nil {
		panic(err)
	}
	fmt.Println("Go gzip.NewReader", bytes.Count(all, []byte("\n")))
}
GO
  go run main.go
} >seen
cat >expected <<'OUT'
zcat 400
Ruby GzipReader.open 300
Ruby Zlib.gunzip 300
Ruby GzipReader.zcat 400
Perl IO::Uncompress::Gunzip 300
Perl the same with MultiStream 400
PHP gzdecode 300
PHP zlib.inflate 300
PHP gzfile 400
Python zlib.decompress 300
Python gzip.decompress 400
fflate gunzipSync 127
pako ungzip 400
Node gunzipSync 400
Go gzip.NewReader 400
OUT
diff expected seen && cat seen
