package reports

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// The places in a pattern of names that a run fills in.
const (
	NameInput = "{input}" // the input's name without its ending
	NameDate  = "{date}"  // the day, such as 2026-11-28
	NameTime  = "{time}"  // the time of day, such as 0215
)

// SuffixFor returns what a pattern such as {input}-{date} puts behind an
// input's name, for PathFor: -2026-11-28-results. ok is false for a pattern
// that does not begin with {input}, or that could name another folder.
func SuffixFor(pattern string, now time.Time) (suffix string, ok bool) {
	rest, ok := strings.CutPrefix(pattern, NameInput)
	if !ok || strings.ContainsAny(rest, `/\:*?"<>|`) {
		return "", false
	}
	rest = strings.ReplaceAll(rest, NameDate, now.Format("2006-01-02"))
	rest = strings.ReplaceAll(rest, NameTime, now.Format("1504"))
	if strings.ContainsAny(rest, "{}") {
		return "", false
	}
	return strings.TrimSuffix(rest, "-results") + "-results", true
}

// RemoveOld removes results files of an input that a pattern with {date} has
// named and that were last written before a time. They are looked for in the
// folder of path, one of them, which stays. It returns the names removed.
func RemoveOld(path, input, pattern string, before time.Time) (removed []string, err error) {
	rest := strings.TrimSuffix(strings.TrimPrefix(pattern, NameInput), "-results")
	if !strings.Contains(rest, NameDate) {
		return nil, nil // names without a date are numbered, and nobody asked for their end
	}
	fits := regexp.QuoteMeta(rest)
	fits = strings.ReplaceAll(fits, regexp.QuoteMeta(NameDate), `[0-9]{4}-[0-9]{2}-[0-9]{2}`)
	fits = strings.ReplaceAll(fits, regexp.QuoteMeta(NameTime), `[0-9]{4}`)
	base := strings.TrimSuffix(nameFor(input, ""), ".xlsx")
	ours, err := regexp.Compile(`^` + regexp.QuoteMeta(base) + fits + `-results(-[0-9]+)?\.(xlsx|csv)$`)
	if err != nil {
		return nil, err
	}
	folder := filepath.Dir(path)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || e.Name() == filepath.Base(path) || !ours.MatchString(e.Name()) {
			continue
		}
		info, err := e.Info()
		if err != nil || !info.ModTime().Before(before) {
			continue
		}
		name := filepath.Join(folder, e.Name())
		if err := os.Remove(name); err != nil {
			return removed, err
		}
		removed = append(removed, name)
	}
	return removed, nil
}
