-- Files of banks by their hash, statements as a chain, and what banks report of payments.
SET LOCAL search_path = settlement;

-- A file that a bank sent, whole: what it was, who sent it, and how it was answered.
CREATE TABLE bank_files (
    hash        bytea PRIMARY KEY,
    n           bigint GENERATED ALWAYS AS IDENTITY,
    size        bigint NOT NULL,
    sent_by     text NOT NULL,
    kinds       text[] NOT NULL DEFAULT '{}',
    outcome     text NOT NULL CHECK (outcome IN ('taken', 'refused')),
    code        text,
    place       text,
    attempts    int NOT NULL DEFAULT 1,
    answer      text,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX bank_files_received ON bank_files (received_at);

-- Each statement of a file as it came; `keys` are those of all its entries, new or not.
CREATE TABLE bank_file_statements (
    file        bigint NOT NULL,
    part        int NOT NULL,
    account     text NOT NULL,
    kind        text NOT NULL,
    statement   text NOT NULL,
    closed_on   date NOT NULL,
    page        int NOT NULL,
    number      int NOT NULL,
    opening_fen bigint,
    closing_fen bigint,
    entries     int NOT NULL,
    accepted    int NOT NULL,
    duplicate   int NOT NULL,
    ignored     int NOT NULL,
    codes       text[] NOT NULL,
    keys        text[] NOT NULL,
    PRIMARY KEY (file, part)
);
CREATE INDEX bank_file_statements_account ON bank_file_statements (account);

ALTER TABLE statements ADD number int NOT NULL DEFAULT 0, ADD file bigint;
CREATE INDEX statements_chain ON statements (account, closed_on, number, page, n)
    WHERE opening_fen IS NOT NULL;
ALTER TABLE bank_lines ADD file bigint;

-- The opening balance that stands in the books, and of which statement it is.
ALTER TABLE bank_accounts
    ADD opened_on date, ADD opening_fen bigint,
    ADD opened_by date, ADD opened_number int, ADD opened_page int;

-- Everything that a bank said of a payment, once.
CREATE TABLE bank_reports (
    id          uuid PRIMARY KEY,
    file        bigint NOT NULL,
    account     text NOT NULL,
    kind        text NOT NULL,
    bank_id     text NOT NULL,
    run         text NOT NULL,
    reference   text NOT NULL,
    status      text NOT NULL,
    code        text NOT NULL,
    amount_fen  bigint,
    transfers   uuid[] NOT NULL,
    told_on     date,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX bank_reports_file ON bank_reports (file);
REVOKE UPDATE, DELETE ON bank_file_statements, bank_reports FROM jiexu_settlement;

-- In the books. `status`: instructed accepted pending rejected; `code` is the bank's reason.
ALTER TABLE instructions
    ADD status text NOT NULL DEFAULT 'instructed', ADD code text NOT NULL DEFAULT '';

-- What the bank announced as coming back, and what its statements showed of it. The larger of the
-- two has been booked; what was only announced is in `returning`.
ALTER TABLE releases
    ADD back_told_fen bigint NOT NULL DEFAULT 0, ADD back_seen_fen bigint NOT NULL DEFAULT 0;

CREATE TABLE return_announcements (
    person       text NOT NULL,
    announcement uuid NOT NULL,
    transfer     uuid NOT NULL,
    amount_fen   bigint NOT NULL,
    counted_fen  bigint NOT NULL,
    code         text NOT NULL,
    PRIMARY KEY (person, announcement)
);

-- What a bank asks or tells that a person must see; `state`: open answered.
CREATE TABLE bank_notes (
    note        uuid PRIMARY KEY,
    account     text NOT NULL,
    region      text NOT NULL,
    kind        text NOT NULL,
    code        text NOT NULL,
    amount_fen  bigint,
    transfers   uuid[] NOT NULL,
    run         text NOT NULL,
    reference   text NOT NULL,
    recorded_at timestamptz NOT NULL,
    state       text NOT NULL,
    agreed      boolean,
    answered_by text,
    why         text,
    answered_at timestamptz
);
CREATE INDEX bank_notes_open ON bank_notes (region, recorded_at) WHERE state = 'open';
SET LOCAL search_path = public;
