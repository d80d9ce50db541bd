// Package zonedata holds the rules of the world's time zones, as the IANA time
// zone database has them (https://www.iana.org/time-zones, public domain).
//
// A release of the database is part of the program, because the one that a
// machine or a Go release carries may be years old, and each release changes
// what clocks show somewhere. Where the machine has a newer release, that one
// is read; where it has an older one, it is left alone. The release decides,
// never the order in which folders are found.
//
// update.sh beside this file builds zones.zip anew.
package zonedata

import (
	"archive/zip"
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed zones.zip
var archive string

// Release names a release of the time zone database.
type Release struct {
	Version string    // such as "2026f"
	Date    time.Time // the day it came out
	Folder  string    // the machine's folder that it is read from; "" for the one that is part of the program
}

// String returns the release for people: "2026f (built in)".
func (r Release) String() string {
	if r.Folder == "" {
		return r.Version + " (built in)"
	}
	return r.Version + " (" + r.Folder + ")"
}

// Current returns the release that Load reads.
func Current() Release { return machine().Release }

// Load returns a zone by its name in the database, such as "Asia/Kolkata".
func Load(name string) (*time.Location, error) { return machine().load(name) }

// machine is the database that this machine reads, found once.
var machine = sync.OnceValue(func() *database {
	return choose(append([]string{os.Getenv("ZONEINFO")}, folders...))
})

// folders are where systems keep their zones.
var folders = []string{"/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"}

// choose returns the newest of the release in the program and those in folders.
func choose(folders []string) *database {
	best := built()
	for _, folder := range folders {
		if folder == "" {
			continue
		}
		if r, ok := releaseOf(folder); ok && newer(r.Version, best.Version) {
			best.Release = r
		}
	}
	return best
}

// database is one release, and the zones read from it so far.
type database struct {
	Release
	files map[string]*zip.File // those in the program
	mu    sync.Mutex
	known map[string]*time.Location
}

// built returns the release that is part of the program.
func built() *database {
	z, err := zip.NewReader(strings.NewReader(archive), int64(len(archive)))
	if err != nil {
		panic("zonedata: zones.zip is damaged: " + err.Error()) // a test reads it whole
	}
	d := &database{files: make(map[string]*zip.File, len(z.File)), known: map[string]*time.Location{}}
	version, day, _ := strings.Cut(z.Comment, " ")
	d.Version = version
	if d.Date, err = time.Parse(time.DateOnly, day); err != nil {
		panic("zonedata: zones.zip does not name its release: " + err.Error())
	}
	for _, f := range z.File {
		d.files[f.Name] = f
	}
	return d
}

func (d *database) load(name string) (*time.Location, error) {
	if !fs.ValidPath(name) || strings.ContainsAny(name, "\\:") {
		return nil, fmt.Errorf("unknown time zone %q", name)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if loc := d.known[name]; loc != nil {
		return loc, nil
	}
	data, err := d.read(name)
	if err != nil {
		return nil, fmt.Errorf("unknown time zone %q", name)
	}
	loc, err := time.LoadLocationFromTZData(name, data)
	if err != nil {
		return nil, fmt.Errorf("time zone %q cannot be read: %w", name, err)
	}
	d.known[name] = loc
	return loc, nil
}

// read returns a zone's rules. Some systems leave old names out, so that what
// the machine's release does not have comes from the program's.
func (d *database) read(name string) ([]byte, error) {
	if d.Folder != "" {
		if data, err := os.ReadFile(filepath.Join(d.Folder, filepath.FromSlash(name))); err == nil {
			return data, nil
		}
	}
	f := d.files[name]
	if f == nil {
		return nil, fs.ErrNotExist
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// releaseOf returns the release of a folder of zones. Linux systems name it in
// the first line of tzdata.zi, BSD and macOS in +VERSION.
func releaseOf(folder string) (Release, bool) {
	for _, name := range [...]string{"tzdata.zi", "+VERSION"} {
		path := filepath.Join(folder, name)
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		line, _, err := bufio.NewReaderSize(f, 256).ReadLine()
		info, err2 := f.Stat()
		f.Close()
		if err != nil || err2 != nil {
			continue
		}
		version := versionIn(strings.TrimPrefix(string(line), "# version "))
		if version == "" {
			continue
		}
		r := Release{Version: version, Date: info.ModTime().UTC(), Folder: folder}
		if year, _ := splitVersion(version); r.Date.Year() != year {
			// The file was written when it was installed, not when it came out.
			r.Date = time.Date(year, 12, 31, 0, 0, 0, 0, time.UTC)
		}
		return r, true
	}
	return Release{}, false
}

// versionIn returns the version at the beginning of a text such as
// "2026f-0+deb12u1", "" when there is none.
func versionIn(s string) string {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	j := i
	for j < len(s) && s[j] >= 'a' && s[j] <= 'z' {
		j++
	}
	if i != 4 || j == i {
		return ""
	}
	return s[:j]
}

// splitVersion returns the year and the letters of a version.
func splitVersion(v string) (year int, letters string) {
	year, _ = strconv.Atoi(v[:4])
	return year, v[4:]
}

// newer reports whether release a came out after b. Behind 2026z comes 2026za.
func newer(a, b string) bool {
	yearA, a := splitVersion(a)
	yearB, b := splitVersion(b)
	switch {
	case yearA != yearB:
		return yearA > yearB
	case len(a) != len(b):
		return len(a) > len(b)
	}
	return a > b
}
