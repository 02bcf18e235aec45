SET LOCAL search_path = settlement;

-- Accounts of funds that two people have changed; only ever added. The account holds from `since`
-- on; `sealed` opens with the network's key for accounts of funds, `account_key` is its blind key.
CREATE TABLE account_changes (
    region      text NOT NULL,
    bank        text NOT NULL CHECK (bank IN ('income', 'expense', 'fiscal')),
    since       date NOT NULL,
    account_key text NOT NULL UNIQUE,
    sealed      text NOT NULL,
    changed_at  timestamptz NOT NULL,
    cause       uuid NOT NULL,
    proposed_by text NOT NULL,
    approved_by text NOT NULL,
    reason      text NOT NULL,
    why         text NOT NULL,
    PRIMARY KEY (region, bank, since)
);
REVOKE UPDATE, DELETE ON account_changes FROM jiexu_settlement;
SET LOCAL search_path = public;
