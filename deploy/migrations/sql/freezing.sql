SET LOCAL search_path = settlement;

-- Why an account is held (`all`: nothing leaves it; `leaving`: the person may still spend), since
-- when, and until which day (null: until two people let it go).
ALTER TABLE holders
    ADD COLUMN frozen text CHECK (frozen IN ('all', 'leaving')),
    ADD COLUMN frozen_on date,
    ADD COLUMN frozen_until date;

-- Whom the limit of one advance keeps waiting: looked at every day, for a policy may raise it.
CREATE INDEX claims_too_large ON claims (origin, region) WHERE declined = 'single_limit';
SET LOCAL search_path = public;
