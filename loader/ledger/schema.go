package ledger

// migrations bring a ledger from one version to the next; the n-th makes
// version n+1. A migration that has been published is never edited.
var migrations = []string{
	// 1: runs, records and the rows of runs.
	`
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
`,
	// 2: when a call whose answer was lost ended, from which the account's indexes need their time.
	`
ALTER TABLE records ADD COLUMN ended INTEGER; -- Unix milliseconds, our clock, at the latest; null while its answer is not lost
`,
	// 3: the same index by a condition that costs nothing: a list of values is made a table of
	// at every update. Queries that are to use it repeat its two terms.
	`
DROP INDEX records_open;
CREATE INDEX records_open ON records(scope, state) WHERE state > 1 AND state < 6;
`,
}
