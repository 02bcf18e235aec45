SET LOCAL search_path = settlement;

-- What a personal account has earned since it was credited last: `accrued` parts of a fen
-- (services/settlement/interest.py) until before `accrued_on`, the day of its last movement.
-- `settles_on`: the settlement day for which a timer is set.
ALTER TABLE holders ADD accrued_on date, ADD accrued bigint NOT NULL DEFAULT 0,
    ADD settles_on date;
UPDATE holders h SET accrued_on = p.day
  FROM (SELECT person, region, max(business_date) AS day FROM postings
         WHERE 'personal' IN (debit, credit) GROUP BY 1, 2) p
 WHERE p.person = h.person AND p.region = h.region;

-- What interest was credited by an entry, and the parts of a fen of which that is the whole fen.
CREATE TABLE reckonings (
    person     text   NOT NULL,
    entry      uuid   NOT NULL,
    region     text   NOT NULL,
    until      date   NOT NULL,
    accrued    bigint NOT NULL,
    amount_fen bigint NOT NULL CHECK (amount_fen > 0),
    PRIMARY KEY (person, entry)
);
REVOKE UPDATE, DELETE ON reckonings FROM jiexu_settlement;
