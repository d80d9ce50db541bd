package zonedata

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestEveryZoneLoads reads the whole archive.
func TestEveryZoneLoads(t *testing.T) {
	d := built()
	if len(d.files) < 590 {
		t.Errorf("the archive has %d zones", len(d.files))
	}
	if versionIn(d.Version) != d.Version || newer("2026f", d.Version) {
		t.Errorf("the archive is of release %q; 2026f was its first", d.Version)
	}
	if year, _ := splitVersion(d.Version); d.Date.Year() != year {
		t.Errorf("release %s came out on %v", d.Version, d.Date)
	}
	for name := range d.files {
		loc, err := d.load(name)
		if err != nil {
			t.Error(err)
		} else if loc.String() != name {
			t.Errorf("zone %s calls itself %s", name, loc)
		}
	}
}

func TestUnknownZones(t *testing.T) {
	for _, name := range []string{"", "/", "../zoneinfo/UTC", "/etc/passwd", "Asia/Kolkata/", "Asia", "Asia\\Kolkata", "C:UTC", "Mars/Olympus", "asia/kolkata", "tzdata.zi"} {
		if loc, err := Load(name); err == nil {
			t.Errorf("%q is the zone %v", name, loc)
		}
	}
}

// folder writes a folder of zones, as a machine has one.
func folder(t *testing.T, versionFile, line string, released time.Time, zones map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range zones {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if versionFile != "" {
		path := filepath.Join(dir, versionFile)
		if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, released, released); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// rules returns the compiled rules of a zone of the archive.
func rules(t *testing.T, name string) string {
	t.Helper()
	data, err := built().read(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestTheNewerReleaseIsRead(t *testing.T) {
	// Asia/Kolkata with Tokyo's rules shows which release was read.
	zones := map[string]string{"Asia/Kolkata": rules(t, "Asia/Tokyo")}
	day := time.Date(2031, 3, 4, 0, 0, 0, 0, time.UTC)
	next := folder(t, "tzdata.zi", "# version 2031c\n# rest", day, zones)
	cases := []struct {
		name    string
		folders []string
		version string
		date    time.Time
		offset  int // of Asia/Kolkata, hours
	}{
		{"none", nil, built().Version, built().Date, 5},
		{"not there", []string{"", filepath.Join(next, "missing")}, built().Version, built().Date, 5},
		{"older", []string{folder(t, "tzdata.zi", "# version 2025b\n", day, zones)}, built().Version, built().Date, 5},
		{"the same", []string{folder(t, "tzdata.zi", "# version "+built().Version+"\n", day, zones)}, built().Version, built().Date, 5},
		{"without a version", []string{folder(t, "", "", day, zones)}, built().Version, built().Date, 5},
		{"of an unreadable version", []string{folder(t, "tzdata.zi", "# version unknown\n", day, zones)}, built().Version, built().Date, 5},
		{"newer", []string{next}, "2031c", day, 9},
		{"newer, as Debian names it", []string{folder(t, "tzdata.zi", "# version 2031c-0+deb17u1\n", day, zones)}, "2031c", day, 9},
		{"newer, as BSD names it", []string{folder(t, "+VERSION", "2031c\n", day, zones)}, "2031c", day, 9},
		{"written when it was installed", []string{folder(t, "tzdata.zi", "# version 2030a\n", day, zones)}, "2030a", time.Date(2030, 12, 31, 0, 0, 0, 0, time.UTC), 9},
		{"the newest of several", []string{folder(t, "tzdata.zi", "# version 2030z\n", day, nil), next, folder(t, "tzdata.zi", "# version 2031b\n", day, nil)}, "2031c", day, 9},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			d := choose(tc.folders)
			if d.Version != tc.version || !d.Date.Equal(tc.date) {
				t.Errorf("release %s of %v, want %s of %v", d.Version, d.Date, tc.version, tc.date)
			}
			loc, err := d.load("Asia/Kolkata")
			if err != nil {
				t.Fatal(err)
			}
			if _, offset := day.In(loc).Zone(); offset/3600 != tc.offset {
				t.Errorf("Asia/Kolkata is %d hours from UTC, want %d", offset/3600, tc.offset)
			}
			// A folder without the zone leaves it to the program's release.
			if _, err := d.load("Europe/Berlin"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNewer(t *testing.T) {
	order := []string{"1996l", "2009u", "2025a", "2025c", "2026a", "2026f", "2026g", "2026z", "2026za", "2027a"}
	for i, a := range order {
		for j, b := range order {
			if got := newer(a, b); got != (i > j) {
				t.Errorf("newer(%s, %s) = %v", a, b, got)
			}
		}
	}
}

// TestZonesEqualTheCLibrary compares every zone with what the C library's
// zdump reads from the zones that a distribution compiled, from 1970 to 2040.
// LEADLOAD_ZONEINFO names their folder, which must be of the program's release.
func TestZonesEqualTheCLibrary(t *testing.T) {
	dir := os.Getenv("LEADLOAD_ZONEINFO")
	if dir == "" {
		t.Skip("LEADLOAD_ZONEINFO names no folder of zones")
	}
	d := built()
	if r, ok := releaseOf(dir); !ok || r.Version != d.Version {
		t.Fatalf("%s holds release %q, and the program %s", dir, r.Version, d.Version)
	}
	names := make([]string, 0, len(d.files))
	for name := range d.files {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			names = append(names, name)
		}
	}
	if len(names) < 400 {
		t.Fatalf("%s has %d of the zones", dir, len(names))
	}
	moments := 0
	for _, name := range names {
		loc, err := d.load(name)
		if err != nil {
			t.Error(err)
			continue
		}
		out, err := exec.Command("zdump", "-v", "-c", "1970,2040", filepath.Join(dir, name)).Output()
		if err != nil {
			t.Fatal(err)
		}
		var last time.Time
		lastOffset := 0
		for s := bufio.NewScanner(strings.NewReader(string(out))); s.Scan(); {
			at, offset, ok := dumped(s.Text())
			if !ok || at.Year() < 1970 || at.Year() >= 2040 {
				continue
			}
			moments++
			if _, got := at.In(loc).Zone(); got != offset {
				t.Errorf("%s at %v: %d s from UTC, zdump has %d", name, at, got, offset)
			}
			// Between two lines nothing changes, unless a change lies there.
			if !last.IsZero() && offset == lastOffset {
				middle := last.Add(at.Sub(last) / 2)
				if _, got := middle.In(loc).Zone(); got != offset {
					t.Errorf("%s at %v: %d s from UTC, zdump has %d", name, middle, got, offset)
				}
			}
			last, lastOffset = at, offset
		}
	}
	t.Logf("%d zones, %d moments", len(names), moments)
}

// dumped reads a line of zdump -v: "NAME  Sun Nov  1 08:59:59 2026 UT = … gmtoff=-25200".
func dumped(line string) (at time.Time, offset int, ok bool) {
	left, right, ok := strings.Cut(line, " UT = ")
	words := strings.Fields(left)
	i := strings.LastIndex(right, "gmtoff=")
	if !ok || len(words) < 6 || i < 0 {
		return at, 0, false
	}
	at, err := time.Parse("Jan 2 15:04:05 2006", strings.Join(words[len(words)-4:], " "))
	if err != nil {
		return at, 0, false
	}
	_, err = fmt.Sscanf(right[i:], "gmtoff=%d", &offset)
	return at, offset, err == nil
}
