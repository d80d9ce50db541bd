package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// bench is one run of this program.
type bench struct {
	ctx     context.Context
	short   bool
	profile string // of the CPU; "" is none
	heap    string // of the heap
	dir     string // thrown away at the end
	self    string // this program's file
	base    string // an earlier build of leadload; "" is none
	stderr  io.Writer
	states  int // folders for ledgers and locks handed out
}

func newBench(ctx context.Context, short bool, profile, heap string, stderr io.Writer) (*bench, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	for _, path := range []*string{&profile, &heap} {
		if *path != "" {
			if *path, err = filepath.Abs(*path); err != nil {
				return nil, err
			}
		}
	}
	dir, err := os.MkdirTemp("", "leadload-bench-*")
	if err != nil {
		return nil, err
	}
	b := &bench{ctx: ctx, short: short, profile: profile, heap: heap, dir: dir, self: self, stderr: stderr}
	return b, os.WriteFile(b.mapping(), []byte(mappingText), 0o600)
}

func (b *bench) close() { os.RemoveAll(b.dir) }

func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.stderr, format+"\n", args...) }

// either is long, or with -short the other number.
func (b *bench) either(long, short int) int {
	if b.short {
		return short
	}
	return long
}

func (b *bench) mapping() string { return filepath.Join(b.dir, "rows.yaml") }

// state is a new folder for what leadload keeps between runs.
func (b *bench) state() string {
	b.states++
	dir := filepath.Join(b.dir, fmt.Sprint("state-", b.states))
	if err := os.Mkdir(dir, 0o700); err != nil {
		b.say("%s", err) // whoever uses the folder fails and says so
	}
	return dir
}

// ended is how a process ended.
type ended struct {
	took   time.Duration
	user   time.Duration // of the processor; other processes do not change it much
	peak   int64         // resident memory, bytes; 0: not known
	stdout []byte
}

// decode reads what the process printed as JSON.
func (e ended) decode(v any) error { return json.Unmarshal(e.stdout, v) }

// command is this program in a role, with the variables and no others of leadload's.
func (b *bench) command(env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(b.ctx, b.self, args...)
	b.dress(cmd, env)
	return cmd
}

func (b *bench) dress(cmd *exec.Cmd, env []string) {
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "LEADSQUARED_") || strings.HasPrefix(v, "LEADLOAD_") || strings.HasPrefix(v, "XDG_STATE_HOME=")
	})
	cmd.Env = append(cmd.Env, env...)
	cmd.Dir = b.dir
}

// start runs a role to its end.
func (b *bench) start(env []string, args ...string) (ended, error) {
	return b.wait(b.command(env, args...))
}

func (b *bench) wait(cmd *exec.Cmd) (ended, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	err := cmd.Run()
	e := ended{took: time.Since(began), stdout: stdout.Bytes()}
	if cmd.ProcessState != nil {
		e.peak, e.user = peakMemory(cmd.ProcessState), cmd.ProcessState.UserTime()
	}
	if err != nil {
		tail := strings.Join(strings.Fields(stderr.String()), " ")
		if len(tail) > 400 {
			tail = "… " + tail[len(tail)-400:]
		}
		return e, fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args[1:min(3, len(cmd.Args))], " "), err, tail)
	}
	return e, nil
}

// leadload runs an import of a file that must end with every row loaded.
func (b *bench) leadload(a *practice, state, file string, flags ...string) (ended, error) {
	return b.wait(b.leadloadCommand(a, state, file, flags...))
}

func (b *bench) leadloadCommand(a *practice, state, file string, flags ...string) *exec.Cmd {
	return b.leadloadBy(a, state, b.mapping(), file, flags...)
}

// leadloadBy is leadloadCommand with another mapping.
func (b *bench) leadloadBy(a *practice, state, mapped, file string, flags ...string) *exec.Cmd {
	out := filepath.Join(state, "results.xlsx") // the second of a state gets a number by itself
	args := append([]string{"@leadload", "import", file, "-m", mapped, "-q", "--yes", "-o", out}, flags...)
	return b.command(a.env(state), args...)
}

// file gives a CSV file of n rows, made once.
func (b *bench) file(n int) (string, error) {
	path := filepath.Join(b.dir, fmt.Sprintf("rows-%d.csv", n))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	return path, writeCSV(path, n)
}

func megabytes(n int64) string {
	if n == 0 {
		return "memory not known here"
	}
	return fmt.Sprintf("%d MB", n/1_000_000)
}
