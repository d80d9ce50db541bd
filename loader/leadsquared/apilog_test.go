package leadsquared

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func readLog(t *testing.T, path string) []string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	if text != "" && !strings.HasSuffix(text, "\n") {
		t.Errorf("%s ends in half a line", path)
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for _, l := range lines {
		if l != "" && !json.Valid([]byte(l)) {
			t.Errorf("not JSON: %s", l)
		}
	}
	return lines
}

var (
	goodEntry = LogEntry{
		Time: time.Date(2026, 11, 22, 5, 0, 0, 123e6, time.UTC), Signature: "POST https://api.example.com/v2/OpportunityManagement.svc/Capture", Params: "leadId=l-1",
		RequestBody: []byte("{\"a\": 1,\n \"b\": \"<x>\"}"), Status: 200, ResponseBody: []byte(successBody), Verdict: Applied, Duration: 361 * time.Millisecond,
	}
	badEntry = LogEntry{
		Time: goodEntry.Time, Signature: goodEntry.Signature, RequestBody: []byte(`{"a":1}`), Status: 500,
		ResponseBody: []byte(`{"Status":"Error","ExceptionType":"MXInvalidInputException","ExceptionMessage":"no"}`), Verdict: Rejected, Message: "no",
	}
	lostEntry = LogEntry{Time: goodEntry.Time, Signature: goodEntry.Signature, RequestBody: []byte("not JSON\n"), Verdict: InDoubt, Message: "no answer", ResponseBody: nil}
	pageEntry = LogEntry{Time: goodEntry.Time, Signature: goodEntry.Signature, Status: 502, Verdict: InDoubt, ResponseBody: []byte("<html>\n&</html>")}
)

func TestLogHoldsWhatTheVendorAsksFor(t *testing.T) {
	const sig = `"signature":"POST https://api.example.com/v2/OpportunityManagement.svc/Capture"`
	for level, want := range map[LogLevel][]string{
		LogFull: {
			`{"time":"2026-11-22T05:00:00.123Z",` + sig + `,"params":"leadId=l-1","request":{"a":1,"b":"<x>"},"code":200,"verdict":"applied","ms":361}`,
			`{"time":"2026-11-22T05:00:00.123Z",` + sig + `,"request":{"a":1},"code":500,"verdict":"rejected","ms":0,"error":"no","response":{"Status":"Error","ExceptionType":"MXInvalidInputException","ExceptionMessage":"no"}}`,
			`{"time":"2026-11-22T05:00:00.123Z",` + sig + `,"request":"not JSON\n","code":0,"verdict":"in doubt","ms":0,"error":"no answer"}`,
			`{"time":"2026-11-22T05:00:00.123Z",` + sig + `,"code":502,"verdict":"in doubt","ms":0,"error":"in doubt","response":"\u003chtml\u003e\n\u0026\u003c/html\u003e"}`,
		},
		LogBrief: {
			`{"time":"2026-11-22T05:00:00.123Z",` + sig + `,"code":200}`,
			`{"time":"2026-11-22T05:00:00.123Z",` + sig + `,"code":500,"error":"no"}`,
			`{"time":"2026-11-22T05:00:00.123Z",` + sig + `,"code":0,"error":"no answer"}`,
			`{"time":"2026-11-22T05:00:00.123Z",` + sig + `,"code":502,"error":"in doubt"}`,
		},
	} {
		path := filepath.Join(t.TempDir(), "api.log")
		w, err := NewLogWriter(path, level, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range []LogEntry{goodEntry, badEntry, lostEntry, pageEntry} {
			w.Log(e)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got := readLog(t, path); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%v:\n%s\nwant\n%s", level, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if st, _ := os.Stat(path); runtime.GOOS != "windows" && st.Mode().Perm() != 0o600 {
			t.Errorf("mode %v", st.Mode())
		}
		w.Log(goodEntry) // after Close: nothing, and no panic
		if err := w.Close(); err != nil {
			t.Errorf("second close: %v", err)
		}
	}
}

func TestLogLevels(t *testing.T) {
	for in, want := range map[string]LogLevel{"full": LogFull, " Brief": LogBrief} {
		if got, err := ParseLogLevel(in); err != nil || got != want || !strings.EqualFold(got.String(), strings.TrimSpace(in)) {
			t.Errorf("%q is %v, %v", in, got, err)
		}
	}
	if _, err := ParseLogLevel("debug"); err == nil || !strings.Contains(err.Error(), "full or brief") {
		t.Errorf("%v", err)
	}
}

func TestLogIsAppendedTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "api.log")
	if err := os.WriteFile(path, []byte("{\"time\":\"a\"}\n{\"ti"), 0o644); err != nil {
		t.Fatal(err)
	}
	w, err := NewLogWriter(path, LogBrief, 0)
	if err != nil {
		t.Fatal(err)
	}
	w.Log(goodEntry)
	w.Close()
	b, _ := os.ReadFile(path)
	if lines := strings.Split(string(b), "\n"); len(lines) != 4 || lines[1] != `{"ti` || !json.Valid([]byte(lines[2])) {
		t.Errorf("%q", lines)
	}
	if st, _ := os.Stat(path); runtime.GOOS != "windows" && st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v of a file that was open to all", st.Mode())
	}
}

func TestLogRotates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "api.log")
	w, err := NewLogWriter(path, LogBrief, 400)
	if err != nil {
		t.Fatal(err)
	}
	const n = 60
	for i := range n {
		e := goodEntry
		e.Status = i
		w.Log(e)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	last := n
	for i := 0; i <= LogFiles; i++ {
		name := path
		if i > 0 {
			name = fmt.Sprintf("%s.%d", path, i)
		}
		st, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if st.Size() > 400 || runtime.GOOS != "windows" && st.Mode().Perm() != 0o600 {
			t.Errorf("%s: %d bytes, mode %v", name, st.Size(), st.Mode())
		}
		lines := readLog(t, name)
		for j := len(lines) - 1; j >= 0; j-- {
			if last--; !strings.Contains(lines[j], fmt.Sprintf(`"code":%d}`, last)) {
				t.Errorf("%s line %d is not of call %d: %s", name, j, last, lines[j])
			}
		}
	}
	if _, err := os.Stat(fmt.Sprintf("%s.%d", path, LogFiles+1)); !errors.Is(err, os.ErrNotExist) {
		t.Error("an older file is kept")
	}
}

func TestLongLineStandsAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "api.log")
	w, _ := NewLogWriter(path, LogFull, 100)
	e := goodEntry
	e.RequestBody = []byte(`"` + strings.Repeat("x", 1000) + `"`)
	w.Log(e)
	w.Log(e)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if len(readLog(t, path)) != 1 || len(readLog(t, path+".1")) != 1 {
		t.Error("lines are lost")
	}
}

// fullDisk takes some bytes and then no more.
type fullDisk struct {
	io.Writer
	left int
}

func (d *fullDisk) Write(p []byte) (int, error) {
	if len(p) > d.left {
		n := d.left
		d.left = 0
		return n, &os.PathError{Op: "write", Path: "api.log", Err: syscall.ENOSPC}
	}
	d.left -= len(p)
	return len(p), nil
}
func (d *fullDisk) Close() error { return nil }

func TestFullDiskIsReported(t *testing.T) {
	path := filepath.Join(t.TempDir(), "api.log")
	w, _ := NewLogWriter(path, LogBrief, 0)
	w.file.Close()
	disk := &fullDisk{left: 300}
	w.file = disk
	w.Log(goodEntry)
	if err := w.Err(); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		w.Log(goodEntry)
	}
	if err := w.Err(); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "api.log") {
		t.Errorf("%v", err)
	}
	if err := w.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("close: %v", err)
	}
	if err := w.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("second close: %v", err)
	}
}

func TestLogThatCannotBeOpened(t *testing.T) {
	if _, err := NewLogWriter(filepath.Join(t.TempDir(), "no", "api.log"), LogFull, 0); err == nil || !strings.Contains(err.Error(), "api.log") {
		t.Errorf("%v", err)
	}
	if _, err := NewLogWriter(t.TempDir(), LogFull, 0); err == nil {
		t.Error("a folder is opened")
	}
}

func TestRotationThatFailsIsReported(t *testing.T) {
	path := filepath.Join(t.TempDir(), "api.log")
	w, _ := NewLogWriter(path, LogBrief, 100)
	w.Log(goodEntry)
	w.open = func(string) (io.WriteCloser, int64, error) { return nil, 0, syscall.EROFS }
	w.Log(goodEntry)
	w.Log(goodEntry)
	if err := w.Close(); !errors.Is(err, syscall.EROFS) {
		t.Errorf("%v", err)
	}
}

func TestLogHidesKeys(t *testing.T) {
	for _, level := range []LogLevel{LogFull, LogBrief} {
		path := filepath.Join(t.TempDir(), "api.log")
		w, err := NewLogWriter(path, level, 0)
		if err != nil {
			t.Fatal(err)
		}
		w.Hide(NewSecret(testAccess), NewSecret(testSecret), NewSecret(testAsync), NewSecret(""), Secret{})
		all := testAccess + " " + testSecret + " " + testAsync + " u%24r0123456789abcdef s3cr3t%2Fwith%2Bsigns%26more"
		quoted, _ := json.Marshal(all)
		for _, body := range [][]byte{[]byte(all), quoted, []byte(`{"x":` + string(quoted) + `}`), []byte("\xff" + all)} {
			w.Log(LogEntry{Signature: "GET https://x/?k=" + all, Params: "k=" + all, RequestBody: body, ResponseBody: body, Status: 500, Message: all})
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		lines := readLog(t, path)
		hasNoKey(t, lines...)
		if len(lines) != 4 || !strings.Contains(lines[0], "***") {
			t.Errorf("%q", lines)
		}
	}
}

func TestLogIsSafeForManyAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "api.log")
	w, _ := NewLogWriter(path, LogFull, 20_000)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				w.Log(badEntry)
				w.Err()
			}
		})
	}
	wg.Wait()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range LogFiles + 1 {
		name := path
		if i > 0 {
			name = fmt.Sprintf("%s.%d", path, i)
		}
		if _, err := os.Stat(name); err == nil {
			readLog(t, name)
		}
	}
}

func BenchmarkLog(b *testing.B) {
	w, err := NewLogWriter(filepath.Join(b.TempDir(), "api.log"), LogFull, 1<<20)
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	w.Hide(NewSecret(testAccess), NewSecret(testSecret))
	b.ReportAllocs()
	for b.Loop() {
		w.Log(badEntry)
	}
}

// Whoever can put a link in the place of the log must not choose the file that is written.
func TestLogFollowsNoLink(t *testing.T) {
	dir := t.TempDir()
	victim, path := filepath.Join(dir, "victim"), filepath.Join(dir, "api.log")
	if err := os.WriteFile(victim, []byte("precious\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, path); err != nil {
		t.Skip("no links here: ", err)
	}
	for _, to := range []string{victim, filepath.Join(dir, "missing")} {
		os.Remove(path)
		if err := os.Symlink(to, path); err != nil {
			t.Fatal(err)
		}
		if w, err := NewLogWriter(path, LogFull, 0); err == nil {
			w.Close()
			t.Errorf("a link to %s is followed", to)
		}
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "precious\n" {
		t.Errorf("%q, %v", text, err)
	}
	if info, err := os.Stat(victim); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "missing")); err == nil {
		t.Error("a file was made at the end of a link")
	}
	if _, err := os.Stat("/dev/stderr"); err == nil {
		w, err := NewLogWriter("/dev/stderr", LogFull, 0)
		if err != nil {
			t.Fatal(err)
		}
		w.Close()
	}
}
