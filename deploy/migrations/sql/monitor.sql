-- The event log: every record of every topic, as it came. Daily partitions by the real time at
-- which the record entered its sender's outbox; what has no such time is in the default one.
-- The key begins with the place in Kafka, so that a follower reads each partition in its order.
CREATE TABLE events (
    day         date NOT NULL,
    topic       text NOT NULL,
    partition   int NOT NULL,
    "offset"    bigint NOT NULL,
    id          uuid NOT NULL,
    type        text NOT NULL,
    key         text NOT NULL,
    transfer    uuid,
    region      text,
    at          timestamptz NOT NULL,
    sent_at     timestamptz NOT NULL,
    correlation uuid,
    causation   uuid,
    lane        text,
    seq         bigint,
    body        bytea NOT NULL,
    PRIMARY KEY (topic, partition, "offset", day)
) PARTITION BY RANGE (day);
CREATE INDEX events_key ON events (key);
CREATE INDEX events_transfer ON events (transfer) WHERE transfer IS NOT NULL;
CREATE TABLE events_other PARTITION OF events DEFAULT;

-- What happened is never changed.
REVOKE UPDATE, DELETE ON events, events_other FROM jiexu_monitor;
