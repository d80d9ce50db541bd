package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"leadload/loader/line"
	"leadload/loader/target"
	"leadload/mapping"
)

// metadataAge is how long the account's metadata is taken from the cache.
const metadataAge = 24 * time.Hour

// Metadata is what the account says about the fields of a mapping's target.
type Metadata struct {
	Version   int       `json:"version"`
	Fetched   time.Time `json:"fetched"`
	EventCode int       `json:"event_code,omitempty"`
	target.Fields
	// Cached reports that no call was made.
	Cached bool `json:"-"`
}

const metadataVersion = 1

// Describe returns the account's metadata for a mapping: from the cache in
// folder when it is less than a day old, else by one call for each kind. With
// refresh the cache is passed over; "" is no folder and no cache. The cache
// that cannot be kept is reported by warn alone.
func (a *Account) Describe(ctx context.Context, l *line.Line, m *mapping.Mapping, folder string, refresh bool, warn func(string)) (*Metadata, error) {
	path := a.metadataPath(folder, m)
	if !refresh {
		if md := readMetadata(path); md != nil {
			return md, nil
		}
	}
	md := &Metadata{Version: metadataVersion, Fetched: time.Now().UTC(), EventCode: m.EventCode}
	var err error
	if md.Fields, err = target.For(m.Target).Fields(ctx, l, m); err != nil {
		return nil, err
	}
	if path != "" {
		if err := WriteCache(path, md); err != nil {
			warn("the account's field list cannot be kept for the next check: " + err.Error())
		}
	}
	return md, nil
}

// metadataPath is where the metadata of a mapping's target is kept; "" is nowhere.
func (a *Account) metadataPath(folder string, m *mapping.Mapping) string {
	if folder == "" {
		return ""
	}
	// The host goes in too: an account may be known by its name on several.
	what := a.Host + "\x1f" + target.For(m.Target).Scope(m).String()
	if m.Uses("ProductSku") {
		what += "\x1fproducts"
	}
	for _, n := range a.Names() {
		what += "\x1f" + n
	}
	h := sha256.Sum256([]byte(what))
	return filepath.Join(folder, hex.EncodeToString(h[:12])+".json")
}

// readMetadata returns nil for a cache that is missing, old or unreadable.
func readMetadata(path string) *Metadata {
	if path == "" {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	md := &Metadata{}
	if json.Unmarshal(text, md) != nil || md.Version != metadataVersion {
		return nil
	}
	if age := time.Since(md.Fetched); age < 0 || age > metadataAge {
		return nil
	}
	md.Cached = true
	return md
}

// WriteCache keeps something that is harmless to lose as JSON, readable by this user alone.
func WriteCache(path string, v any) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	// Written beside and renamed, so that two checks at once leave a whole file. CreateTemp gives mode 0600.
	f, err := os.CreateTemp(filepath.Dir(path), ".cache-*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		if rerr := os.Remove(f.Name()); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
	}
	return err
}
