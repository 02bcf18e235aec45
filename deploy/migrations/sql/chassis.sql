-- The delivery guarantee of one service; executed once in each service's schema.

-- Every outgoing message belongs to a lane: the topic and partition that caused it, intake/n or
-- timers/n. A transaction under an old epoch rolls back.
CREATE TABLE lanes (
    name        text PRIMARY KEY,
    epoch       bigint NOT NULL DEFAULT 0,
    owner       text NOT NULL DEFAULT '',
    next_offset bigint NOT NULL DEFAULT 0,
    seq         bigint NOT NULL DEFAULT 0,
    published   bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 30);

-- What was handled, by the date in the envelope: a redelivery after midnight is still known.
CREATE TABLE inbox (
    sent_on date NOT NULL,
    id      uuid NOT NULL,
    hash    bigint NOT NULL,
    PRIMARY KEY (sent_on, id)
) PARTITION BY RANGE (sent_on);

-- Append-only: the service's own event log.
CREATE TABLE outbox (
    day         date NOT NULL,
    lane        text NOT NULL,
    seq         bigint NOT NULL,
    id          uuid NOT NULL,
    topic       text NOT NULL,
    partition   int NOT NULL,
    key         text NOT NULL,
    type        text NOT NULL,
    at          timestamptz NOT NULL,
    sent_at     timestamptz NOT NULL,
    correlation uuid NOT NULL,
    causation   uuid,
    body        bytea NOT NULL,
    PRIMARY KEY (day, lane, seq)
) PARTITION BY RANGE (day);

CREATE TABLE timers (
    key    text NOT NULL,
    id     uuid NOT NULL,
    lane   int NOT NULL,
    due_at timestamptz NOT NULL,
    type   text NOT NULL,
    body   bytea NOT NULL,
    PRIMARY KEY (key, id)
) WITH (fillfactor = 70);
CREATE INDEX timers_due ON timers (lane, due_at);

-- The first of a key is the message that was refused; the others wait behind it, in order.
CREATE TABLE dead_letters (
    key         text NOT NULL,
    n           bigint GENERATED ALWAYS AS IDENTITY,
    letter      uuid NOT NULL DEFAULT gen_random_uuid(),
    id          uuid,
    type        text NOT NULL,
    headers     jsonb NOT NULL,
    body        bytea NOT NULL,
    code        text NOT NULL,
    reason      text NOT NULL,
    state       text NOT NULL CHECK (state IN ('refused', 'parked', 'redriven', 'discarded')),
    recorded_at timestamptz NOT NULL DEFAULT now(),
    settled_by  text,
    settled_why text,
    PRIMARY KEY (key, n)
);
CREATE INDEX dead_letters_open ON dead_letters (key) WHERE state IN ('refused', 'parked');
