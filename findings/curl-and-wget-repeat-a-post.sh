#!/usr/bin/env bash
# curl and wget: how often one POST reaches the server.
#
# Versions   curl 7.88.1-10+deb12u15, wget 1.21.3-1+deb12u1 (Debian 12); the server needs Go.
# Guess      Without an option for retries, curl sends a POST once. wget's --tries is for
#            downloads: it does not repeat a POST that the server has read.
# Behaviour  curl sends the POST again when the server closes a connection that served a
#            call before, and returns as if nothing had been. wget repeats a POST after a
#            closed connection and after half an answer, as often as --tries says.
# Why it matters   A script of two curl calls makes two records where one was meant.
#
# The server, on 127.0.0.1, reads the whole POST and then
#   fresh    closes the connection, which is new
#   reused   closes the connection, which served a call before; on a new one it answers 200
#   half     answers 200 and breaks off in the body
#   429 503  answers with this status
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get download -qq curl=7.88.1-10+deb12u15 libcurl4=7.88.1-10+deb12u15 wget=1.21.3-1+deb12u1 \
  libnghttp2-14 librtmp1 libssh2-1 libpsl5 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
LD_LIBRARY_PATH=$dir/usr/lib/$(uname -m)-linux-gnu
export LD_LIBRARY_PATH
cat > go.mod <<'EOF'
module finding

go 1.26
EOF
cat > main.go <<'EOF'
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"
)

var modes = []string{"fresh", "reused", "half", "429", "503"}

// warm stands for a call before, on the same connection.
var commands = []struct {
	name, warm, command string
	want                [5]int32 // POSTs that the server read, by mode
}{
	{"curl 7.88.1", "-s URL/warm --next", "usr/bin/curl WARM -s -d a=1 URL/create", [5]int32{1, 2, 1, 1, 1}},
	{"curl 7.88.1 --retry 3", "-s URL/warm --next", "usr/bin/curl WARM --retry 3 --retry-delay 1 -s -d a=1 URL/create", [5]int32{1, 2, 1, 4, 4}},
	{"wget 1.21.3 --tries=3", "URL/warm", "usr/bin/wget --no-config -q -O /dev/null --tries=3 --waitretry=1 --post-data=a=1 WARM URL/create", [5]int32{3, 2, 3, 1, 1}},
}

// serve counts the POSTs below /create, and treats them as mode says.
func serve(mode string) (url string, posts *atomic.Int32, stop func()) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	posts = new(atomic.Int32)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(time.Minute))
				r := bufio.NewReader(conn)
				warmed := false
				for {
					req, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					if _, err := io.Copy(io.Discard, req.Body); err != nil {
						return
					}
					if req.URL.Path != "/create" { // warms the connection up
						warmed = true
						io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok")
						continue
					}
					posts.Add(1)
					switch mode {
					case "reused":
						if warmed {
							return
						}
						io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
					case "half":
						io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"Status\":")
						return
					case "429":
						io.WriteString(conn, "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n")
					case "503":
						io.WriteString(conn, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
					default:
						return
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String(), posts, func() { l.Close() }
}

func main() {
	changed := false
	fmt.Println("POSTs that the server read for one call:")
	fmt.Println("| client | closed, fresh | closed, reused | half an answer | 429 | 503 |\n| --- | --- | --- | --- | --- | --- |")
	var changes []string
	for _, c := range commands {
		row := "| " + c.name
		for j, mode := range modes {
			url, posts, stop := serve(mode)
			warm := ""
			if mode == "reused" {
				warm = c.warm
			}
			line := strings.ReplaceAll(strings.Replace(c.command, "WARM", warm, 1), "URL", url)
			args := strings.Fields(line)
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			err := exec.CommandContext(ctx, args[0], args[1:]...).Run()
			cancel()
			stop()
			n := posts.Load()
			row += fmt.Sprintf(" | %d", n)
			if err == nil && mode != "429" && mode != "503" {
				row += ", no error"
			}
			if n != c.want[j] {
				changed = true
				changes = append(changes, fmt.Sprintf("CHANGED: %s, %s: %d POSTs, seen before: %d", c.name, mode, n, c.want[j]))
			}
		}
		fmt.Println(row + " |")
	}
	for _, l := range changes {
		fmt.Println(l)
	}
	if changed {
		os.Exit(1)
	}
}
EOF
usr/bin/curl --version | head -n 1 | cut -d' ' -f1-2
usr/bin/wget --version | head -n 1 | cut -d' ' -f1-3
go run .
