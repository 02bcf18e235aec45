-- Settlement's edge: bank files that were read, payment files that were written.

-- The lock of a bank account (`450100:income`) while a file of its entries is taken.
CREATE TABLE bank_accounts (
    account text PRIMARY KEY,
    opened  boolean NOT NULL DEFAULT false
);

CREATE TABLE statements (
    account     text NOT NULL,
    kind        text NOT NULL,
    statement   text NOT NULL,
    closed_on   date NOT NULL,
    page        int NOT NULL,
    n           bigint GENERATED ALWAYS AS IDENTITY,
    opening_fen bigint,
    closing_fen bigint,
    gap_fen     bigint,
    entries     int NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (account, kind, statement, closed_on, page)
);

-- Every entry ever read, by its key. `core` is what a notice and a statement must agree on,
-- `content` what two files of the same kind must. What it says of people is sealed elsewhere.
CREATE TABLE bank_lines (
    account    text NOT NULL,
    entry_key  text NOT NULL,
    kind       text NOT NULL,
    core       bytea NOT NULL,
    content    bytea NOT NULL,
    receipt    uuid NOT NULL,
    statement  text NOT NULL,
    credit     boolean NOT NULL,
    amount_fen bigint NOT NULL CHECK (amount_fen > 0),
    booked_on  date NOT NULL,
    PRIMARY KEY (account, entry_key)
);
CREATE INDEX bank_lines_booked ON bank_lines (account, booked_on);

-- Money between two accounts of one agency shows in two statements and is booked once:
-- by whichever comes first.
CREATE TABLE own_transfers (
    payer      text NOT NULL,
    payee      text NOT NULL,
    amount_fen bigint NOT NULL,
    credits    bigint NOT NULL DEFAULT 0,
    debits     bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (payer, payee, amount_fen)
);

-- One payment file. Its text is made anew from the lines, so no name is kept here.
CREATE TABLE remittance_runs (
    region     text NOT NULL,
    run_on     date NOT NULL,
    seq        int NOT NULL,
    run        text NOT NULL UNIQUE,
    lump       boolean NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (region, run_on, seq)
);

CREATE TABLE remittance_lines (
    person      text NOT NULL,
    transfer    uuid NOT NULL,
    run         text NOT NULL,
    destination text NOT NULL,
    amount_fen  bigint NOT NULL CHECK (amount_fen > 0),
    PRIMARY KEY (person, transfer, run)
);
CREATE INDEX remittance_lines_run ON remittance_lines (run);

REVOKE UPDATE, DELETE ON bank_lines, remittance_runs, remittance_lines FROM jiexu_settlement;
