-- One row per transfer, under its person. What is asked for often stands in columns, the rest of
-- the saga's state in `state`.
CREATE TABLE transfers (
    person      text NOT NULL,
    id          uuid NOT NULL,
    origin      text NOT NULL,
    destination text NOT NULL,
    record      text NOT NULL,
    money       text NOT NULL,
    closed      boolean NOT NULL,
    overdue     boolean NOT NULL,
    opened_at   timestamptz NOT NULL,
    state       jsonb NOT NULL,
    PRIMARY KEY (person, id)
) WITH (fillfactor = 70);
-- A plain index for look-ups by id: uniqueness is the primary key's, under the person.
CREATE INDEX transfers_id ON transfers (id);

-- Why: each step of the saga with the sentence of its case.
CREATE TABLE steps (
    person text NOT NULL,
    id     uuid NOT NULL,
    n      bigint GENERATED ALWAYS AS IDENTITY,
    at     timestamptz NOT NULL,
    type   text NOT NULL,
    kind   text NOT NULL,
    why    text NOT NULL,
    record text,
    money  text,
    PRIMARY KEY (person, id, n)
);
