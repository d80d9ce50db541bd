#!/usr/bin/env bash
# HTTP clients for Go: how often one POST reaches the server.
#
# Versions   go-retryablehttp 0.7.8, failsafe-go 0.9.8, resty 2.17.2, backoff 5.0.3; Go 1.26.
# Guess      A POST is not idempotent, so no client repeats it by itself once the
#            server has read it.
# Behaviour  net/http keeps to it, unless the POST carries an Idempotency-Key header.
#            Clients with retries repeat it after a lost answer.
# Why it matters   The server has made the record several times; the caller sees one call.
#
# The server, on 127.0.0.1, reads the whole POST and then
#   fresh    closes the connection, which is new
#   reused   closes the connection, which served a call before
#   half     answers 200 and breaks off in the body
#   429 503  answers with this status
# About 20 s, because of the clients' own pauses.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOFLAGS=-mod=mod
cat > go.mod <<'EOF'
module finding

go 1.26

require (
	github.com/cenkalti/backoff/v5 v5.0.3
	github.com/failsafe-go/failsafe-go v0.9.8
	github.com/go-resty/resty/v2 v2.17.2
	github.com/hashicorp/go-retryablehttp v0.7.8
)
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
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/go-resty/resty/v2"
	"github.com/hashicorp/go-retryablehttp"
)

const body = `{"a":1}`

// post makes one call as the client's documentation shows it.
type post func(url string) error

func drain(resp *http.Response, err error) error {
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// quiet drops what resty logs.
type quiet struct{}

func (quiet) Errorf(string, ...any) {}
func (quiet) Warnf(string, ...any)  {}
func (quiet) Debugf(string, ...any) {}

func plain(key bool) func() post {
	return func() post {
		c := &http.Client{Transport: &http.Transport{}}
		return func(url string) error {
			req, _ := http.NewRequest("POST", url, strings.NewReader(body))
			if key {
				req.Header.Set("Idempotency-Key", "1")
			}
			return drain(c.Do(req))
		}
	}
}

var modes = []string{"fresh", "reused", "half", "429", "503"}

var clients = []struct {
	name string
	want [5]int32 // POSTs that the server read, by mode
	make func() post
}{
	{"net/http of this Go", [5]int32{1, 1, 1, 1, 1}, plain(false)},
	{"net/http with an Idempotency-Key header", [5]int32{1, 2, 1, 1, 1}, plain(true)},
	{"go-retryablehttp 0.7.8, defaults", [5]int32{5, 5, 1, 5, 5}, func() post {
		c := retryablehttp.NewClient()
		c.Logger = nil
		return func(url string) error { return drain(c.Post(url, "application/json", strings.NewReader(body))) }
	}},
	{"failsafe-go 0.9.8, default retry policy", [5]int32{3, 3, 1, 3, 3}, func() post {
		c := &http.Client{Transport: failsafehttp.NewRoundTripper(&http.Transport{}, failsafehttp.NewRetryPolicyBuilder().Build())}
		return func(url string) error { return drain(c.Post(url, "application/json", strings.NewReader(body))) }
	}},
	{"resty 2.17.2, SetRetryCount(3)", [5]int32{4, 4, 4, 1, 1}, func() post {
		c := resty.NewWithClient(&http.Client{Transport: &http.Transport{}}).SetRetryCount(3).SetLogger(quiet{})
		return func(url string) error { _, err := c.R().SetBody(body).Post(url); return err }
	}},
	{"backoff 5.0.3, 4 tries around net/http", [5]int32{4, 4, 1, 1, 1}, func() post {
		c := &http.Client{Transport: &http.Transport{}}
		return func(url string) error {
			resp, err := backoff.Retry(context.Background(), func() (*http.Response, error) {
				return c.Post(url, "application/json", strings.NewReader(body))
			}, backoff.WithMaxTries(4))
			return drain(resp, err)
		}
	}},
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
				for {
					req, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					if _, err := io.Copy(io.Discard, req.Body); err != nil {
						return
					}
					if req.URL.Path != "/create" { // warms the connection up
						io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
						continue
					}
					posts.Add(1)
					switch mode {
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
	found := make([][5]string, len(clients))
	changed := atomic.Bool{}
	var wg sync.WaitGroup
	for i, c := range clients {
		for j, mode := range modes {
			wg.Go(func() {
				url, posts, stop := serve(mode)
				defer stop()
				call := c.make()
				if mode == "reused" {
					if err := call(url + "/warm"); err != nil {
						panic(err)
					}
				}
				err := call(url + "/create")
				found[i][j] = fmt.Sprint(posts.Load())
				if mode == "half" && err == nil {
					found[i][j] += ", no error"
				}
				if posts.Load() != c.want[j] {
					changed.Store(true)
					fmt.Printf("CHANGED: %s, %s: %d POSTs, seen before: %d\n", c.name, mode, posts.Load(), c.want[j])
				}
			})
		}
	}
	wg.Wait()
	fmt.Println("POSTs that the server read for one call:")
	fmt.Println("| client | closed, fresh | closed, reused | half an answer | 429 | 503 |\n| --- | --- | --- | --- | --- | --- |")
	for i, c := range clients {
		f := found[i]
		fmt.Printf("| %s | %s | %s | %s | %s | %s |\n", c.name, f[0], f[1], f[2], f[3], f[4])
	}
	if changed.Load() {
		os.Exit(1)
	}
}
EOF
go version
go mod tidy >/dev/null 2>&1 || { go mod tidy; exit 1; }
go run .
