package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"leadload/loader"
	"leadload/loader/ledger"
)

// postBare is the yardstick of sending: net/http's client posts the bodies,
// prepared in memory beforehand, and looks at the status alone.
func postBare(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("@post", flag.ContinueOnError)
	path, mapped, rows := flags.String("file", "", ""), flags.String("mapping", "", ""), flags.Int("rows", 0, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	m, file, err := open(*mapped, *path)
	if err != nil {
		return err
	}
	defer file.Close()
	bodies := make([][]byte, 0, *rows)
	_, err = loader.Check(ctx, loader.CheckJob{Job: loader.Job{Input: *path, File: file, Mapping: m}, OnBody: func(_ int, _ ledger.Result, body []byte) {
		bodies = append(bodies, bytes.Clone(body))
	}})
	if err != nil {
		return err
	}
	if len(bodies) != *rows {
		return fmt.Errorf("%d bodies, want %d", len(bodies), *rows)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConns: connections, MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections}}
	defer client.CloseIdleConnections()
	target := os.Getenv("LEADSQUARED_HOST") + "/v2/OpportunityManagement.svc/Capture"
	access, secret := os.Getenv("LEADSQUARED_ACCESS_KEY"), os.Getenv("LEADSQUARED_SECRET_KEY")
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range connections {
		g.Go(func() error {
			for {
				i := next.Add(1) - 1
				if i >= int64(len(bodies)) {
					return nil
				}
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(bodies[i]))
				if err != nil {
					return err
				}
				req.Header.Set("Content-Type", "application/json")
				req.Header.Set("x-LSQ-AccessKey", access)
				req.Header.Set("x-LSQ-SecretKey", secret)
				resp, err := client.Do(req)
				if err != nil {
					return err
				}
				_, err = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if err != nil {
					return err
				}
				if resp.StatusCode != http.StatusOK {
					return fmt.Errorf("status %d", resp.StatusCode)
				}
			}
		})
	}
	return g.Wait()
}
