#!/usr/bin/env bash
# A compressed answer that lacks its second half, read by HTTP clients.
#
# Versions   curl 7.88.1, wget 1.21.3, python3-requests 2.28.1 with urllib3 1.26.12 (Debian
#            12), Ruby 3.1; Node 20 fetch, axios 1.13.2, got 14.6.5 (npm); Go 1.26.
# Guess      gzip ends with a length and a checksum, so a client that unpacks an answer
#            notes that both are missing, and raises an error.
# Behaviour  Only Go and got do. The others return status 200, 1007 of 2001 lines and no
#            error; curl and wget exit with 0, Ruby returns fewer lines still. They check
#            the frame of HTTP, which is whole here, and take from the packed text what
#            there is. zcat refuses the same bytes.
# Why it matters   An app that dies while it packs, behind a proxy that closes the answer
#            well, makes such answers, and so does a packed file that was stored in part.
#            The rows that are missing are the last ones.
set -euo pipefail
here=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$here"' EXIT
cd "$here"
apt-get download -qq curl=7.88.1-10+deb12u15 libcurl4=7.88.1-10+deb12u15 wget=1.21.3-1+deb12u1 libnghttp2-14 librtmp1 libssh2-1 libpsl5 \
  python3-requests=2.28.1+dfsg-1 python3-urllib3 python3-chardet python3-idna python3-certifi python3-six python3-pkg-resources 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
npm init -y >/dev/null
npm install --silent axios@1.13.2 got@14.6.5 >/dev/null
cat >server.cjs <<'JS'
const lines = Array.from({ length: 2001 }, (_, i) => (i ? `${i},${require('crypto').createHash('md5').update(String(i)).digest('hex')}\n` : 'id,key\n'));
const packed = require('zlib').gzipSync(lines.join(''));
const half = packed.subarray(0, packed.length / 2);
require('fs').writeFileSync('half.gz', half);
const server = require('http').createServer((_, answer) => {
  answer.writeHead(200, { 'Content-Type': 'text/csv', 'Content-Encoding': 'gzip', 'Content-Length': half.length });
  answer.end(half);
});
server.listen(0, '127.0.0.1', () => require('fs').writeFileSync('address', `http://127.0.0.1:${server.address().port}/`));
JS
node server.cjs &
server=$!
for _ in $(seq 100); do [ -s address ] && break; sleep 0.1; done
address=$(cat address)
export address
export no_proxy=127.0.0.1
cat >read.mjs <<'JS'
import axios from 'axios';
import got from 'got';
const address = process.env.address;
for (const [name, read] of [
  ['Node fetch', async () => (await fetch(address)).text()],
  ['axios', async () => (await axios.get(address)).data],
  ['got', async () => (await got(address, { retry: { limit: 0 } })).body],
]) await read().then((text) => console.log(`${name}: ${text.split('\n').length - 1} lines, no error`), () => console.log(`${name}: an error`));
JS
cat >main.go <<'GO'
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	answer, err := http.Get(os.Getenv("address"))
	if err != nil {
		panic(err)
	}
	body, err := io.ReadAll(answer.Body)
	fmt.Printf("Go: %d lines, %v\n", bytes.Count(body, []byte("\n")), err)
}
GO
{
  export LD_LIBRARY_PATH=$here/usr/lib/$(uname -m)-linux-gnu
  rc=0; usr/bin/curl -s --compressed "$address" >curl.csv || rc=$?
  echo "curl: $(wc -l <curl.csv) lines, exit $rc"
  rc=0; usr/bin/wget -q --tries=1 --compression=auto -O wget.csv "$address" || rc=$?
  echo "wget: $(wc -l <wget.csv) lines, exit $rc"
  unset LD_LIBRARY_PATH
  PYTHONPATH=usr/lib/python3/dist-packages /usr/bin/python3 -c '
import os, requests
answer = requests.get(os.environ["address"])
print(f"requests: {answer.text.count(chr(10))} lines, status {answer.status_code}, no error")'
  ruby -rnet/http -e 'answer = Net::HTTP.get_response(URI(ENV["address"]))
    puts "Ruby: #{answer.body.count("\n") < 1500 ? "about half the lines" : "all"}, status #{answer.code}, no error"'
  node read.mjs
  go run main.go
  zcat half.gz >/dev/null 2>&1 || echo 'zcat: an error'
} >seen
cat >expected <<'OUT'
curl: 1007 lines, exit 0
wget: 1007 lines, exit 0
requests: 1007 lines, status 200, no error
Ruby: about half the lines, status 200, no error
Node fetch: 1007 lines, no error
axios: 1007 lines, no error
got: an error
Go: 1007 lines, unexpected EOF
zcat: an error
OUT
diff expected seen && cat seen
