package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/text/unicode/norm"
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

	// HasKey, Identity and KeyText are those of Invalid and Skipped rows, too, where
	// their key can be read.
	HasKey   bool
	Identity [16]byte // hash of the key, or without one of the body
	// Spellings are the identities of a key that can be composed in several ways (é as
	// one character, or as e and an accent): as it is written, then in the forms NFC
	// and NFD. Identity is that of NFC until Respell has asked the ledger. nil: the key
	// has one spelling.
	Spellings [][16]byte
	KeyText   string // as people read it
	Digest    Digest // of the body
	Fresh     bool   // the ledger is known to have no record of the row
	// Source names the cells of the row and all by which they become values, so that rows
	// with the same Source have the same key and the same body; 0: not known.
	Source uint64

	// Want is a lead that has to be looked up before the row can be sent.
	WantField, WantValue string

	Ident  Ident // names the row's record
	Record int64 // the record's number; 0 for Invalid and Skipped, and for a new record until it is written
	SameAs int   // 1 + the place in its batch of the row whose new record this one shares; 0: none
	State  State // where the record stands
	Replan bool  // the record is to take the row's values, and to be sent
	Renew  bool  // the record has the row's values, and is to take its mark
	// Earlier returns the row as earlier mappings read it now, the newest first;
	// nil: there are none.
	Earlier func() []View
	// Remade are the fields of a loaded row that the mapping has gained or makes in
	// another way than when they were sent, Lost those that it has no more.
	Remade, Lost []string
	// Differs are the fields whose values are not those that were sent last, as
	// places in Digest.Names.
	Differs []int
	// Unfit says that the row cannot be sent as it is written, and that its record is
	// in the account (Keep).
	Unfit bool
	// Moved are the fields of a row that is reported as changed, for the sheet Changes.
	Moved []Kept
	// Offer is what a row that changed would have the record be known by. Stores keep
	// it while the record is not (Store.Offers, Store.Accept).
	Offer Digest
}

// View is a row of today as an earlier mapping reads it.
type View struct {
	Hash, Name string // of the mapping
	HasKey     bool
	Identity   [16]byte
	Spellings  [][16]byte
	Digest     Digest
}

// IdentOf returns what names the row's record as the mapping had it.
func (v *View) IdentOf(occurrence int) Ident {
	e := Entry{HasKey: v.HasKey, Identity: v.Identity}
	return e.IdentOf(occurrence)
}

// Digest is what the ledger keeps of a request body: a hash of the whole, and
// 4 bytes of hash for each field, enough to name a field that changed and too
// little to keep its value.
type Digest struct {
	Body   [16]byte
	Names  []string
	Prints []byte // of the values in their canonical form
	Raw    []byte // of the values as they are sent, as older records keep them
}

// Form is what the prints of a record are made of.
type Form uint8

// The forms of prints.
const (
	Raw       Form = iota // values as they were sent: records of older ledgers
	Canonical             // values in their canonical form
)

// BodySize is how many bytes of Digest.Body, or of what stands for it (Entry.Mark), a
// store keeps. They only tell that a record's own row has not changed: where they
// differ, the prints of its fields tell.
const BodySize = 8

// Digester makes digests. It shares the list of names between rows that have
// the same fields, and serves one goroutine.
type Digester struct {
	// Canonical returns the form of a value that is the same for all its
	// spellings; nil: a value is its own.
	Canonical func(string) string

	names []string
	last  []printed // of each field in the row before
	h     hash.Hash
}

// printed is a value with its prints. Many a field has the value of the row
// before: constants, stages, cities.
type printed struct {
	value      []byte
	raw, canon uint32
	made       bool
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
		d.names, d.last = make([]string, n), make([]printed, n)
		for i := range d.names {
			name, _ := field(i)
			d.names[i] = strings.Clone(name)
		}
	}
	prints := make([]byte, 0, 8*n)
	out := Digest{Names: d.names, Prints: prints[: 0 : 4*n], Raw: prints[4*n : 4*n : 8*n]}
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
		p := &d.last[i]
		if !p.made || string(p.value) != value {
			p.value, p.made = append(p.value[:0], value...), true
			p.raw = Print(value)
			p.canon = p.raw
			if d.Canonical != nil {
				p.canon = Print(d.Canonical(value))
			}
		}
		out.Raw = binary.LittleEndian.AppendUint32(out.Raw, p.raw)
		out.Prints = binary.LittleEndian.AppendUint32(out.Prints, p.canon)
	}
	d.h.Sum(sum[:0])
	copy(out.Body[:], sum[:])
	return out
}

// Print returns the 4 bytes of hash that the ledger keeps of a value (FNV-1a).
// They never change.
func Print(s string) uint32 {
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
	Form     Form   // of Prints
	Remote   string // its id in the account; "" while it has none
	Lead     string // the id of its lead; "" where it is not known
	Changing State  // of its update; 0: there is none
	Mapping  string // hash of the mapping that made what was sent last; "" where it is not known
}

// Print returns the print of a field; 0 where there is none.
func (r *Record) Print(field string) uint32 {
	p := printOf(r.Names, r.Prints, field, 0)
	if p == nil {
		return 0
	}
	return binary.LittleEndian.Uint32(p)
}

// With returns what the record is known by once it has the values of a row: a field
// that the row leaves out stays as it was sent.
func (r *Record) With(d Digest) Digest {
	out := Digest{Body: d.Body, Names: slices.Clip(d.Names), Prints: slices.Clip(d.Prints)}
	if r.Form != Canonical {
		return out // prints of another form say nothing beside these
	}
	for i, n := range r.Names {
		if p := printOf(r.Names, r.Prints, n, i); p != nil && !slices.Contains(d.Names, n) {
			out.Names, out.Prints = append(out.Names, n), append(out.Prints, p...)
		}
	}
	return out
}

// Policy is what a mapping says of rows that were loaded and have other values now.
type Policy struct {
	Update bool // what changed is sent
	Remake bool // what the mapping has gained or makes in another way now is sent
	// Ignored reports a field that is never looked at again; nil: there is none.
	Ignored func(field string) bool
	// Refused says why no update writes a field, "" where one does; and whether
	// nothing of the row may be written then. nil: all can be written.
	Refused func(field string) (why string, all bool)
}

// State is the one word for where the record stands.
func (r *Record) State() State { return StateOf(r.Fate, r.Creation) }

// Decide fills in what is to be done with a row: Verdict, State, Replan,
// Differs and the words. known is the ledger's record of it, or nil; earlier is
// the row of this pass that had the same key before, or 0. It is pure: import
// and check both decide by it.
func Decide(e *Entry, known *Record, earlier int, policy *Policy) {
	e.Record, e.Replan, e.Renew, e.Differs, e.Remade, e.Lost, e.Moved, e.Offer = 0, false, false, nil, nil, nil, nil, Digest{}
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
	same := e.unchanged(known)
	switch {
	case e.State.Ended() && known.Changing.Open():
		// Whatever the file says now, the account is asked about this one first.
		e.Verdict, e.State = Changing, known.Changing
	case e.State.Ended() && same:
		e.Verdict, e.Renew = Already, known.Body != e.Mark()
	case e.State.Ended():
		e.changes(known, policy)
	case e.State.Open() && !same:
		// The record keeps what was sent: it is what must be looked for.
		fields, _ := e.differing(known, &Policy{Remake: true})
		if len(fields) == 0 {
			return // other cells, or another mapping, make the same of it
		}
		e.Code = "row.changed"
		e.Msg = fmt.Sprintf("sent before with other values: %s changed", strings.Join(fields, ", "))
		e.Hint = "run the same command again when the row is settled"
	case !e.State.Open(): // Ready and Rejected
		e.State, e.Replan = Ready, true
	}
}

// Keep lets a row that cannot be sent as it is written stay what it is, where its
// record is in the account. Somebody has corrected it elsewhere, such as on the
// sheet Failed. It is pure, like Decide.
func Keep(e *Entry, known *Record) {
	if e.Verdict != Invalid || known.ID == 0 || !known.State().Ended() {
		return
	}
	e.Verdict, e.State, e.Record, e.Unfit = Already, known.State(), known.ID, true
	e.Code = "row.unfit"
	e.Msg = fmt.Sprintf("loaded before as %s; as it is written now it could not be sent: %s", known.Remote, e.Msg)
	e.Hint = "nothing for the account; correct the row in the file, so that what changes in it is seen again"
}

// Aside reports whether a row is to be looked up by its key alone: it is not to be
// sent, and the ledger may have its record.
func (e *Entry) Aside() bool { return e.HasKey && (e.Verdict == Invalid || e.Verdict == Skipped) }

// repeats marks a second line with the key of an earlier row.
func (e *Entry) repeats(row int) {
	e.Verdict, e.Code = Repeated, "row.repeated"
	e.Msg = fmt.Sprintf("the key %q is that of row %d already", e.KeyText, row)
	e.Hint = "give the row a key of its own, or delete it if it says the same thing twice"
}

// changes decides about a row whose record is loaded with other values.
func (e *Entry) changes(known *Record, policy *Policy) {
	fields, remade := e.differing(known, policy)
	if len(fields) == 0 {
		// What the mapping has gained or lost is told each time.
		e.Verdict, e.Renew = Already, e.Source != 0 && len(e.Remade)+len(e.Lost) == 0
		return
	}
	e.Offer = known.With(e.Digest)
	writable, blocked, why := false, false, ""
	for _, f := range fields {
		no, all := "", false
		if policy.Refused != nil {
			no, all = policy.Refused(f)
		}
		writable = writable || no == ""
		if no != "" && (why == "" || all) {
			why = fmt.Sprintf("%s: %s", f, no)
		}
		blocked = blocked || all
	}
	send := policy.Update || remade
	if send && writable && !blocked {
		e.Verdict, e.State = Changing, Ready
		return
	}
	e.Verdict, e.Code = Changed, "row.changed"
	e.Msg = fmt.Sprintf("loaded before as %s with other values: %s changed", known.Remote, strings.Join(fields, ", "))
	if send {
		e.Msg += "; " + why
		e.Hint = "change the record in the account and type leadload accept, or give the row a new key if it is a new record"
		return
	}
	e.Hint = "not sent again; add --on-change update to send what changed, or take the row as it is in the account with leadload accept"
}

// differing finds the fields of a row that are not as they were sent last, keeps
// their places and returns their names. A field that the row leaves out is no
// change: an empty cell says nothing. Nor is one that the mapping by which it was
// sent makes as it did then, unless the policy is to send it.
// It reports whether all that it returns are fields of that kind.
func (e *Entry) differing(known *Record, policy *Policy) (names []string, only bool) {
	prints, ignored := e.Digest.printed(known.Form), policy.Ignored
	var remade []string
	var places []int
	views := e.views(known)
	for i, n := range e.Digest.Names {
		if ignored != nil && ignored(n) {
			continue
		}
		sent := printOf(known.Names, known.Prints, n, i)
		if sent != nil && bytes.Equal(sent, prints[4*i:4*i+4]) {
			continue
		}
		if slices.ContainsFunc(views, func(v View) bool {
			return bytes.Equal(printOf(v.Digest.Names, v.Digest.printed(known.Form), n, i), sent)
		}) {
			e.Remade, remade, places = append(e.Remade, n), append(remade, n), append(places, i)
			continue
		}
		e.Differs = append(e.Differs, i)
		names = append(names, n)
	}
	for i, n := range known.Names {
		if slices.Contains(e.Digest.Names, n) {
			continue
		}
		for _, v := range views {
			if sent := printOf(known.Names, known.Prints, n, i); sent != nil && bytes.Equal(printOf(v.Digest.Names, v.Digest.printed(known.Form), n, i), sent) {
				e.Lost = append(e.Lost, n)
				break
			}
		}
	}
	// Beside values that changed and are only reported, the others wait with them.
	only = len(names) == 0 && policy.Remake
	if only || policy.Remake && policy.Update {
		names, e.Differs = append(names, remade...), append(e.Differs, places...)
	}
	return names, only
}

// views returns the row as those mappings read it that may have made what was
// sent last.
func (e *Entry) views(known *Record) (out []View) {
	if e.Earlier == nil {
		return nil
	}
	for _, v := range e.Earlier() {
		if known.Mapping == "" || v.Hash == known.Mapping {
			out = append(out, v)
		}
	}
	return out
}

// printed returns the prints in the form that a record has.
func (d *Digest) printed(form Form) []byte {
	if form == Raw && d.Raw != nil {
		return d.Raw
	}
	return d.Prints
}

// printOf returns the print of a field, which often has the place near; nil where
// there is none.
func printOf(names []string, prints []byte, name string, near int) []byte {
	at := near
	if at >= len(names) || names[at] != name {
		at = slices.Index(names, name)
	}
	if at < 0 || 4*at+4 > len(prints) {
		return nil
	}
	return prints[4*at : 4*at+4]
}

// Respell gives rows whose keys have several spellings the identity by which the
// ledger knows them: a ledger of an earlier version knows a row by its key as it was
// written then. One that is not known keeps that of NFC, so that all spellings of a
// key are one row.
func Respell(ctx context.Context, s Store, scope int64, entries ...*Entry) error {
	var idents []Ident
	for _, e := range entries {
		for _, spelling := range e.Spellings {
			idents = append(idents, (&Entry{HasKey: true, Identity: spelling}).IdentOf(1))
		}
	}
	if len(idents) == 0 {
		return nil
	}
	known := make([]Record, len(idents))
	if err := s.Known(ctx, scope, idents, known); err != nil {
		return err
	}
	for _, e := range entries {
		mine := known[:len(e.Spellings)]
		known = known[len(e.Spellings):]
		if at := slices.IndexFunc(mine, func(r Record) bool { return r.ID != 0 }); at >= 0 {
			e.Identity = e.Spellings[at]
		}
		e.Spellings = nil
	}
	return nil
}

// Named returns the records that have a key, however its accents are composed.
func Named(ctx context.Context, s Store, account int64, key string) ([]int64, error) {
	var all []int64
	for _, spelling := range slices.Compact([]string{key, norm.NFC.String(key), norm.NFD.String(key)}) {
		records, err := s.Keyed(ctx, account, spelling)
		if err != nil {
			return nil, err
		}
		all = append(all, records...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// Recognise looks for the record of a row that its identity does not name, by the
// identities that earlier mappings give the row now. Of equal rows, the first that
// asks gets the first record that is not taken; from remembers where the search for the
// next one begins, by their ident of occurrence 0. It returns the mapping's name; ""
// where the row is new.
func Recognise(ctx context.Context, s Store, scope int64, e *Entry, taken func(record int64) bool, from map[Ident]int, out *Record) (string, error) {
	if e.Earlier == nil {
		return "", nil
	}
	one := []Record{*out}
	for _, v := range e.Earlier() {
		if len(v.Spellings) > 0 {
			was := Entry{HasKey: true, Identity: v.Identity, Spellings: v.Spellings}
			if err := Respell(ctx, s, scope, &was); err != nil {
				return "", err
			}
			v.Identity = was.Identity
		}
		if v.HasKey == e.HasKey && v.Identity == e.Identity {
			continue // it has been asked for
		}
		equals := v.IdentOf(0)
		for n := max(from[equals], 1); ; n++ {
			ident := v.IdentOf(n)
			if err := s.Known(ctx, scope, []Ident{ident}, one); err != nil {
				return "", err
			}
			if n > 1 {
				from[equals] = n
			}
			if one[0].ID != 0 && !taken(one[0].ID) {
				*out = one[0]
				return v.Name, nil
			}
			if one[0].ID == 0 || v.HasKey {
				break
			}
		}
	}
	return "", nil
}
