//go:build ignore

// build packs a folder of compiled zones into zones.zip:
//
//	go run build.go FOLDER VERSION DAY
package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

func main() {
	if err := build(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func build() error {
	if len(os.Args) != 4 {
		return fmt.Errorf("usage: go run build.go FOLDER VERSION DAY")
	}
	folder, version, day := os.Args[1], os.Args[2], os.Args[3]
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return err
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	if err := z.SetComment(version + " " + day); err != nil {
		return err
	}
	n := 0
	root := os.DirFS(folder)
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		if _, err := time.LoadLocationFromTZData(name, data); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		n++
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	})
	if err != nil {
		return err
	}
	if n < 400 {
		return fmt.Errorf("%s has %d zones; a whole release has some 600", folder, n)
	}
	if err := z.Close(); err != nil {
		return err
	}
	fmt.Printf("%d zones of release %s (%s), %d bytes\n", n, version, day, out.Len())
	return os.WriteFile("zones.zip", out.Bytes(), 0o644)
}
