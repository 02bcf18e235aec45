-- The books. Amounts are whole fen. Every per-person table has `person` first in its key.
-- In postings the accounts `personal`, `awaiting` stand for `personal:<person>`, `awaiting:<person>`
-- of the row's person; their turnover is kept in `holders`, that of all others in `balances`.

-- A person at a region: the two accounts kept by person, and how to find them in bank lines.
-- personal balance = personal_credit_fen - personal_debit_fen; awaiting likewise (liabilities).
-- `opened` is the last record that opened the relation; `reopened_at` is set when it was opened
-- anew.
CREATE TABLE holders (
    person text NOT NULL,
    region text NOT NULL,
    account boolean NOT NULL,
    opened uuid,
    reopened_at timestamptz,
    personal_debit_fen bigint NOT NULL DEFAULT 0,
    personal_credit_fen bigint NOT NULL DEFAULT 0,
    awaiting_debit_fen bigint NOT NULL DEFAULT 0,
    awaiting_credit_fen bigint NOT NULL DEFAULT 0,
    deceased boolean NOT NULL DEFAULT false,
    sealed text,
    name_keys text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (person, region),
    CHECK (personal_credit_fen >= personal_debit_fen),
    CHECK (awaiting_credit_fen >= awaiting_debit_fen)
) WITH (fillfactor = 70);

-- The first blind key is that of the exact name.
CREATE INDEX holders_name ON holders (region, (name_keys[1]));

-- What a record did to a personal account, so that a record counts once, a refund finds its spend
-- and a correction the opening balance. `amount_fen` is signed for `correct`; `refunded_fen` is what of a spend came back.
CREATE TABLE movements (
    person text NOT NULL,
    record uuid NOT NULL,
    region text NOT NULL,
    what text NOT NULL,
    amount_fen bigint NOT NULL,
    refunded_fen bigint NOT NULL DEFAULT 0,
    code text,
    PRIMARY KEY (person, record),
    CHECK (refunded_fen BETWEEN 0 AND abs(amount_fen))
) WITH (fillfactor = 70);

-- O's side of a transfer (`region` is O). `released_fen` is all that was taken from the personal
-- account for it, principal and interest, whatever the version; it went to payable(destination),
-- or, where `paid_out`, to payout (`paid_out_fen`). `code` is why nothing was released so far.
-- payable_fen: of released_fen, still in payable(destination); remitting_fen: in remitting;
-- debited_fen: what the bank debited of what was instructed; returned_fen: what came back of it;
-- overpaid_fen: still in overpaid(destination).
-- released_fen - paid_out_fen = payable_fen + remitting_fen + (debited_fen - returned_fen).
CREATE TABLE releases (
    person text NOT NULL,
    transfer uuid NOT NULL,
    region text NOT NULL,
    destination text NOT NULL,
    opened_at timestamptz NOT NULL,
    paid_out boolean NOT NULL DEFAULT false,
    version integer NOT NULL DEFAULT 0,
    code text,
    principal_fen bigint NOT NULL DEFAULT 0,
    interest_fen bigint NOT NULL DEFAULT 0,
    unfunded_fen bigint NOT NULL DEFAULT 0,
    released_fen bigint NOT NULL DEFAULT 0,
    paid_out_fen bigint NOT NULL DEFAULT 0,
    payable_fen bigint NOT NULL DEFAULT 0 CHECK (payable_fen >= 0),
    remitting_fen bigint NOT NULL DEFAULT 0 CHECK (remitting_fen >= 0),
    debited_fen bigint NOT NULL DEFAULT 0,
    returned_fen bigint NOT NULL DEFAULT 0,
    overpaid_fen bigint NOT NULL DEFAULT 0 CHECK (overpaid_fen >= 0),
    released_on date NOT NULL,
    PRIMARY KEY (person, transfer),
    CHECK (released_fen - paid_out_fen = payable_fen + remitting_fen + debited_fen - returned_fen)
) WITH (fillfactor = 70);
CREATE INDEX releases_transfer ON releases (transfer);
CREATE INDEX releases_due ON releases (region, released_on);

-- A payment file's line for a transfer, once booked.
CREATE TABLE instructions (
    person text NOT NULL,
    transfer uuid NOT NULL,
    run text NOT NULL,
    amount_fen bigint NOT NULL CHECK (amount_fen >= 0),
    PRIMARY KEY (person, transfer, run)
);

-- D's side of a transfer (`region` is D): the claim on O, which is also the expected receipt.
-- announced_fen = R as announced, all versions; credited_fen = C; awaiting_fen = N;
-- matched_fen = M; open_fen = U. announced = credited + awaiting; credited = matched + open.
-- reserved_fen: receipts matched to it and not applied yet; excess_fen: beyond the claim, still in
-- suspense. `declined` is the code of the last refusal to advance (null: advanced or funded).
CREATE TABLE claims (
    person text NOT NULL,
    transfer uuid NOT NULL,
    region text NOT NULL,
    origin text NOT NULL,
    opened_at timestamptz NOT NULL,
    announced_on date NOT NULL,
    released_on date NOT NULL,
    versions integer[] NOT NULL,
    announced_fen bigint NOT NULL,
    credited_fen bigint NOT NULL DEFAULT 0,
    awaiting_fen bigint NOT NULL DEFAULT 0 CHECK (awaiting_fen >= 0),
    matched_fen bigint NOT NULL DEFAULT 0,
    open_fen bigint NOT NULL DEFAULT 0 CHECK (open_fen >= 0),
    reserved_fen bigint NOT NULL DEFAULT 0 CHECK (reserved_fen >= 0),
    excess_fen bigint NOT NULL DEFAULT 0 CHECK (excess_fen >= 0),
    advance boolean NOT NULL,
    declined text,
    declined_at timestamptz,
    PRIMARY KEY (person, transfer),
    CHECK (announced_fen = credited_fen + awaiting_fen),
    CHECK (credited_fen = matched_fen + open_fen)
) WITH (fillfactor = 70);
CREATE INDEX claims_transfer ON claims (transfer);
CREATE INDEX claims_expected ON claims (region, origin, announced_fen);

-- The lock that both an advance and a receipt take, and the exposure of the corridor.
-- `claims` counts the claims with an open advance.
CREATE TABLE corridors (
    origin text NOT NULL,
    destination text NOT NULL,
    open_fen bigint NOT NULL DEFAULT 0 CHECK (open_fen >= 0),
    claims integer NOT NULL DEFAULT 0 CHECK (claims >= 0),
    PRIMARY KEY (origin, destination)
) WITH (fillfactor = 70);

-- Advances declined for the corridor's limit. Changed under the corridor's lock only; `offered` is
-- set while an `offer-again` is on its way.
CREATE TABLE declined (
    origin text NOT NULL,
    destination text NOT NULL,
    person text NOT NULL,
    transfer uuid NOT NULL,
    declined_at timestamptz NOT NULL,
    amount_fen bigint NOT NULL,
    offered boolean NOT NULL DEFAULT false,
    PRIMARY KEY (origin, destination, person, transfer)
);
CREATE INDEX declined_oldest ON declined (origin, destination, declined_at) WHERE NOT offered;

-- A line of a bank statement as booked. `account` is `450100:income`. `booked` says how:
-- credits: suspense | returned (a remittance of ours came back).
-- debits: remitted | sweep | fee | unexplained.
CREATE TABLE receipts (
    receipt uuid NOT NULL PRIMARY KEY,
    account text NOT NULL,
    region text NOT NULL,
    bank text NOT NULL,
    direction text NOT NULL CHECK (direction IN ('credit', 'debit')),
    amount_fen bigint NOT NULL,
    booked_on date NOT NULL,
    value_on date,
    reversal boolean NOT NULL,
    booked text NOT NULL,
    sealed text,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX receipts_account ON receipts (account, booked_on);

-- One payment inside a credit. suspended_fen went to suspense; of it applied_fen was applied and
-- returned_fen went back; reserved_fen is matched and on its way (`apply-receipt`).
-- In suspense now: suspended_fen - applied_fen - returned_fen.
-- verdict: exact short over partial duplicate returned unknown ambiguous.
-- evidence: {"references": […], "candidates": [{"transfer", "rejected"}], …}, nothing personal.
CREATE TABLE receipt_parts (
    receipt uuid NOT NULL,
    part integer NOT NULL,
    region text NOT NULL,
    payer_region text,
    amount_fen bigint NOT NULL,
    suspended_fen bigint NOT NULL DEFAULT 0,
    reserved_fen bigint NOT NULL DEFAULT 0 CHECK (reserved_fen >= 0),
    applied_fen bigint NOT NULL DEFAULT 0 CHECK (applied_fen >= 0),
    returned_fen bigint NOT NULL DEFAULT 0 CHECK (returned_fen >= 0),
    verdict text NOT NULL,
    rule text NOT NULL,
    evidence jsonb NOT NULL,
    transfers uuid[] NOT NULL DEFAULT '{}',
    refs uuid[] NOT NULL DEFAULT '{}',
    name_keys text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (receipt, part),
    CHECK (suspended_fen >= reserved_fen + applied_fen + returned_fen)
) WITH (fillfactor = 70);

-- What would find a part that still has unmatched money: a transfer's id in hex, or
-- `<region>|<payer region>|<amount_fen>`.
CREATE TABLE waiting (
    look text NOT NULL,
    receipt uuid NOT NULL,
    part integer NOT NULL,
    PRIMARY KEY (look, receipt, part)
);
CREATE INDEX waiting_part ON waiting (receipt, part);

-- The journal. `id` is a uuid5 of its natural key: person, region, kind, subject, version.
-- `person` is the person key, or the bank account key where it concerns nobody.
CREATE TABLE entries (
    person text NOT NULL,
    id uuid NOT NULL,
    region text NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    version integer NOT NULL,
    transfer uuid,
    business_date date NOT NULL,
    cause uuid NOT NULL,
    reverses uuid,
    PRIMARY KEY (person, id)
);

CREATE TABLE postings (
    person text NOT NULL,
    entry uuid NOT NULL,
    line smallint NOT NULL,
    region text NOT NULL,
    debit text NOT NULL,
    credit text NOT NULL,
    amount_fen bigint NOT NULL CHECK (amount_fen > 0),
    PRIMARY KEY (person, entry, line),
    CHECK (debit <> credit)
);

-- Turnover of all accounts that are not a person's.
CREATE TABLE balances (
    region text NOT NULL,
    account text NOT NULL,
    debit_fen bigint NOT NULL DEFAULT 0,
    credit_fen bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (region, account)
) WITH (fillfactor = 50);

-- What is written in the journal stays as it is.
REVOKE UPDATE, DELETE ON entries FROM jiexu_settlement;
REVOKE UPDATE, DELETE ON postings FROM jiexu_settlement;
