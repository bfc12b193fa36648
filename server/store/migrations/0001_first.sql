-- The first schema. Times are milliseconds since 1970, booleans 0 or 1. Tables
-- are STRICT; a reference that may be missing is NULL, a text never is.

CREATE TABLE organization (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	created INTEGER NOT NULL
) STRICT;

CREATE TABLE account (
	id INTEGER PRIMARY KEY,
	login TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL,
	password_hash TEXT NOT NULL,
	disabled INTEGER NOT NULL DEFAULT 0,
	created INTEGER NOT NULL
) STRICT;

-- organization_id NULL: in every organization.
CREATE TABLE membership (
	account_id INTEGER NOT NULL REFERENCES account (id),
	organization_id INTEGER REFERENCES organization (id),
	role TEXT NOT NULL CHECK (role IN ('administrator', 'analyst', 'technician', 'reader'))
) STRICT;
CREATE UNIQUE INDEX membership_once
	ON membership (account_id, COALESCE(organization_id, 0), role);

CREATE TABLE session (
	token_hash TEXT PRIMARY KEY,
	account_id INTEGER NOT NULL REFERENCES account (id),
	created INTEGER NOT NULL,
	expires INTEGER NOT NULL
) STRICT;
CREATE INDEX session_expires ON session (expires);
CREATE INDEX session_account ON session (account_id);

-- The secret itself is kept: the proof of an enrolment is computed with it.
CREATE TABLE enrol_key (
	id TEXT PRIMARY KEY,
	organization_id INTEGER NOT NULL REFERENCES organization (id),
	label TEXT NOT NULL,
	secret TEXT NOT NULL,
	host_limit INTEGER NOT NULL,
	hosts_used INTEGER NOT NULL DEFAULT 0,
	expires INTEGER NOT NULL,
	revoked INTEGER NOT NULL DEFAULT 0,
	created INTEGER NOT NULL
) STRICT;
CREATE INDEX enrol_key_organization ON enrol_key (organization_id);

CREATE TABLE agent (
	id INTEGER PRIMARY KEY,
	organization_id INTEGER NOT NULL REFERENCES organization (id),
	public_key TEXT NOT NULL UNIQUE,
	key_id TEXT NOT NULL,
	token_hash TEXT NOT NULL UNIQUE,
	machine_hash TEXT NOT NULL,
	hostname TEXT NOT NULL,
	os TEXT NOT NULL,
	kernel TEXT NOT NULL DEFAULT '',
	architecture TEXT NOT NULL DEFAULT '',
	version TEXT NOT NULL,
	boot_id TEXT NOT NULL DEFAULT '',
	last_seq INTEGER NOT NULL DEFAULT 0,
	last_contact INTEGER,
	enrolled INTEGER NOT NULL,
	revoked INTEGER NOT NULL DEFAULT 0,
	forked INTEGER NOT NULL DEFAULT 0,
	survey_requested INTEGER,
	survey_delivered INTEGER
) STRICT;
CREATE INDEX agent_organization ON agent (organization_id, id);
CREATE INDEX agent_machine ON agent (organization_id, machine_hash);

-- Every record by its number. The hash stays for ever, to tell a repetition from
-- a fork; the envelope of a survey goes when a newer one is here and no
-- revision has it for evidence.
CREATE TABLE agent_record (
	agent_id INTEGER NOT NULL REFERENCES agent (id),
	seq INTEGER NOT NULL,
	type TEXT NOT NULL,
	sha256 TEXT NOT NULL,
	received INTEGER NOT NULL,
	problem TEXT NOT NULL,
	body TEXT,
	PRIMARY KEY (agent_id, seq)
) STRICT;

CREATE TABLE survey (
	agent_id INTEGER NOT NULL REFERENCES agent (id),
	seq INTEGER NOT NULL,
	finished INTEGER NOT NULL,
	received INTEGER NOT NULL,
	trusted INTEGER NOT NULL,
	untrusted_because TEXT NOT NULL,
	omitted INTEGER NOT NULL,
	count_present INTEGER NOT NULL DEFAULT 0,
	count_new INTEGER NOT NULL DEFAULT 0,
	count_changed INTEGER NOT NULL DEFAULT 0,
	count_gone INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (agent_id, seq)
) STRICT;

CREATE TABLE survey_coverage (
	agent_id INTEGER NOT NULL,
	seq INTEGER NOT NULL,
	kind TEXT NOT NULL,
	state TEXT NOT NULL CHECK (state IN ('complete', 'partial', 'unsupported')),
	why TEXT NOT NULL,
	PRIMARY KEY (agent_id, seq, kind),
	FOREIGN KEY (agent_id, seq) REFERENCES survey (agent_id, seq)
) STRICT;

CREATE TABLE foothold (
	id INTEGER PRIMARY KEY,
	agent_id INTEGER NOT NULL REFERENCES agent (id),
	key TEXT NOT NULL,
	organization_id INTEGER NOT NULL REFERENCES organization (id),
	kind TEXT NOT NULL,
	digest TEXT NOT NULL,
	facts TEXT NOT NULL,
	first_seq INTEGER NOT NULL,
	first_time INTEGER NOT NULL,
	changed_seq INTEGER NOT NULL,
	last_seq INTEGER NOT NULL,
	last_time INTEGER NOT NULL,
	gone_seq INTEGER,
	gone_time INTEGER,
	UNIQUE (agent_id, key)
) STRICT;
CREATE INDEX foothold_prevalence ON foothold (organization_id, key) WHERE gone_seq IS NULL;
CREATE INDEX foothold_page ON foothold (agent_id, id);

-- current_no: last revision sent; draft_no: the one being written (0: none).
-- needs and counts are derived from the tables below by every transaction
-- that touches them, so that a queue of thousands is one index range.
CREATE TABLE incident (
	id INTEGER PRIMARY KEY,
	organization_id INTEGER NOT NULL REFERENCES organization (id),
	agent_id INTEGER NOT NULL REFERENCES agent (id),
	state TEXT NOT NULL CHECK (state IN ('draft', 'open', 'resolved', 'closed')),
	subject TEXT NOT NULL,
	severity TEXT NOT NULL CHECK (severity IN ('low', 'high', 'critical')),
	current_no INTEGER NOT NULL DEFAULT 0,
	draft_no INTEGER NOT NULL DEFAULT 0,
	needs TEXT NOT NULL DEFAULT '',
	created INTEGER NOT NULL,
	sent INTEGER,
	decided INTEGER,
	resolved INTEGER,
	closed INTEGER,
	close_reason TEXT NOT NULL DEFAULT '',
	close_comment TEXT NOT NULL DEFAULT '',
	count_assisted INTEGER NOT NULL DEFAULT 0,
	count_manual INTEGER NOT NULL DEFAULT 0,
	count_failed INTEGER NOT NULL DEFAULT 0,
	count_done INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX incident_organization ON incident (organization_id, id);
CREATE INDEX incident_agent ON incident (agent_id, state);
CREATE INDEX incident_needs ON incident (organization_id, needs, id);

CREATE TABLE incident_foothold (
	incident_id INTEGER NOT NULL REFERENCES incident (id),
	key TEXT NOT NULL,
	disposition TEXT NOT NULL CHECK (disposition IN ('open', 'accepted')),
	PRIMARY KEY (incident_id, key)
) STRICT;

CREATE TABLE revision (
	id INTEGER PRIMARY KEY,
	incident_id INTEGER NOT NULL REFERENCES incident (id),
	no INTEGER NOT NULL,
	state TEXT NOT NULL
		CHECK (state IN ('draft', 'sent', 'approved', 'rejected', 'superseded')),
	digest TEXT NOT NULL,
	body TEXT NOT NULL,
	edit TEXT NOT NULL,
	evidence_seq INTEGER NOT NULL,
	author_id INTEGER,
	author_name TEXT NOT NULL,
	created INTEGER NOT NULL,
	sent INTEGER,
	UNIQUE (incident_id, no)
) STRICT;

CREATE TABLE revision_foothold (
	revision_id INTEGER NOT NULL REFERENCES revision (id),
	key TEXT NOT NULL,
	kind TEXT NOT NULL,
	PRIMARY KEY (revision_id, key)
) STRICT;

-- choice: '' undecided, 'approved', 'rejected'.
CREATE TABLE step (
	revision_id INTEGER NOT NULL REFERENCES revision (id),
	no INTEGER NOT NULL,
	verb TEXT NOT NULL,
	key TEXT NOT NULL,
	choice TEXT NOT NULL DEFAULT '' CHECK (choice IN ('', 'approved', 'rejected')),
	done_by TEXT NOT NULL DEFAULT '',
	done_at INTEGER,
	note TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (revision_id, no)
) STRICT;

CREATE TABLE decision (
	id INTEGER PRIMARY KEY,
	revision_id INTEGER NOT NULL REFERENCES revision (id),
	approve INTEGER NOT NULL,
	account_id INTEGER NOT NULL REFERENCES account (id),
	account_name TEXT NOT NULL,
	time INTEGER NOT NULL,
	reason TEXT NOT NULL,
	comment TEXT NOT NULL,
	useful INTEGER,
	steps TEXT NOT NULL
) STRICT;
CREATE INDEX decision_revision ON decision (revision_id);

-- id: the order in which they were made; the wire knows plan_id only.
CREATE TABLE plan_order (
	id INTEGER PRIMARY KEY,
	plan_id TEXT NOT NULL UNIQUE,
	organization_id INTEGER NOT NULL REFERENCES organization (id),
	agent_id INTEGER NOT NULL REFERENCES agent (id),
	incident_id INTEGER NOT NULL REFERENCES incident (id),
	revision_id INTEGER NOT NULL REFERENCES revision (id),
	kind TEXT NOT NULL CHECK (kind IN ('remove', 'undo')),
	undo_of TEXT REFERENCES plan_order (plan_id),
	state TEXT NOT NULL
		CHECK (state IN ('queued', 'claimed', 'finished', 'cancelled', 'expired', 'refused')),
	reason TEXT NOT NULL DEFAULT '',
	detail TEXT NOT NULL DEFAULT '',
	envelope TEXT NOT NULL,
	sha256 TEXT NOT NULL,
	approved_by TEXT NOT NULL,
	created INTEGER NOT NULL,
	not_after INTEGER NOT NULL,
	claimed INTEGER,
	finished INTEGER,
	finished_seq INTEGER
) STRICT;
CREATE INDEX plan_order_waiting ON plan_order (agent_id, state);
CREATE INDEX plan_order_incident ON plan_order (incident_id, id);
CREATE INDEX plan_order_revision ON plan_order (revision_id, id);
CREATE INDEX plan_order_expiry ON plan_order (state, not_after);

CREATE TABLE step_run (
	plan_id TEXT NOT NULL REFERENCES plan_order (plan_id),
	step INTEGER NOT NULL,
	state TEXT NOT NULL,
	reason TEXT NOT NULL DEFAULT '',
	detail TEXT NOT NULL DEFAULT '',
	report TEXT NOT NULL DEFAULT '{}',
	started INTEGER,
	finished INTEGER,
	PRIMARY KEY (plan_id, step)
) STRICT;

CREATE TABLE ticket (
	plan_id TEXT NOT NULL REFERENCES plan_order (plan_id),
	nonce TEXT NOT NULL,
	envelope TEXT NOT NULL,
	created INTEGER NOT NULL,
	PRIMARY KEY (plan_id, nonce)
) STRICT;

-- Append-only; the triggers make a mistake loud, the chain makes an attack visible.
CREATE TABLE audit (
	id INTEGER PRIMARY KEY,
	time INTEGER NOT NULL,
	organization_id INTEGER NOT NULL,
	incident_id INTEGER NOT NULL,
	revision_no INTEGER NOT NULL,
	actor_kind TEXT NOT NULL,
	actor_id INTEGER NOT NULL,
	actor_name TEXT NOT NULL,
	address TEXT NOT NULL,
	action TEXT NOT NULL,
	object TEXT NOT NULL,
	detail TEXT NOT NULL,
	hash TEXT NOT NULL
) STRICT;
CREATE INDEX audit_organization ON audit (organization_id, id);
CREATE INDEX audit_incident ON audit (incident_id, id);
CREATE TRIGGER audit_keeps_rows BEFORE DELETE ON audit
BEGIN
	SELECT RAISE(ABORT, 'audit events are never deleted');
END;
CREATE TRIGGER audit_keeps_content BEFORE UPDATE ON audit
BEGIN
	SELECT RAISE(ABORT, 'audit events are never changed');
END;
