package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/bits"
	"os"

	"leadload/loader/ledger"
)

// wholeCheck is up to which size a ledger is checked whole whenever it is opened.
const wholeCheck = 8 << 20

func (l *Ledger) corrupt(format string, args ...any) error {
	return &ledger.Error{Code: "ledger.corrupt", Place: ledger.At(l.path), Msg: "the file is damaged: " + fmt.Sprintf(format, args...), Hint: corruptHint}
}

// namesHash is a hash of what accounts and scopes are called. These tables have
// no index beside them that would show a damaged byte, and one would make a new
// account of an old one.
func namesHash(ctx context.Context, q querier) (string, error) {
	h := sha256.New()
	for _, text := range []string{
		"SELECT name || char(0) || account FROM account_names ORDER BY name, account",
		"SELECT id || char(0) || account || char(0) || target FROM scopes ORDER BY id",
	} {
		rows, err := q.QueryContext(ctx, text)
		if err != nil {
			return "", err
		}
		for rows.Next() {
			var s []byte
			if err := rows.Scan(&s); err != nil {
				return "", errors.Join(err, rows.Close())
			}
			fmt.Fprintf(h, "%d:%s", len(s), s)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// seal notes the hash of the names after they have changed.
func (w *writer) seal() error {
	hash, err := namesHash(context.Background(), w.conn)
	if err != nil {
		return err
	}
	return w.note(sealed, hash)
}

// unbroken verifies the names. A ledger of an earlier version has no seal yet.
func (l *Ledger) unbroken(ctx context.Context) error {
	want, err := l.meta(ctx, sealed)
	if err != nil || want == "" {
		return err
	}
	got, err := namesHash(ctx, l.db)
	if err != nil {
		return l.fault(err)
	}
	if got != want {
		return l.corrupt("the names of accounts are not those that were written")
	}
	return nil
}

// nearTail is how many bits of 64 may differ between what names a record and
// what stands there, for the difference to be damage: two names that begin with
// the same 64 bits are all but impossible, and then differ in about half of the rest.
const nearTail = 16

// damaged returns an error for a record that stands where another is looked
// for, and all but has its name.
func (l *Ledger) damaged(id int64, tail []byte, ident *ledger.Ident) error {
	want := ident[8:]
	if len(tail) == len(ident) {
		want = ident[:]
	}
	if len(tail) != len(want) {
		return l.corrupt("what names record %d has %d bytes", id, len(tail))
	}
	n := 0
	for i := range tail {
		n += bits.OnesCount8(tail[i] ^ want[i])
	}
	if n > 0 && n <= nearTail {
		return l.corrupt("what names record %d is not what was written", id)
	}
	return nil
}

// sound returns an error for a record that says what no record can.
func (l *Ledger) sound(id int64, fate ledger.Fate, remote any) error {
	if fate < ledger.Absent || fate > ledger.Matched || fate == ledger.Absent && idText(remote) != "" {
		return l.corrupt("record %d says of itself what cannot be", id)
	}
	return nil
}

// prove verifies that the index of what names records has each of them: without
// that, a record that is not found proves nothing. It reads the whole table once,
// before the first row that is new, and only where opening did not.
func (w *writer) prove() error {
	if w.proved {
		return nil
	}
	w.proved = true
	if info, err := os.Stat(w.l.path); err == nil && info.Size() < wholeCheck {
		return nil
	}
	const sums = "SELECT count(*), coalesce(sum(hash & 4294967295), 0), coalesce(sum((hash >> 32) & 4294967295), 0) FROM records "
	var table, index [3]int64
	if err := w.row(sums+"NOT INDEXED").Scan(&table[0], &table[1], &table[2]); err != nil {
		return err
	}
	if err := w.row(sums+"INDEXED BY records_hash").Scan(&index[0], &index[1], &index[2]); err != nil {
		return err
	}
	if table != index {
		return w.l.corrupt("the index of records has others than the table")
	}
	return nil
}
