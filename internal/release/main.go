// Command release builds the archives that people download:
//
//	go run ./internal/release                      all systems, into dist/
//	go run ./internal/release -o DIR -only linux/amd64,windows/arm64
//
// An archive holds the program, its man page, completions and the samples, and
// SHA256SUMS names the checksum of each. The same commit and the same Go
// release make the same bytes, on any machine and in any folder: times are the
// commit's, paths are trimmed, and nothing else of the machine goes in.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"leadload/samples"
)

// platforms are the systems that archives are built for.
var platforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	flags.SetOutput(stderr)
	out := flags.String("o", "dist", "folder for the archives")
	only := flags.String("only", strings.Join(platforms, ","), "systems, with commas")
	dirty := flags.Bool("dirty", false, "build although files are changed; such archives cannot be built again")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	list := strings.Split(*only, ",")
	for _, p := range list {
		if !slices.Contains(platforms, p) {
			fmt.Fprintf(stderr, "release: -only must name systems of %s, not %q\n", strings.Join(platforms, ", "), p)
			return 2
		}
	}
	b := &builder{source: ".", allowDirty: *dirty}
	if err := b.build(ctx, *out, list, stdout); err != nil {
		fmt.Fprintf(stderr, "release: %s\n", err)
		return 1
	}
	return 0
}

// builder builds the archives of the commit that is checked out in source.
type builder struct {
	source     string
	allowDirty bool
	work       string    // for programs before they are packed
	time       time.Time // the commit's
	version    string    // as the program reports it
}

// build writes an archive for each platform and SHA256SUMS into out.
func (b *builder) build(ctx context.Context, out string, list []string, log io.Writer) (err error) {
	if err := b.commit(ctx); err != nil {
		return err
	}
	if b.work, err = os.MkdirTemp("", "leadload-release-*"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.work)) }()
	common, err := b.common(ctx)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	var sums []string
	for _, p := range list {
		program, err := b.program(ctx, p)
		if err != nil {
			return err
		}
		system, arch, _ := strings.Cut(p, "/")
		name := fmt.Sprintf("leadload-%s-%s-%s", b.version, system, arch)
		files := slices.Clone(common)
		var archive []byte
		if system == "windows" {
			files = append(files, file{name: "leadload.exe", text: program, executable: true})
			archive, err = zipped(name, files, b.time)
			name += ".zip"
		} else {
			files = append(files, file{name: "leadload", text: program, executable: true})
			archive, err = tarred(name, files, b.time)
			name += ".tar.gz"
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(out, name), archive, 0o644)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		sums = append(sums, fmt.Sprintf("%x  %s\n", sha256.Sum256(archive), name))
		fmt.Fprintf(log, "%s  %d bytes\n", filepath.Join(out, name), len(archive))
	}
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(strings.Join(sums, "")), 0o644)
}

// commit reads the time of the commit, and refuses changed files.
func (b *builder) commit(ctx context.Context) error {
	changed, err := b.output(ctx, nil, "git", "status", "--porcelain")
	if err != nil {
		return fmt.Errorf("the archives are those of a commit, so this must be a clone with git: %w", err)
	}
	if len(changed) > 0 && !b.allowDirty {
		return fmt.Errorf("files differ from the commit; commit them first:\n%s", changed)
	}
	text, err := b.output(ctx, nil, "git", "log", "-1", "--format=%ct")
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	b.time = time.Unix(seconds, 0).UTC()
	return err
}

// program builds the program for a platform. Nothing in it depends on the
// folder or the settings of the machine.
func (b *builder) program(ctx context.Context, platform string) ([]byte, error) {
	system, arch, _ := strings.Cut(platform, "/")
	path := filepath.Join(b.work, system+"-"+arch)
	if text, err := os.ReadFile(path); err == nil {
		return text, nil // built before, for the man page
	}
	env := []string{"CGO_ENABLED=0", "GOOS=" + system, "GOARCH=" + arch, "GOFLAGS=", "GOEXPERIMENT=", "GOAMD64=v1", "GOARM64=v8.0", "GOFIPS140=off"}
	if _, err := b.output(ctx, env, "go", "build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w -buildid=", "-o", path, "."); err != nil {
		return nil, err
	}
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if b.version = info.Main.Version; b.version == "" || b.version == "(devel)" {
		return nil, errors.New("the program does not know its version: it must be built in a clone, with git")
	}
	return os.ReadFile(path)
}

// common returns the files of every archive: man page and completions, which
// the program of this machine prints, and the samples.
func (b *builder) common(ctx context.Context) ([]file, error) {
	host := runtime.GOOS + "/" + runtime.GOARCH
	if _, err := b.program(ctx, host); err != nil {
		return nil, err
	}
	program := filepath.Join(b.work, runtime.GOOS+"-"+runtime.GOARCH)
	var files []file
	for _, p := range []struct {
		name string
		args []string
	}{
		{"leadload.1", []string{"help", "--man"}},
		{"completions/leadload.bash", []string{"completion", "bash"}},
		{"completions/leadload.zsh", []string{"completion", "zsh"}},
		{"completions/leadload.fish", []string{"completion", "fish"}},
		{"completions/leadload.ps1", []string{"completion", "powershell"}},
	} {
		text, err := b.output(ctx, []string{"TZ=UTC", fmt.Sprintf("SOURCE_DATE_EPOCH=%d", b.time.Unix())}, program, p.args...)
		if err != nil {
			return nil, err
		}
		files = append(files, file{name: p.name, text: text})
	}
	err := fs.WalkDir(samples.FS, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := samples.FS.ReadFile(path)
		files = append(files, file{name: "samples/" + path, text: text})
		return err
	})
	return files, err
}

// output runs a command in the source folder and returns what it prints.
func (b *builder) output(ctx context.Context, env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = b.source
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, stderr.Bytes())
	}
	return stdout.Bytes(), nil
}
