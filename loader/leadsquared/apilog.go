package leadsquared

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// LogLevel is how much of a call is logged.
type LogLevel uint8

// The two levels that the vendor's error-handling page asks for.
const (
	// LogFull is for the time of an integration: signature, URL parameters,
	// request body, response code, and on an error the response body.
	LogFull LogLevel = iota
	// LogBrief is for when it is stable: signature, response code, error message.
	LogBrief
)

// ParseLogLevel reads "full" or "brief".
func ParseLogLevel(s string) (LogLevel, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "full":
		return LogFull, nil
	case "brief":
		return LogBrief, nil
	}
	return 0, fmt.Errorf("api log level %q is not known: use full or brief", s)
}

// String gives the word that ParseLogLevel reads.
func (l LogLevel) String() string {
	if l == LogBrief {
		return "brief"
	}
	return "full"
}

// LogFiles is how many former files are kept beside the log: x.log.1 is the youngest.
const LogFiles = 5

// LogWriter writes calls to a file as JSON lines. Its Log fits Config.Log. It is safe for
// concurrent use within one process.
//
// The first failure, a full disk for example, ends the log: nothing more is
// written, and Err gives the failure from then on, so that a run can stop
// sending before it makes calls that nobody can look up.
type LogWriter struct {
	path  string
	level LogLevel
	max   int64
	keys  *Veil

	mu     sync.Mutex
	file   io.WriteCloser
	size   int64
	failed atomic.Pointer[error]
	open   func(path string) (io.WriteCloser, int64, error)
}

// NewLogWriter opens the log at path, appends to what is there, and rotates it
// before it grows beyond maxBytes; 0 is 50 MiB. The file can be read by its
// owner only.
func NewLogWriter(path string, level LogLevel, maxBytes int64) (*LogWriter, error) {
	if maxBytes <= 0 {
		maxBytes = 50 << 20
	}
	w := &LogWriter{path: path, level: level, max: maxBytes, keys: NewVeil(), open: openLog}
	f, size, err := w.open(path)
	if err != nil {
		return nil, fmt.Errorf("api log %q cannot be opened: %w", path, err)
	}
	w.file, w.size = f, size
	return w, nil
}

// Hide names keys that must never be in the log, should an entry hold them all
// the same. A Client's entries hold none of its own keys.
func (w *LogWriter) Hide(keys ...Secret) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keys.hide(keys...)
}

var errLink = errors.New("it is a link: whoever made it would choose the file that is written")

// openLog opens a log for appending. A link to a file is not followed, one to a pipe
// or a device, such as /dev/stderr, is.
func openLog(path string) (io.WriteCloser, int64, error) {
	const flags = os.O_RDWR | os.O_APPEND | os.O_CREATE
	link, err := os.Lstat(path)
	if err == nil && link.Mode()&os.ModeSymlink != 0 {
		if at, err := os.Stat(path); err != nil || at.Mode().IsRegular() {
			return nil, 0, errLink
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return nil, 0, err
		}
		if st, err := f.Stat(); err != nil || st.Mode().IsRegular() { // changed meanwhile
			return nil, 0, errors.Join(errLink, f.Close())
		}
		return f, 0, nil
	}
	f, err := os.OpenFile(path, flags|noFollow, 0o600)
	if err != nil {
		return nil, 0, err
	}
	size, err := func() (int64, error) {
		st, err := f.Stat()
		if err != nil {
			return 0, err
		}
		if !st.Mode().IsRegular() {
			return 0, nil // a pipe or a device has no size and no rights to set
		}
		// The file may be older and open to others: it holds personal data.
		if err := f.Chmod(0o600); err != nil && st.Mode().Perm()&0o077 != 0 && !errors.Is(err, errors.ErrUnsupported) {
			return 0, err
		}
		size := st.Size()
		if size == 0 {
			return 0, nil
		}
		// A line that a crash cut off is closed, so that it spoils no other.
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, size-1); err != nil {
			return 0, err
		}
		if last[0] != '\n' {
			n, err := f.Write([]byte{'\n'})
			return size + int64(n), err
		}
		return size, nil
	}()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, size, nil
}

// fullLine and briefLine fix the order of a line's members.
type fullLine struct {
	Time      string          `json:"time"`
	Signature string          `json:"signature"`
	Params    string          `json:"params,omitempty"`
	Request   json.RawMessage `json:"request,omitempty"`
	Code      int             `json:"code"`
	Verdict   string          `json:"verdict"`
	Millis    int64           `json:"ms"`
	Error     string          `json:"error,omitempty"`
	Response  json.RawMessage `json:"response,omitempty"`
}

type briefLine struct {
	Time      string `json:"time"`
	Signature string `json:"signature"`
	Code      int    `json:"code"`
	Error     string `json:"error,omitempty"`
}

// Log writes one call. Code 0 is a call without an answer.
func (w *LogWriter) Log(e LogEntry) {
	if w.failed.Load() != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	line, err := w.line(e)
	if err == nil {
		err = w.write(line)
	}
	if err != nil {
		w.fail(err)
	}
}

func (w *LogWriter) line(e LogEntry) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	when := e.Time.UTC().Format("2006-01-02T15:04:05.000Z")
	words := ""
	good := e.Verdict == Applied || e.Verdict == Duplicate || e.Verdict == Accepted
	if !good {
		if words = w.keys.Text(e.Message); words == "" {
			words = e.Verdict.String()
		}
	}
	var err error
	if w.level == LogBrief {
		err = enc.Encode(briefLine{when, w.keys.Text(e.Signature), e.Status, words})
	} else {
		l := fullLine{
			Time: when, Signature: w.keys.Text(e.Signature), Params: w.keys.Text(e.Params), Request: w.body(e.RequestBody),
			Code: e.Status, Verdict: e.Verdict.String(), Millis: e.Duration.Round(time.Millisecond).Milliseconds(), Error: words,
		}
		if !good || e.Status >= 300 {
			l.Response = w.body(e.ResponseBody)
		}
		err = enc.Encode(l)
	}
	return b.Bytes(), err
}

// body gives JSON as JSON and everything else as a text.
func (w *LogWriter) body(b []byte) json.RawMessage {
	if len(b) == 0 {
		return nil
	}
	if b = w.keys.bytes(b); json.Valid(b) {
		var c bytes.Buffer
		if json.Compact(&c, b) == nil { // one line
			return c.Bytes()
		}
	}
	quoted, _ := json.Marshal(strings.ToValidUTF8(string(b), "\uFFFD"))
	// What Marshal escapes might have been a key's "&": look once more.
	return w.keys.bytes(quoted)
}

func (w *LogWriter) write(line []byte) error {
	if w.size > 0 && w.size+int64(len(line)) > w.max {
		if err := w.rotate(); err != nil {
			return err
		}
	}
	n, err := w.file.Write(line)
	w.size += int64(n)
	return err
}

// rotate makes x.log into x.log.1, that into x.log.2 and so on.
func (w *LogWriter) rotate() error {
	err := w.file.Close() // before the renames: Windows renames no open file
	w.file = nil
	if err != nil {
		return err
	}
	name := func(n int) string { return w.path + "." + strconv.Itoa(n) }
	if err := os.Remove(name(LogFiles)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for n := LogFiles - 1; n >= 1; n-- {
		if err := os.Rename(name(n), name(n+1)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := os.Rename(w.path, name(1)); err != nil {
		return err
	}
	w.file, w.size, err = w.open(w.path)
	return err
}

func (w *LogWriter) fail(err error) {
	err = fmt.Errorf("api log %q: %w", w.path, err)
	w.failed.CompareAndSwap(nil, &err)
}

// Err gives the first failure; nil is none. It is cheap enough to ask before every call.
func (w *LogWriter) Err() error {
	if p := w.failed.Load(); p != nil {
		return *p
	}
	return nil
}

// Close closes the log. Its error is the first failure of all.
func (w *LogWriter) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file != nil {
		if err := w.file.Close(); err != nil {
			w.fail(err)
		}
		w.file = nil
		if w.Err() == nil {
			w.failed.Store(&errLogClosed)
			return nil
		}
	}
	if err := w.Err(); err != errLogClosed {
		return err
	}
	return nil
}

var errLogClosed = errors.New("api log is closed")
