package ledger

import "time"

// Baseline is what the account's value of a field is compared with, beside the
// print of what was sent last for a row. It is about a record, or about a lead,
// into which several rows write.
type Baseline struct {
	ID    string `json:"i"` // of the record or the lead, in the account
	Lead  bool   `json:"l,omitempty"`
	Field string `json:"f"`
	Sent  uint32 `json:"s"` // print of what was sent last: of a record, it holds for that alone
	// Second is the print of what the account itself has made of it; 0: not known.
	Second uint32 `json:"t,omitempty"`
	// At is when the account had it at the latest, by our clock: a change that the
	// account dates later is another's. Zero: not known.
	At  time.Time `json:"a,omitzero"`
	New bool      `json:"n,omitempty"` // it is to be written down with the edit
}

// Baseline returns what an edit knows of a field of its record or lead; nil: nothing.
func (e *Edit) Baseline(lead bool, field string) *Baseline {
	for i := range e.Base {
		if b := &e.Base[i]; b.Lead == lead && b.Field == field {
			return b
		}
	}
	return nil
}

// SetBaseline puts one in the place of what the edit knew of the field. It is
// written down with the edit.
func (e *Edit) SetBaseline(b Baseline) {
	b.New = true
	if b.ID = e.ID; b.Lead {
		b.ID = e.LeadID
	}
	if was := e.Baseline(b.Lead, b.Field); was != nil {
		*was = b
		return
	}
	e.Base = append(e.Base, b)
}

// Baselines returns those that are to be written down.
func (e *Edit) Baselines() (out []Baseline) {
	for _, b := range e.Base {
		if b.New && b.ID != "" {
			out = append(out, b)
		}
	}
	return out
}

// NewestSent leaves of several baselines of one field those that were sent last.
func NewestSent(list []Baseline) (out []Baseline) {
	type key struct{ id, field string }
	place := map[key]int{}
	for _, b := range list {
		k := key{b.ID, b.Field}
		at, known := place[k]
		switch {
		case !known:
			place[k] = len(out)
			out = append(out, b)
		case b.At.After(out[at].At):
			out[at] = b
		}
	}
	return out
}
