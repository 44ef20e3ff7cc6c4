-- A new ledger on SQLite as the revisions up to this one make it, for whom Alembic takes too long.
-- Frozen with its revision; a test compares the two.

CREATE TABLE auditor_schema (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT auditor_schema_pkc PRIMARY KEY (version_num)
);

CREATE TABLE run (
	n INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	site TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	started TEXT NOT NULL, 
	doc TEXT NOT NULL, 
	hash BLOB NOT NULL, 
	PRIMARY KEY (n), 
	CONSTRAINT run_id UNIQUE (id)
);

CREATE INDEX run_site ON run (site);

CREATE TABLE closing (
	n INTEGER NOT NULL, 
	run INTEGER NOT NULL, 
	status TEXT NOT NULL, 
	ended TEXT, 
	doc TEXT NOT NULL, 
	hash BLOB NOT NULL, 
	PRIMARY KEY (n), 
	FOREIGN KEY(run) REFERENCES run (n)
);

CREATE INDEX closing_run ON closing (run);

CREATE TABLE shape (
	n INTEGER NOT NULL, 
	doc TEXT NOT NULL, 
	hash BLOB NOT NULL, 
	PRIMARY KEY (n)
);

CREATE TABLE attempt (
	seq INTEGER NOT NULL, 
	run INTEGER NOT NULL, 
	shape INTEGER, 
	tool TEXT NOT NULL, 
	port INTEGER NOT NULL, 
	transport TEXT NOT NULL, 
	vlan INTEGER, 
	outcome TEXT NOT NULL, 
	origin TEXT NOT NULL, 
	started TEXT NOT NULL, 
	elapsed_s DOUBLE NOT NULL, 
	ip TEXT, 
	mac TEXT, 
	detail TEXT NOT NULL, 
	doc TEXT NOT NULL, 
	hash BLOB NOT NULL, 
	PRIMARY KEY (seq)
);

CREATE INDEX attempt_mac ON attempt (mac);

CREATE INDEX attempt_ip ON attempt (ip);

CREATE TABLE raw (
	sha256 TEXT NOT NULL, 
	data BLOB NOT NULL, 
	PRIMARY KEY (sha256)
);

CREATE TABLE decision (
	n INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	at TEXT NOT NULL, 
	doc TEXT NOT NULL, 
	hash BLOB NOT NULL, 
	PRIMARY KEY (n), 
	CONSTRAINT decision_id UNIQUE (id)
);

CREATE TABLE journal (
	n INTEGER NOT NULL, 
	run INTEGER NOT NULL, 
	moment TEXT NOT NULL, 
	doc TEXT NOT NULL, 
	hash BLOB NOT NULL, 
	PRIMARY KEY (n), 
	FOREIGN KEY(run) REFERENCES run (n)
);

CREATE INDEX journal_run ON journal (run);

CREATE TABLE snapshot (
	n INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	made TEXT NOT NULL, 
	doc TEXT NOT NULL, 
	hash BLOB NOT NULL, 
	PRIMARY KEY (n), 
	CONSTRAINT snapshot_id UNIQUE (id)
);

CREATE TABLE signature (
	n INTEGER NOT NULL, 
	snapshot TEXT NOT NULL, 
	at TEXT NOT NULL, 
	doc TEXT NOT NULL, 
	hash BLOB NOT NULL, 
	PRIMARY KEY (n)
);

CREATE INDEX signature_snapshot ON signature (snapshot);

CREATE TABLE imported (
	n INTEGER NOT NULL, 
	site TEXT NOT NULL, 
	sha256 TEXT NOT NULL, 
	run INTEGER NOT NULL, 
	doc TEXT NOT NULL, 
	hash BLOB NOT NULL, 
	PRIMARY KEY (n), 
	CONSTRAINT imported_once UNIQUE (site, sha256, run), 
	FOREIGN KEY(run) REFERENCES run (n)
);

CREATE TABLE opinion (
	version TEXT NOT NULL, 
	device TEXT NOT NULL, 
	facts TEXT NOT NULL, 
	doc TEXT NOT NULL, 
	PRIMARY KEY (version, device)
);

CREATE TABLE link (
	seq INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	first INTEGER NOT NULL, 
	last INTEGER NOT NULL, 
	nth INTEGER NOT NULL, 
	rows INTEGER NOT NULL, 
	run INTEGER, 
	hash BLOB NOT NULL, 
	PRIMARY KEY (seq)
);

CREATE INDEX link_run ON link (run, nth);

CREATE INDEX link_hash ON link (hash);

CREATE TRIGGER run_no_update BEFORE UPDATE ON run BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

CREATE TRIGGER run_no_delete BEFORE DELETE ON run BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

CREATE TRIGGER closing_no_update BEFORE UPDATE ON closing BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

CREATE TRIGGER closing_no_delete BEFORE DELETE ON closing BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

CREATE TRIGGER shape_no_update BEFORE UPDATE ON shape BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

CREATE TRIGGER shape_no_delete BEFORE DELETE ON shape BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

CREATE TRIGGER attempt_no_update BEFORE UPDATE ON attempt BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

CREATE TRIGGER attempt_no_delete BEFORE DELETE ON attempt BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

CREATE TRIGGER decision_no_update BEFORE UPDATE ON decision BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

CREATE TRIGGER decision_no_delete BEFORE DELETE ON decision BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

CREATE TRIGGER snapshot_no_update BEFORE UPDATE ON snapshot BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

CREATE TRIGGER snapshot_no_delete BEFORE DELETE ON snapshot BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

CREATE TRIGGER signature_no_update BEFORE UPDATE ON signature BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

CREATE TRIGGER signature_no_delete BEFORE DELETE ON signature BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

CREATE TRIGGER imported_no_update BEFORE UPDATE ON imported BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

CREATE TRIGGER imported_no_delete BEFORE DELETE ON imported BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

CREATE TRIGGER link_no_update BEFORE UPDATE ON link BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

CREATE TRIGGER link_no_delete BEFORE DELETE ON link BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

CREATE TRIGGER raw_no_update BEFORE UPDATE ON raw BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

CREATE TRIGGER raw_no_delete BEFORE DELETE ON raw BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

INSERT INTO auditor_schema (version_num) VALUES ('0001');
