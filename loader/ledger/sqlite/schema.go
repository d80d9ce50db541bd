package sqlite

import (
	"context"
	"database/sql"
)

// migration brings a ledger from one version to the next. It runs in the
// transaction of all migrations, so that an interrupted one leaves the ledger
// as it was.
type migration struct {
	sql  string
	move func(context.Context, *sql.Conn) error // takes rows over from the tables of before; may be nil
	end  string                                 // SQL after it
}

// migrations are all of them; the n-th makes version n. One that has been
// published is never edited.
var migrations = []migration{
	// 1: runs, records and the rows of runs.
	{sql: `
CREATE TABLE meta (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE accounts (
	id   INTEGER PRIMARY KEY,
	name TEXT NOT NULL
);

-- An account is known by several names: host and keys, its organisation.
CREATE TABLE account_names (
	name    TEXT PRIMARY KEY,
	account INTEGER NOT NULL REFERENCES accounts(id)
) WITHOUT ROWID;

CREATE TABLE scopes (
	id      INTEGER PRIMARY KEY,
	account INTEGER NOT NULL REFERENCES accounts(id),
	target  TEXT NOT NULL,
	UNIQUE (account, target)
);

-- Lists of field names, so that a record can say by 4 bytes a field which of its fields changed.
CREATE TABLE shapes (
	id    INTEGER PRIMARY KEY,
	names TEXT NOT NULL UNIQUE
);

CREATE TABLE runs (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	account INTEGER NOT NULL,
	command TEXT NOT NULL,
	input TEXT NOT NULL, input_path TEXT NOT NULL, sheet TEXT NOT NULL,
	mapping TEXT NOT NULL, mapping_path TEXT NOT NULL, mapping_hash TEXT NOT NULL,
	target TEXT NOT NULL, timezone TEXT NOT NULL,
	who TEXT NOT NULL, version TEXT NOT NULL, pace TEXT NOT NULL,
	started INTEGER NOT NULL, ended INTEGER,
	calls INTEGER NOT NULL DEFAULT 0, throttled INTEGER NOT NULL DEFAULT 0,
	stop TEXT NOT NULL DEFAULT '', exit INTEGER NOT NULL DEFAULT 0, out TEXT NOT NULL DEFAULT ''
);

CREATE TABLE records (
	id       INTEGER PRIMARY KEY,
	scope    INTEGER NOT NULL,
	ident    BLOB NOT NULL,
	state    INTEGER NOT NULL,
	body     BLOB NOT NULL,              -- hash of the request body
	shape    INTEGER NOT NULL,
	prints   BLOB NOT NULL,              -- 4 bytes of hash for each field of the shape
	remote   TEXT, lead TEXT, request TEXT,
	attempts INTEGER NOT NULL DEFAULT 0,
	resends  INTEGER NOT NULL DEFAULT 0, -- sends after a look-up that found nothing
	sent     INTEGER,                    -- Unix milliseconds, our clock
	code TEXT, msg TEXT, hint TEXT,
	payload  BLOB,                       -- what was sent, while its fate is open
	candidates TEXT,
	run      INTEGER NOT NULL,           -- the run that last planned it
	row      INTEGER NOT NULL,           -- its row there
	seen     INTEGER NOT NULL DEFAULT 1, -- occurrences in that run of a body without a key
	UNIQUE (scope, ident)
);
CREATE INDEX records_open ON records(scope, state) WHERE state IN (2, 3, 4, 5);
CREATE INDEX records_remote ON records(remote) WHERE remote IS NOT NULL;

CREATE TABLE run_rows (
	run INTEGER NOT NULL, n INTEGER NOT NULL,
	line INTEGER NOT NULL, origin INTEGER NOT NULL, print INTEGER NOT NULL,
	verdict INTEGER NOT NULL,
	record INTEGER,
	key TEXT, code TEXT, msg TEXT, hint TEXT,
	PRIMARY KEY (run, n)
) WITHOUT ROWID;

-- Leads found by a look-up, the value as a hash.
CREATE TABLE leads (
	account INTEGER NOT NULL, field TEXT NOT NULL, value BLOB NOT NULL,
	lead TEXT NOT NULL, found INTEGER NOT NULL,
	PRIMARY KEY (account, field, value)
) WITHOUT ROWID;

-- Calls of a day (UTC), for daily_limit.
CREATE TABLE days (
	account INTEGER NOT NULL, day TEXT NOT NULL, calls INTEGER NOT NULL,
	PRIMARY KEY (account, day)
) WITHOUT ROWID;
`},
	// 2: when a call whose answer was lost ended, from which the account's indexes need their time.
	{sql: `
ALTER TABLE records ADD COLUMN ended INTEGER; -- Unix milliseconds, our clock, at the latest; null while its answer is not lost
`},
	// 3: the same index by a condition that costs nothing: a list of values is made a table of
	// at every update. Queries that are to use it repeat its two terms.
	{sql: `
DROP INDEX records_open;
CREATE INDEX records_open ON records(scope, state) WHERE state > 1 AND state < 6;
`},
	// 4: operations beside records, and the rows of runs packed.
	{sql: `
DROP INDEX records_open;
DROP INDEX records_remote;
ALTER TABLE records RENAME TO old_records;
ALTER TABLE run_rows RENAME TO old_rows;

-- Who may send to an account: the newest token.
CREATE TABLE leases (
	account INTEGER PRIMARY KEY,
	token   INTEGER NOT NULL,
	who TEXT NOT NULL, command TEXT NOT NULL,
	since   INTEGER NOT NULL -- Unix milliseconds
);

-- What the account has of each row. A new record holds room for all that a
-- loaded one says: rows that grew would split the pages they lie in.
CREATE TABLE records (
	id       INTEGER PRIMARY KEY,
	scope    INTEGER NOT NULL,
	hash     INTEGER NOT NULL,           -- the first 8 bytes of what names it, mixed with the scope
	tail     BLOB NOT NULL,              -- the other 8; all 16 where another record had the hash, and this one the next
	fate     INTEGER NOT NULL,
	body     BLOB NOT NULL,              -- 8 bytes of the hash of the request body
	shape    INTEGER NOT NULL,
	prints   BLOB NOT NULL,              -- sent last: 4 bytes of hash for each field of the shape
	remote   BLOB, lead BLOB,            -- a GUID as 16 bytes, another id as text; 16 zeros: none
	attempts INTEGER NOT NULL DEFAULT 0, -- of operations that have ended
	resends  INTEGER NOT NULL DEFAULT 0, -- in all its life: sends after a look-up that found nothing
	sent     INTEGER NOT NULL,           -- Unix milliseconds, our clock; negative: never
	lost     INTEGER NOT NULL DEFAULT 0, -- the answer was lost, so that nobody knows when the account made it
	run      INTEGER NOT NULL,           -- the run that last planned to send it
	row      INTEGER NOT NULL,           -- its row there
	key      TEXT                        -- as people read it
);
CREATE UNIQUE INDEX records_hash ON records(hash);
-- By six bytes of the id: enough to find it, half the size.
CREATE INDEX records_remote ON records(substr(remote, 1, 6)) WHERE fate = 2;

-- Calls that are open, and calls that ended with something to say.
CREATE TABLE operations (
	record   INTEGER NOT NULL,
	op       INTEGER NOT NULL,           -- create 0, update 1, delete 2
	account  INTEGER NOT NULL,
	state    INTEGER NOT NULL,
	token    INTEGER NOT NULL,           -- of the lease that it is sent under
	call     INTEGER NOT NULL,           -- operations of one call share its number; 0: its own
	sent     INTEGER NOT NULL, ended INTEGER, -- Unix milliseconds, our clock; ended: at the latest
	attempts INTEGER NOT NULL,
	lead BLOB, request TEXT,
	code TEXT, msg TEXT, hint TEXT, candidates TEXT,
	PRIMARY KEY (record, op)
) WITHOUT ROWID;

-- What is sent, as long as the operation is open: an operation is open exactly
-- as long as it has a row here.
CREATE TABLE payloads (
	record  INTEGER NOT NULL,
	op      INTEGER NOT NULL,
	payload BLOB NOT NULL,
	PRIMARY KEY (record, op)
) WITHOUT ROWID;

-- The rows of runs, some hundred in a chunk; their words apart.
CREATE TABLE chunks (
	run   INTEGER NOT NULL,
	first INTEGER NOT NULL,              -- the number of its first row
	rows  BLOB NOT NULL, words BLOB,
	PRIMARY KEY (run, first)
) WITHOUT ROWID;

-- The counts of runs whose rows were dropped.
CREATE TABLE tallies (
	run INTEGER NOT NULL, verdict INTEGER NOT NULL, state INTEGER NOT NULL, n INTEGER NOT NULL,
	PRIMARY KEY (run, verdict, state)
) WITHOUT ROWID;
`, move: moveToOperations, end: `
DROP TABLE old_records;
DROP TABLE old_rows;
`},
	// 5: what updates met in the account.
	{sql: `
CREATE TABLE kept (
	record INTEGER NOT NULL,
	run    INTEGER NOT NULL,
	row    INTEGER NOT NULL,             -- in the run
	field  TEXT NOT NULL,
	had    TEXT NOT NULL, has TEXT NOT NULL, -- the account's value, and the file's
	result INTEGER NOT NULL,
	at     INTEGER NOT NULL,             -- Unix milliseconds, our clock
	PRIMARY KEY (run, record, field)
) WITHOUT ROWID;
`},
	// 6: mappings as they were, so that a row is known again by the identity it had.
	{sql: `
CREATE TABLE mappings (
	hash TEXT PRIMARY KEY,               -- hex SHA-256 of the file
	name TEXT NOT NULL,
	text TEXT NOT NULL
) WITHOUT ROWID;
`},
	// 7: what a run did, which later runs change no more.
	{sql: `
ALTER TABLE runs ADD COLUMN did TEXT NOT NULL DEFAULT ''; -- JSON: a result's word and its rows
`},
	// 8: the values of rows that changed and were not written, so that they can be accepted.
	{sql: `
CREATE TABLE offers (
	record INTEGER PRIMARY KEY,
	first  INTEGER NOT NULL, last INTEGER NOT NULL, -- the runs whose row had these values
	body BLOB NOT NULL, shape INTEGER NOT NULL, prints BLOB NOT NULL -- as those of records
);
`},
	// 9: what the account made of values, and what leads were sent last.
	{sql: `
CREATE TABLE baselines (
	account INTEGER NOT NULL,
	id      BLOB NOT NULL,               -- of a record or a lead in the account, as records have it
	field   TEXT NOT NULL,
	lead    INTEGER NOT NULL,
	sent    INTEGER NOT NULL,            -- print of what was sent last
	second  INTEGER NOT NULL,            -- print of what the account made of it; 0: not known
	at      INTEGER NOT NULL,            -- when the account had it, Unix milliseconds, our clock; 0: not known
	PRIMARY KEY (account, id, field)
) WITHOUT ROWID;
`},
	// 10: which records the rows of whole files are, so that rows which are gone are told.
	{sql: `
CREATE TABLE rosters (
	id INTEGER PRIMARY KEY,
	scope INTEGER NOT NULL, path TEXT NOT NULL, sheet TEXT NOT NULL,
	records BLOB NOT NULL,               -- a packed set
	UNIQUE (scope, path, sheet)
);
CREATE TABLE gone (
	run     INTEGER PRIMARY KEY,
	records BLOB NOT NULL                -- of the roster, a packed set
);
`},
	// 11: what a ledger of several machines says of their calls.
	{sql: `
ALTER TABLE operations ADD COLUMN firm INTEGER NOT NULL DEFAULT 0; -- ended is by a lease, and nothing before it
`},
	// 12: how many calls of a run took many records.
	{sql: `
ALTER TABLE runs ADD COLUMN bulk INTEGER NOT NULL DEFAULT 0; -- among calls
`},
	// 13: what the account had of a field after the updates of a run.
	{sql: `
ALTER TABLE kept ADD COLUMN moved INTEGER NOT NULL DEFAULT 0; -- 0: what was written
ALTER TABLE kept ADD COLUMN became TEXT NOT NULL DEFAULT '';
`},
	// 14: payloads are packed from here on, which older versions cannot read.
	{},
}
