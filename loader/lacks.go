package loader

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"time"

	"leadload/loader/account"
)

// lackFor is how long it is believed that an account does not have a call.
const lackFor = 24 * time.Hour

// lacks remembers which calls the account does not have, for a day and over runs.
// It is safe for concurrent use.
type lacks struct {
	path string // "" where it is not kept

	mu    sync.Mutex
	calls map[string]time.Time // when it was learnt
}

// lacksOf returns what is remembered of an account. A file that cannot be read costs
// a call and is no reason to stop.
func lacksOf(o Options) *lacks {
	m := &lacks{calls: map[string]time.Time{}}
	if o.StateDir == "" || o.Account.Place() == "name:" { // the account has neither keys nor a name
		return m
	}
	m.path = filepath.Join(o.StateDir, "lacks", nameHash(o.Account.Place())+".json")
	text, err := os.ReadFile(m.path)
	if err != nil {
		return m
	}
	var kept map[string]time.Time
	if json.Unmarshal(text, &kept) != nil {
		return m
	}
	now := time.Now()
	for call, at := range kept {
		if now.Sub(at) < lackFor && !at.After(now) {
			m.calls[call] = at
		}
	}
	return m
}

// Missing reports whether the account is known not to have a call.
func (m *lacks) Missing(call string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.calls[call].IsZero()
}

// SetMissing remembers that the account does not have a call.
func (m *lacks) SetMissing(call string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls[call] = time.Now()
	if m.path != "" {
		_ = account.WriteCache(m.path, m.calls) // without it, the call is made again
	}
}

// any reports whether the account is known not to have some call.
func (m *lacks) any() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.calls) > 0
}
