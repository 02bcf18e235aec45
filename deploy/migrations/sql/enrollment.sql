-- What is known of each person; one person's rows are read and written together.
CREATE TABLE persons (
    person      text PRIMARY KEY,
    deceased_on date,
    sealed      text,
    -- Transfers of which a region here is the destination: [transfer, record, region, origin].
    starts      jsonb NOT NULL DEFAULT '[]'
) WITH (fillfactor = 70);

CREATE TABLE relations (
    person      text NOT NULL,
    region      text NOT NULL,
    scheme      text NOT NULL,
    state       text NOT NULL CHECK (state IN ('normal', 'suspended', 'terminated')),
    person_type text NOT NULL,
    account     boolean NOT NULL,
    loaded      boolean NOT NULL,
    first_month int,
    last_month  int,
    plan_year   int,
    released    uuid,
    -- Month ranges and entries as arrays: opened, earlier, paid, back_paid, arrears, joined, …
    history     jsonb NOT NULL,
    entitled_from    int,
    waiting_months   int NOT NULL,
    retroactive_from int,
    PRIMARY KEY (person, region, scheme)
) WITH (fillfactor = 70);

-- Requests for a record that is kept here, and what became of them.
CREATE TABLE releases (
    person      text NOT NULL,
    transfer    uuid NOT NULL,
    region      text NOT NULL,
    destination text NOT NULL,
    scheme      text NOT NULL,
    new_scheme  text NOT NULL,
    trigger     text NOT NULL,
    account     boolean NOT NULL,
    first_month int,
    plan_year   int,
    state       text NOT NULL
        CHECK (state IN
            ('accepted', 'released', 'refused', 'cancelled', 'withheld', 'terminated')),
    code        text,
    reopened    boolean NOT NULL,
    version     int NOT NULL,
    months      jsonb NOT NULL,
    last_month  int,
    had_account boolean NOT NULL,
    -- By when an open request is completed; null unless it waits for a clerk.
    due_at      timestamptz,
    PRIMARY KEY (person, transfer),
    CHECK ((state = 'accepted') = (due_at IS NOT NULL))
) WITH (fillfactor = 70);
-- Of open requests alone: what a machine answers is never in it, nor costs it an index update.
CREATE INDEX releases_open ON releases (region, due_at) WHERE due_at IS NOT NULL;

-- Why something was decided, for `jiexu explain`; append-only.
CREATE TABLE explanations (
    person   text NOT NULL,
    id       uuid NOT NULL,
    subject  uuid NOT NULL,
    -- Who decided: only its own clerks are shown it.
    region   text NOT NULL,
    at       timestamptz NOT NULL,
    decision text NOT NULL,
    rule     text NOT NULL,
    source   text NOT NULL,
    facts    jsonb NOT NULL,
    PRIMARY KEY (person, id)
);
CREATE INDEX explanations_subject ON explanations (subject);

-- Every upstream record that was taken, for ever: sent again it is a repetition or a conflict.
CREATE TABLE records (
    source      text NOT NULL,
    record_id   text NOT NULL,
    content     bytea NOT NULL,
    transfer    uuid,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (source, record_id)
);

-- What was decided about a record; `record` is its uuid5 of source and record id, which stand
-- beside it so that its sender can be answered again when the books refuse what the rules took.
CREATE TABLE verdicts (
    record    uuid PRIMARY KEY,
    decision  text NOT NULL CHECK (decision IN ('accepted', 'refused')),
    code      text,
    transfer  uuid,
    at        timestamptz NOT NULL,
    source    text NOT NULL,
    record_id text NOT NULL
);

DO $$ BEGIN
    REVOKE UPDATE, DELETE ON explanations, records FROM jiexu_enrollment;
END $$;
