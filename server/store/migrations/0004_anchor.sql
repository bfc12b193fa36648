-- How far the audit has come, in the server's own signed words (anchor.h).

CREATE TABLE audit_anchor (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	words TEXT NOT NULL
) STRICT;
