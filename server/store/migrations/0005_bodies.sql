-- The few records that still have their bytes, for the retention that looks for them.

CREATE INDEX agent_record_bodies ON agent_record (agent_id, type, seq) WHERE body IS NOT NULL;
