-- Netting inside a province. `month` counts year * 12 + month - 1; amounts are whole fen.

-- Which province nets a transfer; null: it is remitted by itself.
ALTER TABLE settlement.releases ADD COLUMN clearing text;
ALTER TABLE settlement.claims ADD COLUMN clearing text;

-- A province's month; no row: open. `posted`: every line of it has been given out to be booked.
CREATE TABLE settlement.netting_windows (
    province text NOT NULL,
    month integer NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'published', 'final', 'paid')),
    published_on date,
    answer_by timestamptz,
    final_on date,
    posted boolean NOT NULL DEFAULT false,
    PRIMARY KEY (province, month)
);

-- The lines of a corridor in a window, kept as they enter and leave: closing reads these alone.
-- It is also the lock of the two: whoever lets a line enter holds the row of its corridor, whoever
-- closes holds all rows of the window.
CREATE TABLE settlement.netting_totals (
    province text NOT NULL,
    month integer NOT NULL,
    origin text NOT NULL,
    destination text NOT NULL,
    state text NOT NULL DEFAULT 'open',
    lines bigint NOT NULL DEFAULT 0 CHECK (lines >= 0),
    fen bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (province, month, origin, destination)
) WITH (fillfactor = 50);

-- What one version of a transfer has to be netted, as each side has it (null: not yet); below zero
-- the destination owes it back. `month` is that of the release; `entered` the window it is in: null
-- while a side is missing, the two differ or a region disputes it. `settled`: booked at both.
CREATE TABLE settlement.netting_lines (
    person text NOT NULL,
    transfer uuid NOT NULL,
    version integer NOT NULL,
    province text NOT NULL,
    origin text NOT NULL,
    destination text NOT NULL,
    month integer NOT NULL,
    origin_fen bigint,
    destination_fen bigint,
    entered integer,
    disputes text[] NOT NULL DEFAULT '{}',
    confirms text[] NOT NULL DEFAULT '{}',
    settled boolean NOT NULL DEFAULT false,
    PRIMARY KEY (person, transfer, version)
) WITH (fillfactor = 80);
CREATE INDEX netting_lines_sheet ON settlement.netting_lines
    (province, entered, person, transfer, version) WHERE entered IS NOT NULL;
CREATE INDEX netting_lines_outside ON settlement.netting_lines (province, month)
    WHERE entered IS NULL AND (origin_fen <> 0 OR destination_fen <> 0);
CREATE INDEX netting_lines_transfer ON settlement.netting_lines (transfer);

-- A region's net position in a final window. It pays the province, or the province pays it, once;
-- `reference` is what that payment says it is for, `runs` the payment files it was in.
CREATE TABLE settlement.netting_positions (
    reference uuid NOT NULL PRIMARY KEY,
    province text NOT NULL,
    month integer NOT NULL,
    region text NOT NULL,
    payer text NOT NULL,
    payee text NOT NULL,
    receivable_fen bigint NOT NULL,
    payable_fen bigint NOT NULL,
    instructed_fen bigint NOT NULL DEFAULT 0 CHECK (instructed_fen >= 0),
    debited_fen bigint NOT NULL DEFAULT 0 CHECK (debited_fen >= 0),
    received_fen bigint NOT NULL DEFAULT 0 CHECK (received_fen >= 0),
    runs text[] NOT NULL DEFAULT '{}',
    UNIQUE (province, month, region)
);
CREATE INDEX netting_positions_due ON settlement.netting_positions (payer)
