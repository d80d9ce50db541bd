package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"leadload/loader/ledger"
)

// Scope finds or makes the number of a target within an account.
func (l *Ledger) Scope(ctx context.Context, account int64, target string) (id int64, err error) {
	const text = "SELECT id FROM leadload.scopes WHERE account = $1 AND target = $2"
	if found, err := l.one(ctx, text, []any{account, target}, &id); err != nil || found {
		return id, err
	}
	err = l.write(work{do: func(u *unit) error {
		u.add("INSERT INTO leadload.scopes (account, target) VALUES ($1, $2) ON CONFLICT (account, target) DO NOTHING", account, target)
		u.add(text, account, target).into(nil, &id)
		return nil
	}})
	return id, err
}

// Begin writes down that a run has begun and returns its number.
func (l *Ledger) Begin(_ context.Context, r ledger.Run) (int64, error) {
	var id int64
	b := func(s string) []byte { return []byte(s) }
	err := l.write(work{do: func(u *unit) error {
		if r.MappingText != "" {
			u.add("INSERT INTO leadload.mappings (hash, name, text) VALUES ($1, $2, $3) ON CONFLICT (hash) DO NOTHING", b(r.MappingHash), b(r.Mapping), b(r.MappingText))
		}
		u.add(`INSERT INTO leadload.runs (account, command, input, input_path, sheet, mapping, mapping_path, mapping_hash,
			target, timezone, who, version, pace, started) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14) RETURNING id`,
			r.Account, b(r.Command), b(r.Input), b(r.InputPath), b(r.Sheet), b(r.Mapping), b(r.MappingPath), b(r.MappingHash),
			b(r.Target), b(r.Timezone), b(r.Who), b(r.Version), b(r.Limit), r.Started.UnixMilli()).into(nil, &id)
		return nil
	}})
	return id, err
}

// End writes down how a run ended.
func (l *Ledger) End(_ context.Context, r ledger.Run) error {
	ended := int64(-1)
	if !r.Ended.IsZero() {
		ended = r.Ended.UnixMilli()
	}
	return l.write(work{do: func(u *unit) error {
		return u.put("UPDATE leadload.runs SET ended = nullif($2::bigint, -1), calls = $3, throttled = $4, pace = $5, stop = $6, exit = $7, out = $8, did = $9, bulk = $10 WHERE id = $1",
			r.ID, ended, r.Calls, r.Throttled, []byte(r.Limit), []byte(r.Stop), int64(r.Exit), []byte(r.Out), r.Did.Text(), r.Bulk)
	}})
}

// memo is the part of a ledger that is harmless to lose.
type memo struct{ l *Ledger }

// Memo returns what is worth remembering and harmless to lose.
func (l *Ledger) Memo() ledger.Memo { return memo{l} }

func (m memo) CountCalls(account int64, at time.Time, n int64) {
	m.l.hint(func(u *unit) error {
		u.count(account, at, n)
		return nil
	})
}

func (m memo) CallsOn(ctx context.Context, account int64, at time.Time) (n int64, err error) {
	_, err = m.l.one(ctx, "SELECT calls FROM leadload.days WHERE account = $1 AND day = $2", []any{account, ledger.Day(at)}, &n)
	return n, err
}

func (m memo) Leads(ctx context.Context, account int64, field string, values []string, age time.Duration) (map[string]string, error) {
	known := make(map[string]string, len(values))
	names := make(map[string]string, len(values))
	hidden := make([][]byte, len(values))
	for i, v := range values {
		hidden[i] = ledger.Hidden(v)
		names[string(hidden[i])] = v
	}
	err := m.l.query(ctx, "SELECT value, lead, found FROM leadload.leads WHERE account = $1 AND field = $2 AND value = ANY($3) AND lead <> ''", []any{account, field, hidden}, func(rows pgx.Rows) error {
		for rows.Next() {
			var value, id []byte
			var found int64
			if err := rows.Scan(&value, &id, &found); err != nil {
				return err
			}
			if time.Since(time.UnixMilli(found)) <= age {
				known[names[string(value)]] = string(id)
			}
		}
		return nil
	})
	return known, err
}

func (m memo) WantedLeads(ctx context.Context, account int64) (n int64, err error) {
	_, err = m.l.one(ctx, "SELECT count(*) FROM leadload.leads WHERE account = $1 AND lead = ''", []any{account}, &n)
	return n, err
}

func (m memo) ForgetLeads(_ context.Context, account int64, age time.Duration) error {
	before := time.Now().Add(-age).UnixMilli()
	return m.l.write(work{do: func(u *unit) error {
		return u.put("DELETE FROM leadload.leads WHERE account = $1 AND (lead = '' OR found < $2)", account, before)
	}})
}

func (m memo) RememberLead(account int64, field, value, lead string) {
	at := time.Now().UnixMilli()
	m.l.hint(func(u *unit) error {
		return u.put("INSERT INTO leadload.leads (account, field, value, lead, found) VALUES ($1,$2,$3,$4,$5) ON CONFLICT (account, field, value) DO UPDATE SET lead = excluded.lead, found = excluded.found",
			account, field, ledger.Hidden(value), []byte(lead), at)
	})
}

func (m memo) ForgetLead(account int64, field, value string, before time.Time) {
	m.l.hint(func(u *unit) error {
		return u.put("DELETE FROM leadload.leads WHERE account = $1 AND field = $2 AND value = $3 AND lead <> '' AND found < $4", account, field, ledger.Hidden(value), before.UnixMilli())
	})
}
