package postgres

// migrations are all of them; the n-th makes version n. One that has been
// published is never edited. The schema is named leadload wherever it stands.
//
// Whatever comes from a file or from the account is kept as bytes: a text here
// has neither a NUL nor bad UTF-8, and bytes have both. Times are Unix
// milliseconds, so that no server's zone or rounding touches them.
var migrations = []string{
	`
CREATE TABLE leadload.accounts (
	id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name bytea NOT NULL
);

-- An account is known by several names: host and keys, its organisation. An
-- index holds no more than 2,700 bytes of a text, so it is of a hash.
CREATE TABLE leadload.account_names (
	hash    bytea PRIMARY KEY,
	name    bytea NOT NULL,
	account bigint NOT NULL REFERENCES leadload.accounts(id)
);

CREATE TABLE leadload.scopes (
	id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	account bigint NOT NULL REFERENCES leadload.accounts(id),
	target  text COLLATE "C" NOT NULL,
	UNIQUE (account, target)
);

-- Lists of field names, so that a record can say by 4 bytes a field which of its fields changed.
CREATE TABLE leadload.shapes (
	id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	hash    bytea NOT NULL UNIQUE,       -- of the two below
	mapping bytea NOT NULL,              -- the hash of the mapping that made the values; empty: not known
	names   bytea NOT NULL
);

-- The texts of the mappings that runs used.
CREATE TABLE leadload.mappings (
	hash bytea PRIMARY KEY,
	name bytea NOT NULL, text bytea NOT NULL
);

CREATE TABLE leadload.runs (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	account bigint NOT NULL,
	command bytea NOT NULL,
	input bytea NOT NULL, input_path bytea NOT NULL, sheet bytea NOT NULL,
	mapping bytea NOT NULL, mapping_path bytea NOT NULL, mapping_hash bytea NOT NULL,
	target bytea NOT NULL, timezone bytea NOT NULL,
	who bytea NOT NULL, version bytea NOT NULL, pace bytea NOT NULL,
	started bigint NOT NULL, ended bigint,
	calls bigint NOT NULL DEFAULT 0, throttled bigint NOT NULL DEFAULT 0,
	stop bytea NOT NULL DEFAULT '', exit bigint NOT NULL DEFAULT 0, out bytea NOT NULL DEFAULT '',
	did text NOT NULL DEFAULT ''         -- JSON: a result's word and its rows, which later runs change no more
);

-- Who may send to an account, by the database's clock.
CREATE TABLE leadload.leases (
	account bigint PRIMARY KEY,
	token   bigint NOT NULL,             -- grows with every lease
	holder  bytea NOT NULL,              -- the open ledger that has it
	who     bytea NOT NULL, command bytea NOT NULL,
	since   bigint NOT NULL,
	until   bigint NOT NULL,             -- it is over then, unless it was renewed
	timeout bigint NOT NULL,             -- how long a call of the holder can last beyond it, ms
	ended   bigint NOT NULL              -- when the calls of the holder before had ended, at the latest
);

-- The newest transaction of every open ledger that writes: it tells whether a
-- COMMIT whose answer was lost was done.
CREATE TABLE leadload.writers (
	id bytea PRIMARY KEY,
	n  bigint NOT NULL,
	at bigint NOT NULL
);

CREATE SEQUENCE leadload.record_numbers;

CREATE TABLE leadload.records (
	id       bigint PRIMARY KEY,
	scope    bigint NOT NULL,
	ident    bytea NOT NULL,             -- 16 bytes of the hash of what names it
	fate     smallint NOT NULL,
	body     bytea NOT NULL,             -- 8 bytes of the hash of the request body
	shape    bigint NOT NULL,
	prints   bytea NOT NULL,             -- sent last: 4 bytes of hash for each field of the shape
	remote   bytea NOT NULL DEFAULT '', lead bytea NOT NULL DEFAULT '',
	attempts bigint NOT NULL DEFAULT 0,  -- of operations that have ended
	resends  bigint NOT NULL DEFAULT 0,  -- in all its life: sends after a look-up that found nothing
	sent     bigint NOT NULL,            -- the holder's clock; negative: never
	lost     boolean NOT NULL DEFAULT false, -- the answer was lost, so that nobody knows when the account made it
	run      bigint NOT NULL,            -- the run that last planned to send it
	number   bigint NOT NULL,            -- its row there
	key      bytea NOT NULL DEFAULT '',  -- as people read it
	UNIQUE (scope, ident)
) WITH (fillfactor = 80);
CREATE INDEX records_remote ON leadload.records (substr(remote, 1, 40)) WHERE fate = 2;

-- Calls that are open, and calls that ended with something to say. The payload
-- is what was sent, as long as the operation is open.
CREATE TABLE leadload.operations (
	record   bigint NOT NULL,
	op       smallint NOT NULL,          -- create 0, update 1, delete 2
	account  bigint NOT NULL,
	state    smallint NOT NULL,
	token    bigint NOT NULL,            -- of the lease that it is sent under
	call     bigint NOT NULL,            -- operations of one call share its number; 0: its own
	sent     bigint NOT NULL, ended bigint NOT NULL DEFAULT 0, -- 0: not known
	firm     boolean NOT NULL DEFAULT false, -- ended is by the lease, and nothing before it
	attempts bigint NOT NULL,
	lead bytea NOT NULL DEFAULT '', request bytea NOT NULL DEFAULT '',
	code bytea NOT NULL DEFAULT '', msg bytea NOT NULL DEFAULT '', hint bytea NOT NULL DEFAULT '', candidates bytea NOT NULL DEFAULT '',
	payload  bytea,
	PRIMARY KEY (record, op)
);
CREATE INDEX operations_open ON leadload.operations (account, record, op) WHERE state IN (2, 3, 4, 5, 12);

-- The rows of runs, some hundred in a chunk; their words apart.
CREATE TABLE leadload.chunks (
	run   bigint NOT NULL,
	first bigint NOT NULL,               -- the number of its first row
	rows  bytea NOT NULL, words bytea,
	PRIMARY KEY (run, first)
);

-- The counts of runs whose rows were dropped.
CREATE TABLE leadload.tallies (
	run bigint NOT NULL, verdict smallint NOT NULL, state smallint NOT NULL, n bigint NOT NULL,
	PRIMARY KEY (run, verdict, state)
);

-- What updates met in the account.
CREATE TABLE leadload.kept (
	record bigint NOT NULL,
	run    bigint NOT NULL,
	number bigint NOT NULL,              -- its row in the run
	field  text COLLATE "C" NOT NULL,
	had    bytea NOT NULL, has bytea NOT NULL, -- the account's value, and the file's
	result bigint NOT NULL,
	at     bigint NOT NULL,
	PRIMARY KEY (run, record, field)
);

-- Leads found by a look-up, the value as a hash.
CREATE TABLE leadload.leads (
	account bigint NOT NULL, field text COLLATE "C" NOT NULL, value bytea NOT NULL,
	lead bytea NOT NULL, found bigint NOT NULL,
	PRIMARY KEY (account, field, value)
);

-- Calls of a day (UTC), for daily_limit.
CREATE TABLE leadload.days (
	account bigint NOT NULL, day text COLLATE "C" NOT NULL, calls bigint NOT NULL,
	PRIMARY KEY (account, day)
);
`,
	// 2: the values of rows that changed and were not written, so that they can be accepted.
	`
CREATE TABLE leadload.offers (
	record bigint PRIMARY KEY,
	first  bigint NOT NULL, last bigint NOT NULL, -- the runs whose row had these values
	body bytea NOT NULL, shape bigint NOT NULL, prints bytea NOT NULL -- as those of records
);
`,
	// 3: what the account made of values, and what leads were sent last.
	`
CREATE TABLE leadload.baselines (
	account bigint NOT NULL,
	id      bytea NOT NULL,              -- of a record or a lead in the account
	field   text COLLATE "C" NOT NULL,
	lead    boolean NOT NULL,
	sent    bigint NOT NULL,             -- print of what was sent last
	second  bigint NOT NULL,             -- print of what the account made of it; 0: not known
	at      bigint NOT NULL,             -- when the account had it, our clock; 0: not known
	PRIMARY KEY (account, id, field)
);
`,
	// 4: the memory of the pace. Times are in ns, by the server's clock; an account is a hash of its name.
	`
CREATE TABLE leadload.pace_calls (
	account bytea NOT NULL,
	owner   bigint NOT NULL,             -- the pacer that made the call
	seq     bigint NOT NULL,
	sent    bigint NOT NULL, wrote bigint, resp bigint,
	limited boolean NOT NULL DEFAULT false,
	PRIMARY KEY (account, owner, seq)
) WITH (fillfactor = 50);

-- What each pacer says of itself.
CREATE TABLE leadload.pacers (
	account bytea NOT NULL,
	owner   bigint NOT NULL,
	seen    bigint NOT NULL,             -- when it was last heard of
	trip    bigint NOT NULL,             -- the smallest round trip, or 0
	since   bigint NOT NULL,             -- when the call whose turn it is began to wait for others' slots
	until   bigint NOT NULL,             -- the pacer looks again before then; 0 if no call waits
	PRIMARY KEY (account, owner)
) WITH (fillfactor = 50);

-- What the pacers of a limit have learned.
CREATE TABLE leadload.paces (
	account bytea NOT NULL,
	calls   bigint NOT NULL, span bigint NOT NULL, -- the limit as set by the user
	version bigint NOT NULL,
	at      bigint NOT NULL,
	state   text NOT NULL,               -- JSON
	PRIMARY KEY (account, calls, span)
);
`,
	// 5: which records the rows of whole files are, so that rows which are gone are told.
	`
CREATE TABLE leadload.rosters (
	hash    bytea PRIMARY KEY,           -- of scope, path and sheet: an index holds no long text
	scope bigint NOT NULL, path bytea NOT NULL, sheet bytea NOT NULL,
	records bytea NOT NULL               -- a packed set
);
CREATE TABLE leadload.gone (
	run     bigint PRIMARY KEY,
	records bytea NOT NULL               -- of the roster, a packed set
);
`,
	// 6: records of an older ledger that was copied here have prints of raw values.
	`
ALTER TABLE leadload.shapes ADD COLUMN form smallint NOT NULL DEFAULT 1
`,
	// 7: how many calls of a run took many records.
	`
ALTER TABLE leadload.runs ADD COLUMN bulk bigint NOT NULL DEFAULT 0; -- among calls: those that took many records
`,
	// 8: what the account had of a field after the updates of a run.
	`
ALTER TABLE leadload.kept ADD COLUMN moved bigint NOT NULL DEFAULT 0, ADD COLUMN became bytea NOT NULL DEFAULT '' -- moved 0: what was written
`,
	// 9: payloads are packed from here on, which older versions cannot read.
	``,
	// 10: what is asked of few records costs the same beside many. A hash takes ids of any
	// length, and lets the server know how few records have one.
	`
CREATE INDEX records_run ON leadload.records (run);
DROP INDEX leadload.records_remote;
CREATE INDEX records_remote ON leadload.records USING hash (remote) WHERE fate = 2 AND remote <> ''
`,
}
