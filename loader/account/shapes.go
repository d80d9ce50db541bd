package account

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"time"
)

// Shape is what was learned of the account's answers to one of the calls that take
// many records. It is kept for a day.
type Shape struct {
	Form    int       `json:"form"`          // as package leadsquared numbers them
	Why     string    `json:"why,omitempty"` // why such calls are not made
	Learned time.Time `json:"learned"`
}

// Shapes are those of the calls by their names.
type Shapes struct {
	Version int              `json:"version"`
	Calls   map[string]Shape `json:"calls"`
}

const shapesVersion = 1

func (a *Account) shapesPath(folder string) string {
	if folder == "" {
		return ""
	}
	h := sha256.Sum256([]byte(a.Place()))
	return filepath.Join(folder, hex.EncodeToString(h[:12])+".json")
}

// Shapes returns what was learned within the last day, from folder; "" is no folder.
func (a *Account) Shapes(folder string) map[string]Shape {
	known := map[string]Shape{}
	var s Shapes
	text, err := os.ReadFile(a.shapesPath(folder))
	if folder == "" || err != nil || json.Unmarshal(text, &s) != nil || s.Version != shapesVersion {
		return known
	}
	for name, one := range s.Calls {
		if age := time.Since(one.Learned); age >= 0 && age < metadataAge {
			known[name] = one
		}
	}
	return known
}

// Learn keeps what was learned of one of the calls.
func (a *Account) Learn(folder, name string, s Shape) error {
	if folder == "" {
		return nil
	}
	all := Shapes{Version: shapesVersion, Calls: a.Shapes(folder)}
	all.Calls[name] = s
	return WriteCache(a.shapesPath(folder), all)
}
