-- What an agent made the store keep in the hour that began at intake_since.

ALTER TABLE agent ADD COLUMN intake_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE agent ADD COLUMN intake_bytes INTEGER NOT NULL DEFAULT 0;
