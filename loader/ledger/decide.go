package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"unsafe"
)

// Ident names a record within its scope: a hash of its key, or without one of
// its body and its occurrence in the file.
type Ident [16]byte

// Entry is one row of a file as the first pass sees it, and what was decided
// about it.
type Entry struct {
	Number, Line, Origin int
	Fingerprint          uint64

	// Verdict is Invalid or Skipped when the row is not to be looked at any
	// further, with Code, Msg and Hint; otherwise 0 until it is decided.
	Verdict         Verdict
	Code, Msg, Hint string

	HasKey   bool
	Identity [16]byte // hash of the key, or without one of the body
	KeyText  string   // as people read it
	Digest   Digest   // of the body
	Fresh    bool     // the ledger is known to have no record of the row

	// Want is a lead that has to be looked up before the row can be sent.
	WantField, WantValue string

	Ident  Ident // names the row's record
	Record int64 // the record's number; 0 for Invalid and Skipped, and for a new record until it is written
	SameAs int   // 1 + the place in its batch of the row whose new record this one shares; 0: none
	State  State // where the record stands
	Replan bool  // the record is to take the row's values, and to be sent
}

// Digest is what the ledger keeps of a request body: a hash of the whole, and
// 4 bytes of hash for each field, enough to name a field that changed and too
// little to keep its value.
type Digest struct {
	Body   [16]byte
	Names  []string
	Prints []byte
}

// BodySize is how many bytes of Digest.Body a store keeps. They only tell
// whether a record's own row has changed, beside the prints of its fields.
const BodySize = 8

// Digester makes digests. It shares the list of names between rows that have
// the same fields, and serves one goroutine.
type Digester struct {
	names []string
	h     hash.Hash
}

// Digest hashes a body of n fields.
func (d *Digester) Digest(n int, field func(i int) (name, value string)) Digest {
	if d.h == nil {
		d.h = sha256.New()
	}
	same := n == len(d.names)
	for i := 0; i < n && same; i++ {
		name, _ := field(i)
		same = name == d.names[i]
	}
	if !same {
		d.names = make([]string, n)
		for i := range d.names {
			name, _ := field(i)
			d.names[i] = strings.Clone(name)
		}
	}
	out := Digest{Names: d.names, Prints: make([]byte, 0, 4*n)}
	d.h.Reset()
	var sum [32]byte
	var size [8]byte
	for i := 0; i < n; i++ {
		name, value := field(i)
		binary.LittleEndian.PutUint32(size[:4], uint32(len(name)))
		binary.LittleEndian.PutUint32(size[4:], uint32(len(value)))
		d.h.Write(size[:])
		d.h.Write(unsafeBytes(name))
		d.h.Write(unsafeBytes(value))
		out.Prints = binary.LittleEndian.AppendUint32(out.Prints, print32(value))
	}
	d.h.Sum(sum[:0])
	copy(out.Body[:], sum[:])
	return out
}

// print32 is a stable 32-bit hash (FNV-1a).
func print32(s string) uint32 {
	h := uint32(2166136261)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}

// unsafeBytes views a string as bytes for a hash, which only reads them.
func unsafeBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// HashIdentity hashes the parts of a row's identity, each with its length.
func HashIdentity(parts ...string) [16]byte {
	var buf [128]byte
	b := buf[:0]
	for _, p := range parts {
		b = append(append(strconv.AppendInt(b, int64(len(p)), 10), ':'), p...)
	}
	h := sha256.Sum256(b)
	return [16]byte(h[:16])
}

// IdentOf returns what names the row's record. Without a key, rows with the
// same body are told apart by their occurrence in the file: 1, 2, …
func (e *Entry) IdentOf(occurrence int) Ident {
	var b [25]byte
	if e.HasKey {
		b[0], occurrence = 'k', 0
	} else {
		b[0] = 'b'
	}
	binary.LittleEndian.PutUint64(b[1:], uint64(occurrence))
	copy(b[9:], e.Identity[:])
	h := sha256.Sum256(b[:])
	return Ident(h[:16])
}

// Record is what the ledger knows of one row.
type Record struct {
	ID       int64 // 0: there is no record
	Fate     Fate
	Creation State // of its creation, where that has something to say; otherwise 0
	Body     [BodySize]byte
	Names    []string // of the fields that Prints has 4 bytes for; shared, not to be changed
	Prints   []byte
	Remote   string // its id in the account; "" while it has none
}

// State is the one word for where the record stands.
func (r *Record) State() State { return StateOf(r.Fate, r.Creation) }

// Decide fills in what is to be done with a row: Verdict, State, Replan and
// the words. known is the ledger's record of it, or nil; earlier is the row of
// this pass that had the same key before, or 0. It is pure: import and check
// both decide by it.
func Decide(e *Entry, known *Record, earlier int) {
	e.Record, e.Replan = 0, false
	if known != nil {
		e.Record = known.ID
	}
	if earlier != 0 {
		if known != nil {
			e.State = known.State()
		}
		e.repeats(earlier)
		return
	}
	e.Verdict, e.State = Due, Ready
	if known == nil {
		return
	}
	e.State = known.State()
	same := bytes.Equal(e.Digest.Body[:BodySize], known.Body[:])
	switch {
	case e.State.Ended() && same:
		e.Verdict = Already
	case e.State.Ended():
		e.changes(known.Remote, diffFields(known.Names, known.Prints, e.Digest))
	case e.State.Open() && !same:
		// The record keeps what was sent: it is what must be looked for.
		e.Code = "row.changed"
		e.Msg = fmt.Sprintf("sent before with other values: %s changed", strings.Join(diffFields(known.Names, known.Prints, e.Digest), ", "))
		e.Hint = "run the same command again when the row is settled"
	case !e.State.Open(): // Ready and Rejected
		e.State, e.Replan = Ready, true
	}
}

// repeats marks a second line with the key of an earlier row.
func (e *Entry) repeats(row int) {
	e.Verdict, e.Code = Repeated, "row.repeated"
	e.Msg = fmt.Sprintf("the key %q is that of row %d already", e.KeyText, row)
	e.Hint = "give the row a key of its own, or delete it if it says the same thing twice"
}

// changes marks a row whose record is loaded with other values.
func (e *Entry) changes(remote string, fields []string) {
	e.Verdict, e.Code = Changed, "row.changed"
	e.Msg = fmt.Sprintf("loaded before as %s with other values: %s changed", remote, strings.Join(fields, ", "))
	e.Hint = "not sent again; change the record in the account, or give the row a new key if it is a new record"
}

// diffFields names the fields that differ between a record's prints and a digest.
func diffFields(names []string, prints []byte, d Digest) []string {
	old := map[string]string{}
	for i, n := range names {
		if 4*i+4 <= len(prints) {
			old[n] += string(prints[4*i : 4*i+4])
		}
	}
	now := map[string]string{}
	for i, n := range d.Names {
		now[n] += string(d.Prints[4*i : 4*i+4])
	}
	var diff []string
	for i, n := range d.Names {
		if old[n] != now[n] && !slices.Contains(d.Names[:i], n) {
			diff = append(diff, n)
		}
	}
	for i, n := range names {
		if _, ok := now[n]; !ok && !slices.Contains(names[:i], n) {
			diff = append(diff, n)
		}
	}
	if len(diff) == 0 {
		diff = []string{"the order of the fields"}
	}
	return diff
}
