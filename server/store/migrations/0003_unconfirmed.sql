-- Enrolled under a machine that had an agent already, without that agent's word:
-- nothing is removed there until an administrator says which of them is the host.

ALTER TABLE agent ADD COLUMN unconfirmed INTEGER NOT NULL DEFAULT 0;
