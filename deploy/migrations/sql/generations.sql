-- Which generation of topics each cell is in. A cell without a row is in its first. While it is
-- not `ready`, what its readers lack is being published again, and no process works.
CREATE TABLE cell.generations (
    cell       text PRIMARY KEY,
    generation int NOT NULL CHECK (generation > 1),
    ready      boolean NOT NULL DEFAULT false,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
GRANT SELECT ON cell.generations TO
    jiexu_enrollment, jiexu_transfer, jiexu_settlement, jiexu_notification, jiexu_monitor;

-- Payments that the bank was told of after the moment to which this database was set back. They
-- are not issued again until a person says what became of them.
CREATE TABLE settlement.held_payments (
    region      text NOT NULL,
    run_on      date NOT NULL,
    seq         int NOT NULL,
    run         text NOT NULL,
    lump        boolean NOT NULL,
    created_at  timestamptz NOT NULL,
    transfer    uuid NOT NULL,
    destination text NOT NULL,
    amount_fen  bigint NOT NULL CHECK (amount_fen > 0),
    state       text NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'confirmed', 'released')),
    settled_by  text,
    settled_why text,
    settled_at  timestamptz,
    PRIMARY KEY (run, transfer)
);
CREATE INDEX held_payments_transfer ON settlement.held_payments (transfer) WHERE state = 'held';
GRANT SELECT, UPDATE ON settlement.held_payments TO jiexu_settlement;
