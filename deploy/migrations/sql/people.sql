-- What people must decide. `about` is the key of what an item concerns: a person, a bank account, a
-- corridor, a window. `item` is a uuid5 of queue, region and subject. `amount_fen` is null where
-- nobody knows it. state: open proposed approved rejected done. `act` is the type of the proposed
-- command, `body` its fields without who and why; `proposal` is the message that proposed it.
CREATE TABLE items (
    about text NOT NULL,
    item uuid NOT NULL,
    queue text NOT NULL,
    region text NOT NULL,
    subject text NOT NULL,
    opened_by text NOT NULL,
    opened_at timestamptz NOT NULL,
    amount_fen bigint,
    facts jsonb NOT NULL,
    state text NOT NULL,
    proposal uuid,
    act text,
    body jsonb,
    reason text,
    why text,
    proposed_by text,
    proposed_at timestamptz,
    decided_by text,
    decided_at timestamptz,
    PRIMARY KEY (about, item),
    -- Maker and checker are two people.
    CHECK (state <> 'approved' OR proposed_by <> decided_by)
) WITH (fillfactor = 70);
CREATE INDEX items_item ON items (item);
CREATE INDEX items_subject ON items (subject);
CREATE INDEX items_waiting ON items (region, queue, opened_at) WHERE state IN ('open', 'proposed');

-- Everything that was ever done with an item; `cause` is the message that did it.
CREATE TABLE item_steps (
    about text NOT NULL,
    item uuid NOT NULL,
    step uuid NOT NULL,
    cause uuid NOT NULL,
    at timestamptz NOT NULL,
    what text NOT NULL,
    by text NOT NULL,
    code text,
    act text,
    body jsonb,
    why text,
    PRIMARY KEY (about, item, step)
);
CREATE INDEX item_steps_item ON item_steps (item);

-- What is written in the history stays as it is.
REVOKE UPDATE, DELETE ON item_steps FROM jiexu_settlement;
