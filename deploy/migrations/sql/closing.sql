SET LOCAL search_path = settlement;

-- Where a region stands: the last day that was closed, and the last day that has an entry.
CREATE TABLE days (
    region    text PRIMARY KEY,
    closed_on date,
    moved_on  date
) WITH (fillfactor = 50);

-- The days as they stand, against a closing at the same time: whoever posts shares them, whoever
-- closes waits for those who have not committed yet. They are read after the lock, not before it,
-- which is why this is a volatile function and no statement.
CREATE FUNCTION days_of(regions text[], alone boolean[]) RETURNS SETOF days LANGUAGE plpgsql AS $$
BEGIN
    PERFORM CASE WHEN ends THEN pg_advisory_xact_lock(9, id)
                 ELSE pg_advisory_xact_lock_shared(9, id) END
       FROM (SELECT hashtext(region) AS id, bool_or(u.alone) AS ends
               FROM unnest(regions, days_of.alone) AS u (region, alone)
              GROUP BY 1 ORDER BY 1) AS s;
    RETURN QUERY SELECT d.* FROM days d WHERE d.region = ANY(regions);
END $$;

-- A day that was closed, with those since `after`. `balanced_at` is when its balances were written
-- and both sides of its corridors compared.
CREATE TABLE closings (
    region      text NOT NULL,
    day         date NOT NULL,
    after       date,
    closed_at   timestamptz NOT NULL,
    by          text NOT NULL,
    balanced_at timestamptz,
    PRIMARY KEY (region, day)
);
CREATE INDEX closings_unbalanced ON closings (region, day) WHERE balanced_at IS NULL;

-- What an account turned over on a day, and all it had turned over by then. Only days with
-- movement have a row; `personal` and `awaiting` are the sums over all persons of the region.
CREATE TABLE daily (
    region           text NOT NULL,
    account          text NOT NULL,
    day              date NOT NULL,
    debit_fen        bigint NOT NULL,
    credit_fen       bigint NOT NULL,
    debit_total_fen  bigint NOT NULL,
    credit_total_fen bigint NOT NULL,
    PRIMARY KEY (region, account, day)
);
CREATE INDEX daily_day ON daily (region, day);

-- Both sides of a corridor as they were compared when a day was closed.
CREATE TABLE mirrors (
    origin          text NOT NULL,
    destination     text NOT NULL,
    day             date NOT NULL,
    owes_fen        bigint NOT NULL,
    claims_fen      bigint NOT NULL,
    explained       jsonb NOT NULL,
    unexplained_fen bigint NOT NULL,
    PRIMARY KEY (origin, destination, day)
);

-- `n` numbers the entries in the order in which they were made: two that touch the same account of
-- a person, claim or corridor are numbered in the order of their transactions. `late` is why the
-- date is not that of the day on which the entry was made.
ALTER TABLE entries ADD COLUMN late text, ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY;
ALTER TABLE postings ADD COLUMN business_date date;
UPDATE postings p SET business_date = e.business_date
  FROM entries e WHERE e.person = p.person AND e.id = p.entry;
ALTER TABLE postings ALTER COLUMN business_date SET NOT NULL;

-- The journal grows day by day: a few pages tell where a day lies, and cost nothing to keep.
CREATE INDEX entries_n ON entries USING brin (n) WITH (pages_per_range = 32);
CREATE INDEX entries_day ON entries USING brin (business_date) WITH (pages_per_range = 32);
CREATE INDEX postings_day ON postings USING brin (business_date) WITH (pages_per_range = 32);

REVOKE UPDATE, DELETE ON daily FROM jiexu_settlement;
SET LOCAL search_path = public;
