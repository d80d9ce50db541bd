package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// largeCheck measures the memory of a check whose file has very many rows, and
// of one whose rows are very wide. With -base, an earlier build does the same in turns.
func largeCheck(b *bench) ([]line, error) {
	rows, wide := b.either(4_000_000, 400_000), b.either(2_000, 200)
	var lines []line
	for _, c := range []struct {
		rows, columns, mapped int
		most                  int64
		speed                 float64 // of the earlier build's; 0: any
	}{{rows, 5, 5, 160_000_000, 0.9}, {wide, 16_000, 20, 300_000_000, 0}} {
		file := filepath.Join(b.dir, fmt.Sprintf("large-%d.csv", c.columns))
		mapped := filepath.Join(b.dir, fmt.Sprintf("large-%d.yaml", c.columns))
		if err := errors.Join(writeLarge(file, c.rows, c.columns), os.WriteFile(mapped, []byte(largeMapping(c.columns, c.mapped)), 0o600)); err != nil {
			return lines, err
		}
		var ours, base []float64
		var ratios []float64
		var peak, basePeak int64
		for range 3 {
			args := []string{"@leadload", "check", file, "-m", mapped, "--sandbox", "-q"}
			if b.base != "" {
				cmd := b.command([]string{"XDG_STATE_HOME=" + b.state()}, args...)
				cmd.Path, cmd.Args = b.base, append([]string{b.base}, cmd.Args[2:]...)
				e, err := b.wait(cmd)
				if err != nil {
					return lines, err
				}
				base, basePeak = append(base, e.user.Seconds()), max(basePeak, e.peak)
			}
			e, err := b.start([]string{"XDG_STATE_HOME=" + b.state()}, args...)
			if err != nil {
				return lines, err
			}
			ours, peak = append(ours, e.user.Seconds()), max(peak, e.peak)
			if b.base != "" {
				ratios = append(ratios, base[len(base)-1]/e.user.Seconds())
			}
		}
		what := fmt.Sprintf("check of %s × %s, %d mapped, with a key", count(c.rows), count(c.columns), c.mapped)
		memory := line{what: what + ": peak memory", target: "≤ " + megabytes(c.most), measured: megabytes(peak), verdict: judge(peak <= c.most)}
		if peak == 0 {
			memory.verdict = skipped
		}
		speed := line{what: "the same: processor time of the program", measured: fmt.Sprintf("%.2f s", median(ours)), verdict: noted}
		if c.speed > 0 {
			speed.target, speed.verdict = fmt.Sprintf("≥ %.1f times an earlier build's speed", c.speed), skipped
		}
		if b.base != "" {
			memory.measured += "; before " + megabytes(basePeak)
			speed.measured += fmt.Sprintf("; before %.2f s", median(base))
			speed.ratio = median(ratios)
			if c.speed > 0 {
				speed.verdict = judge(speed.ratio >= c.speed)
			}
		}
		lines = append(lines, memory, speed)
		if err := os.Remove(file); err != nil {
			return lines, err
		}
	}
	return lines, nil
}

// largeMapping maps the key, an e-mail and other columns up to their number.
func largeMapping(columns, mapped int) string {
	var s strings.Builder
	s.WriteString("version: 1\ntarget: opportunity\nkey: C0\nsearch_by: EmailAddress\nLeadDetails:\n  EmailAddress: {column: C1, type: email}\nOpportunity:\n  OpportunityEventCode: 12000\n  Fields:\n")
	for i := 1; i <= mapped-2; i++ {
		fmt.Fprintf(&s, "    mx_Custom_%d: C%d\n", i, 1+i*(columns-2)/(mapped-2))
	}
	return s.String()
}

// writeLarge writes rows with a key and an e-mail first.
func writeLarge(path string, rows, columns int) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	w.WriteString("C0")
	for c := 1; c < columns; c++ {
		fmt.Fprintf(w, ",C%d", c)
	}
	var text []byte
	for i := range rows {
		text = fmt.Appendf(text[:0], "\nD-%07d,person%d@example.com", i, i%300_000)
		for c := 2; c < columns; c++ {
			text = fmt.Appendf(text, ",v%d-%d", i%1000, c)
		}
		w.Write(text) // Flush reports its error
	}
	w.WriteByte('\n')
	return errors.Join(w.Flush(), f.Close())
}
