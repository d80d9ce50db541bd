package loader

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"leadload/converter"
	"leadload/loader/leadsquared"
	"leadload/mapping"
)

// metadataAge is how long the account's metadata is taken from the cache.
const metadataAge = 24 * time.Hour

// Metadata is what the account says about the fields of a mapping's target.
type Metadata struct {
	Version     int                   `json:"version"`
	Fetched     time.Time             `json:"fetched"`
	EventCode   int                   `json:"event_code,omitempty"`
	Lead        []leadsquared.Field   `json:"lead,omitempty"`
	Opportunity []leadsquared.Field   `json:"opportunity,omitempty"`
	Activity    []leadsquared.Field   `json:"activity,omitempty"`
	Products    []leadsquared.Product `json:"products,omitempty"`
	// HasProducts tells an account without products from one that was not asked.
	HasProducts bool `json:"has_products,omitempty"`
	// Cached reports that no call was made.
	Cached bool `json:"-"`
}

const metadataVersion = 1

// Metadata gives the account's metadata for a mapping: from the cache in the
// state folder when it is less than a day old, else by one call for each
// kind, paced like every other. refresh passes the cache over.
func (s *Session) Metadata(ctx context.Context, m *mapping.Mapping, refresh bool) (*Metadata, error) {
	path := s.metadataPath(m)
	if !refresh {
		if md := readMetadata(path); md != nil {
			return md, nil
		}
	}
	md := &Metadata{Version: metadataVersion, Fetched: time.Now().UTC(), EventCode: m.EventCode}
	if err := s.fetchMetadata(ctx, m, md); err != nil {
		return nil, err
	}
	if path != "" {
		if err := writeMetadata(path, md); err != nil {
			s.o.Notify("the account's field list cannot be kept for the next check: " + err.Error())
		}
	}
	return md, nil
}

func (s *Session) fetchMetadata(ctx context.Context, m *mapping.Mapping, md *Metadata) error {
	return targetOf(m.Target).metadata(s, ctx, m, md)
}

func (s *Session) salesMetadata(ctx context.Context, m *mapping.Mapping, md *Metadata) error {
	var err error
	if md.Activity, err = s.fields(ctx, "the settings of sales activities", s.client.SalesActivitySettings); err != nil {
		return err
	}
	if mapsTo(m, "ProductSku") {
		md.HasProducts = true
		md.Products, err = s.products(ctx)
	}
	return err
}

func (s *Session) opportunityMetadata(ctx context.Context, m *mapping.Mapping, md *Metadata) error {
	var err error
	if md.Lead, err = s.fields(ctx, "the fields of leads", s.client.LeadFields); err != nil {
		return err
	}
	if m.EventCode == 0 {
		return nil // another type for each row: there is no one list to hold them against
	}
	md.Opportunity, err = s.fields(ctx, fmt.Sprintf("the fields of opportunity type %d", m.EventCode), with(s.client.OpportunityTypeMetadata, m.EventCode))
	var own *Error
	if errors.As(err, &own) && own.Code == "online.refused" {
		own.Msg = fmt.Sprintf("the account refuses opportunity type %d: %s", m.EventCode, own.Msg)
		own.Hint = "correct OpportunityEventCode in the mapping: Settings > Opportunities > Opportunity Types lists the codes"
	}
	return err
}

func mapsTo(m *mapping.Mapping, schema string) bool {
	for _, f := range m.Fields() {
		if f.Schema == schema {
			return true
		}
	}
	return false
}

// fields makes one call for metadata.
func (s *Session) fields(ctx context.Context, what string, call func(context.Context, leadsquared.Slot) ([]leadsquared.Field, leadsquared.Outcome)) ([]leadsquared.Field, error) {
	list, out, err := ask(ctx, s, call)
	if err == nil {
		err = unheard(out, what)
	}
	return list, err
}

// unheard is the error of a call for metadata that brought none.
func unheard(out leadsquared.Outcome, what string) error {
	switch out.Verdict {
	case leadsquared.Applied:
		return nil
	case leadsquared.Rejected:
		return usage("online.refused", "ask the account's administrator for the right to read it, or check without --online", "%s cannot be read: %s", what, refusal(out))
	}
	return stopped("online.unread", "run the same command again later, or check without --online", "%s could not be read: %s", what, out.Message)
}

// productPages bounds how many pages of products are read.
const productPages = 500

func (s *Session) products(ctx context.Context) ([]leadsquared.Product, error) {
	var all []leadsquared.Product
	seen := map[string]bool{}
	for page := 1; page <= productPages; page++ {
		got, out, err := ask(ctx, s, with(s.client.Products, page))
		if err == nil {
			err = unheard(out, "the list of products")
		}
		if err != nil {
			return nil, err
		}
		fresh := 0
		for _, p := range got.List {
			if id := p.ID + "\x1f" + p.Sku; !seen[id] {
				seen[id] = true
				all = append(all, p)
				fresh++
			}
		}
		if len(all) >= got.Total || fresh == 0 {
			if len(all) < got.Total {
				break
			}
			return all, nil
		}
	}
	return nil, stopped("online.unread", "run the same command again later, or check without --online", "the list of products could not be read whole")
}

// metadataPath is where the metadata of a mapping's target is kept; "" is nowhere.
func (s *Session) metadataPath(m *mapping.Mapping) string {
	if s.o.StateDir == "" {
		return ""
	}
	names := s.o.Account.names()
	// The host goes in too: an account may be known by its name on several.
	what := s.o.Account.Host + "\x1f" + targetScope(m)
	if mapsTo(m, "ProductSku") {
		what += "\x1fproducts"
	}
	for _, n := range names {
		what += "\x1f" + n
	}
	h := sha256.Sum256([]byte(what))
	return filepath.Join(s.o.StateDir, "metadata", hex.EncodeToString(h[:12])+".json")
}

// readMetadata gives nil for a cache that is missing, old or unreadable.
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

// writeMetadata keeps the cache, readable by nobody else.
func writeMetadata(path string, md *Metadata) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	text, err := json.Marshal(md)
	if err != nil {
		return err
	}
	// Written beside and renamed, so that two checks at once leave a whole file. CreateTemp gives mode 0600.
	f, err := os.CreateTemp(filepath.Dir(path), ".metadata-*")
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

// Hints are what the account knows that makes the draft of a mapping better.
type Hints struct {
	Fields    []mapping.DraftField
	EventCode int                           // as asked for, or the account's only type
	Types     []leadsquared.OpportunityType // of which one is to be chosen
	TimeZone  string                        // the account's, IANA; "" is unknown
}

// Hints asks the account for the display names of its fields. eventCode may be 0.
func (s *Session) Hints(ctx context.Context, target mapping.Target, eventCode int) (Hints, error) {
	h := Hints{EventCode: eventCode}
	self, out, err := ask(ctx, s, s.client.Self)
	if err != nil {
		return h, err
	}
	if out.Verdict == leadsquared.Applied {
		if _, err := converter.LoadZone(self.TimeZone); err == nil {
			h.TimeZone = self.TimeZone
		}
	}
	return h, targetOf(target).hints(s, ctx, &h)
}

func (h *Hints) add(kind mapping.FieldKind, list []leadsquared.Field) {
	for _, f := range list {
		if !f.ReadOnly {
			h.Fields = append(h.Fields, mapping.DraftField{Kind: kind, Schema: f.SchemaName, Display: f.DisplayName, DataType: f.DataType})
		}
	}
}

func (s *Session) salesHints(ctx context.Context, h *Hints) error {
	list, err := s.fields(ctx, "the settings of sales activities", s.client.SalesActivitySettings)
	h.add(mapping.ActivityField, list)
	return err
}

func (s *Session) opportunityHints(ctx context.Context, h *Hints) error {
	list, err := s.fields(ctx, "the fields of leads", s.client.LeadFields)
	if err != nil {
		return err
	}
	h.add(mapping.LeadField, list)
	if h.EventCode == 0 {
		types, out, err := ask(ctx, s, s.client.OpportunityTypes)
		h.Types = types
		if err == nil {
			err = unheard(out, "the list of opportunity types")
		}
		if err != nil {
			return err
		}
		if len(h.Types) == 1 {
			h.EventCode = h.Types[0].Code
		}
	}
	if h.EventCode == 0 {
		return nil
	}
	list, err = s.fields(ctx, fmt.Sprintf("the fields of opportunity type %d", h.EventCode), with(s.client.OpportunityTypeMetadata, h.EventCode))
	h.add(mapping.OpportunityField, list)
	return err
}
