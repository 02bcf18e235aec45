-- Corridors: limits, ages, suspension. Everything here changes under the corridor's lock only.
SET LOCAL search_path = settlement;

-- oldest_on: no open advance was announced earlier (it may be paid meanwhile: a review knows).
-- warned_percent: the highest threshold of the limit that is crossed; review_on: when the clock
-- asks for a review; review_asked: one is on its way already.
-- suspended: why nothing is advanced (overdue_share, too_old, by_hand; null: it is).
-- well_since: since when a suspended corridor would not be suspended.
-- excused_before: two people resumed it: what was announced earlier suspends it no more.
-- changed_…: what two people agreed on, in force until the policy has a newer row.
ALTER TABLE corridors
    ADD COLUMN oldest_on date,
    ADD COLUMN warned_percent integer NOT NULL DEFAULT 0,
    ADD COLUMN review_on date,
    ADD COLUMN reviewed_on date,
    ADD COLUMN review_asked boolean NOT NULL DEFAULT false,
    ADD COLUMN suspended text,
    ADD COLUMN suspended_at timestamptz,
    ADD COLUMN well_since date,
    ADD COLUMN excused_before date,
    ADD COLUMN changed_on date,
    ADD COLUMN changed_open_fen bigint,
    ADD COLUMN changed_single_fen bigint,
    ADD COLUMN changed_age_days integer;

-- What was seen when the claim was last advanced or declined: the corridor's open advances, and
-- the limit in force.
ALTER TABLE claims
    ADD COLUMN judged_at timestamptz,
    ADD COLUMN exposure_fen bigint NOT NULL DEFAULT 0,
    ADD COLUMN limit_fen bigint NOT NULL DEFAULT 0;

-- The open advances of a corridor by the day they were announced: one delta per batch and day.
CREATE TABLE ages (
    origin text NOT NULL,
    destination text NOT NULL,
    announced_on date NOT NULL,
    open_fen bigint NOT NULL,
    claims integer NOT NULL,
    PRIMARY KEY (origin, destination, announced_on)
) WITH (fillfactor = 50);
INSERT INTO ages
SELECT origin, region, announced_on, sum(open_fen), count(*)
  FROM claims WHERE open_fen > 0 GROUP BY 1, 2, 3;
UPDATE corridors k SET oldest_on = (
    SELECT min(announced_on) FROM ages a
     WHERE a.origin = k.origin AND a.destination = k.destination);

-- Warnings, suspensions, resumptions and changed limits, with their grounds; only ever added.
-- facts: amounts end in _fen; proposed_by and approved_by are the people who decided.
CREATE TABLE corridor_acts (
    origin text NOT NULL,
    destination text NOT NULL,
    cause uuid NOT NULL,
    what text NOT NULL,
    at timestamptz NOT NULL,
    code text NOT NULL,
    facts jsonb NOT NULL,
    PRIMARY KEY (origin, destination, cause, what)
);
CREATE INDEX corridor_acts_at ON corridor_acts (origin, destination, at);
REVOKE UPDATE, DELETE ON corridor_acts FROM jiexu_settlement;
SET LOCAL search_path = public;
