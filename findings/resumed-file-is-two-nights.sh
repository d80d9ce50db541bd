#!/usr/bin/env bash
# A nightly export that was fetched by half on Monday, and resumed on Tuesday.
#
# Versions   curl 7.88.1 (-C -), wget 1.21.3 (-c), lftp 4.9.2 (get -c), aria2 1.36.0 (-c) of
#            Debian 12; the server is Go's http.ServeFile with ETag and Last-Modified.
# Guess      The client asks for the rest under the condition that the file is the same, and
#            fetches all of it where it is not. At least it ends with an error.
# Behaviour  curl, wget and lftp ask for the bytes behind those they have, and no more: ten
#            rows of Monday stand before ten of Tuesday, and one row is made of both.
#            Where Monday's file was whole and Tuesday's is shorter or as long, nothing
#            there can follow, and Monday's stays. Exit 0 in all cases, and no word.
#            aria2 knows its own half files by a note beside them, and else fetches anew,
#            but keeps the longer file too.
# Why it matters   The options stand in nightly scripts to be safe against lost lines. One
#            lost line loads half of a night twice and the other not at all.
. "$(dirname "$0")/servers.bash"
unpack aria2=1.36.0-1 libaria2-0=1.36.0-1 libc-ares2 libssh2-1 lftp=4.9.2-2+b1 \
  curl=7.88.1-10+deb12u15 libcurl4=7.88.1-10+deb12u15 wget=1.21.3-1+deb12u1 librtmp1 libnghttp2-14 libpsl5 libbrotli1
cat >main.go <<'GO'
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	os.WriteFile("address", []byte(listener.Addr().String()), 0o600)
	http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		state, err := os.Stat("export.csv")
		if err != nil {
			panic(err)
		}
		w.Header().Set("ETag", fmt.Sprintf(`"%x-%x"`, state.ModTime().Unix(), state.Size()))
		http.ServeFile(w, r, "export.csv")
	}))
}
GO
printf 'module export\n\ngo 1.24\n' >go.mod
go build -o serve .
./serve &
pids+=($!)
for _ in $(seq 100); do [ -s address ] && break; sleep 0.1; done
rows() { for i in $(seq 11 "$2"); do echo "$i,$1"; done; }
rows Monday 30 >monday
fetch() { # the rest of the file, by one client after the other
  local address
  address="http://$(cat address)/export.csv"
  for client in 'curl -s -C - -O' 'wget -q -c' 'lftp -c' 'aria2c -q -c'; do
    mkdir night
    cd night
    head -c "$1" ../monday >export.csv
    touch -d '2026-03-02 02:00Z' export.csv
    local code=0
    if [ "$client" = 'lftp -c' ]; then
      LD_LIBRARY_PATH=$libraries:$here/server/usr/lib/lftp/4.9.2 "$here/server/usr/bin/lftp" -c "get -c $address" >/dev/null 2>&1 || code=$?
    else
      LD_LIBRARY_PATH=$libraries "$here"/server/usr/bin/$client "$address" || code=$?
    fi
    echo "${client%% *}: exit $code, $(grep -c '^..,Monday$' export.csv) rows of Monday, $(grep -c '^..,Tuesday$' export.csv) of Tuesday$(grep -vxE '..,(Mon|Tues)day' export.csv | sed 's/^/, one is /')"
    cd "$here"
    rm -r night
  done
}
{
  rows Tuesday 30 >export.csv
  echo 'half of Monday, 20 rows of Tuesday'
  fetch 105
  rows Tuesday 20 >export.csv
  echo 'all of Monday, 10 rows of Tuesday'
  fetch 1000
} >seen
cat >expected <<'OUT'
half of Monday, 20 rows of Tuesday
curl: exit 0, 10 rows of Monday, 10 of Tuesday, one is 21,Mosday
wget: exit 0, 10 rows of Monday, 10 of Tuesday, one is 21,Mosday
lftp: exit 0, 10 rows of Monday, 10 of Tuesday, one is 21,Mosday
aria2c: exit 0, 0 rows of Monday, 20 of Tuesday
all of Monday, 10 rows of Tuesday
curl: exit 0, 20 rows of Monday, 0 of Tuesday
wget: exit 0, 20 rows of Monday, 0 of Tuesday
lftp: exit 0, 20 rows of Monday, 0 of Tuesday
aria2c: exit 0, 20 rows of Monday, 0 of Tuesday
OUT
diff expected seen && cat seen
