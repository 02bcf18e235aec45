SET LOCAL search_path = settlement;

-- What a person of a region said to a line of a net sheet; `month`: the sheet it was in then.
CREATE TABLE netting_answers (
    cause    uuid NOT NULL PRIMARY KEY,
    transfer uuid NOT NULL,
    version  integer NOT NULL,
    province text NOT NULL,
    month    integer,
    region   text NOT NULL,
    verdict  text NOT NULL CHECK (verdict IN ('confirm', 'dispute')),
    by       text NOT NULL,
    why      text,
    at       timestamptz NOT NULL
);
CREATE INDEX netting_answers_line ON netting_answers (transfer, version);
CREATE INDEX netting_answers_sheet ON netting_answers (province, month);
REVOKE UPDATE, DELETE ON netting_answers FROM jiexu_settlement;

-- What a line says whatever kind of file tells it, without the bank's reference. `twin`: the line
-- of another kind of file that it seems to be; such a line is booked only when two people say so.
ALTER TABLE bank_lines ADD likeness bytea, ADD twin uuid;
CREATE INDEX bank_lines_likeness ON bank_lines (account, likeness) WHERE likeness IS NOT NULL;
