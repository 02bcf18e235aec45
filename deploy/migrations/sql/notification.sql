-- How a person is reached in a region's letters. Sealed under the person's data key, so that
-- nobody is reached once that key is deleted. `identity` is from a record that carries the name
-- (open, enroll), `newest` from any other, which may carry a newer phone alone.
CREATE TABLE contacts (
    person      text NOT NULL,
    region      text NOT NULL,
    identity    text,
    identity_at timestamptz,
    newest      text,
    newest_at   timestamptz,
    PRIMARY KEY (person, region)
) WITH (fillfactor = 70);

-- What is told to people. `letter` follows from the natural key (person, subject, kind, version)
-- and is the idempotency key on every channel. `params` hold no personal data; `recipient` is
-- masked. `run` is the batch it was decided in and is delivered with.
CREATE TABLE letters (
    person     text NOT NULL,
    letter     uuid NOT NULL,
    run        uuid NOT NULL,
    transfer   uuid,
    kind       text NOT NULL,
    region     text NOT NULL,
    params     jsonb NOT NULL,
    decided_at timestamptz NOT NULL,
    state      text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'failed')),
    channel    text,
    recipient  text,
    code       text,
    sent_at    timestamptz,
    PRIMARY KEY (person, letter)
) WITH (fillfactor = 70);
-- Neither column ever changes, so that recording a delivery stays a heap-only update.
CREATE INDEX letters_run ON letters (run);
CREATE INDEX letters_transfer ON letters (transfer) WHERE transfer IS NOT NULL;

-- Runs that still hold queued letters: a small table, so that what is due is found at once. A run
-- is claimed by locking its row; `due_at` is real time.
CREATE TABLE runs (
    run        uuid PRIMARY KEY,
    decided_on date NOT NULL,
    letters    int NOT NULL,
    attempts   int NOT NULL DEFAULT 0,
    due_at     timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
